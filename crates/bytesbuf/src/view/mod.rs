//! [`BytesView`]: immutable bytes, consumed from the front.

mod build;
mod compare;
mod fmt;
mod get_num;
mod hash;
#[cfg(feature = "std")]
mod io_read;
mod range;
mod read;
mod repr;
mod retention;
mod slices;

pub use fmt::{EscapedBytes, HexBytes};
pub use repr::BytesView;
pub(crate) use repr::Fields;
pub use retention::Retention;
#[cfg(feature = "std")]
pub use slices::BytesViewIoSlices;
pub use slices::BytesViewSlices;
