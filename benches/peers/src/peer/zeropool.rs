//! zeropool: a pool of vectors with a cache for each thread, without sharing of what
//! was written.

use zeropool::{Buf, BufUninit};

use super::{Peer, Reserve};

/// The zeropool crate.
#[derive(Debug)]
pub enum ZeroPool {}

impl Reserve for ZeroPool {
    const PEER: Peer = Peer::ZeroPool;
    /// Its buffers borrow it, so it is leaked: one for each contender.
    type Pool = &'static zeropool::ZeroPool;
    type Buf = BufUninit<'static>;
    type Filled = Buf<'static>;

    fn pool() -> Self::Pool {
        Box::leak(Box::new(zeropool::ZeroPool::new()))
    }

    #[inline]
    fn reserve(pool: &Self::Pool, min_bytes: usize) -> Self::Buf {
        pool.alloc_uninit(min_bytes)
    }

    #[inline]
    fn fill(buf: Self::Buf, bytes: &[u8]) -> Self::Filled {
        buf.write_from_slice(bytes)
    }

    fn contents(filled: &mut Self::Filled) -> Vec<u8> {
        filled.to_vec()
    }

    fn trim(pool: &Self::Pool) -> bool {
        pool.drain();
        true
    }
}
