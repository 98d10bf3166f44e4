//! What a view looks like to people: its shape by default, its content on request.

use core::fmt::{self, Debug, Display, LowerHex, UpperHex, Write};

use super::BytesView;

/// Shape only: a view may hold what does not belong into a log.
impl Debug for BytesView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesView")
            .field("len", &self.len())
            .field("spans", &self.slices().len())
            .finish()
    }
}

impl BytesView {
    /// Shows the content as ASCII, other bytes as escapes, in the way of byte
    /// string literals.
    ///
    /// # Examples
    /// ```
    /// let view = bytesbuf::BytesView::from_static(b"GET /\r\n\xff");
    /// assert_eq!(view.escaped().to_string(), r"GET /\r\n\xff");
    /// ```
    #[must_use]
    pub fn escaped(&self) -> EscapedBytes<'_> {
        EscapedBytes(self)
    }

    /// Shows the content in hexadecimal digits; `{:X}` for upper case.
    ///
    /// # Examples
    /// ```
    /// let view = bytesbuf::BytesView::from_static(b"\x01\xab");
    /// assert_eq!(view.hex().to_string(), "01ab");
    /// assert_eq!(format!("{:X}", view.hex()), "01AB");
    /// ```
    #[must_use]
    pub fn hex(&self) -> HexBytes<'_> {
        HexBytes(self)
    }
}

/// Content of a view as escaped ASCII, made by [`BytesView::escaped`].
///
/// # Examples
/// ```
/// let view = bytesbuf::BytesView::from_static(b"tab\t");
/// assert_eq!(format!("{:?}", view.escaped()), r#"b"tab\t""#);
/// ```
#[derive(Clone, Copy)]
pub struct EscapedBytes<'a>(&'a BytesView);

impl Display for EscapedBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .slices()
            .try_for_each(|(slice, _)| Display::fmt(&slice.escape_ascii(), f))
    }
}

impl Debug for EscapedBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b\"")?;
        Display::fmt(self, f)?;
        f.write_char('"')
    }
}

/// Content of a view in hexadecimal digits, made by [`BytesView::hex`].
///
/// # Examples
/// ```
/// let view = bytesbuf::BytesView::from_static(&[0, 255]);
/// assert_eq!(format!("{}", view.hex()), "00ff");
/// ```
#[derive(Clone, Copy)]
pub struct HexBytes<'a>(&'a BytesView);

impl LowerHex for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.slices().flat_map(|(slice, _)| slice);
        bytes.try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl UpperHex for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.slices().flat_map(|(slice, _)| slice);
        bytes.try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl Display for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LowerHex::fmt(self, f)
    }
}

impl Debug for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LowerHex::fmt(self, f)
    }
}
