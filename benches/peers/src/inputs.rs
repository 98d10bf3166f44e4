//! Inputs that all peers are given.

/// Bytes of payload in the small message.
pub const PAYLOAD_LEN: usize = 112;

/// Length of the small message in bytes: 16 of header, then the payload.
pub const MESSAGE_LEN: usize = 16 + PAYLOAD_LEN;

/// `len` bytes, no two neighbours alike, the same at every call.
#[must_use]
pub fn pattern(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    (0..len)
        .map(|_| {
            state = state
                .wrapping_mul(0x5851_F42D_4C95_7F2D)
                .wrapping_add(0x1405_7B7E_F767_814F);
            (state >> 56) as u8
        })
        .collect()
}
