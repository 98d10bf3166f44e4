//! Providers for tests (feature `test-util`): block sizes are known exactly, and
//! each block is an allocation of its own that is freed at its last release, so
//! that memory checkers see every misuse.

mod fixed_block;
mod heap_block;
mod transparent;

pub use self::fixed_block::FixedBlockMemory;
pub use self::transparent::TransparentMemory;
