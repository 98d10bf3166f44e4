//! What is done: random draws, and the concrete steps that come of them.

use std::ops::Bound;

use proptest::prelude::*;

/// Buffers in play.
pub const BUFS: usize = 2;
/// Views in play.
pub const VIEWS: usize = 3;

macro_rules! kinds {
    ($($(#[$attr:meta])* $kind:ident = $weight:literal,)*) => {
        /// The operations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$attr])* $kind,)* }

        fn any_kind() -> impl Strategy<Value = Kind> {
            proptest::strategy::Union::new_weighted(vec![$(($weight, Just(Kind::$kind))),*])
        }
    };
}

kinds! {
    // On buffer `x`, with results in view `y`.
    Reserve = 8,
    PutSlice = 6,
    PutByte = 2,
    PutByteRepeated = 3,
    PutNum = 4,
    PutBytesClone = 3,
    PutBytesMove = 2,
    BufMutPut = 2,
    BufMutAdvance = 2,
    Peek = 2,
    Consume = 5,
    ConsumeChecked = 2,
    ConsumeAll = 2,
    /// The rest goes to the other buffer.
    SplitOff = 3,
    SplitOffChecked = 2,
    FillFirst = 4,
    VectoredCommit = 4,
    VectoredAbort = 2,
    VectoredChecked = 2,
    GuardBuf = 1,
    GuardView = 1,
    DropGuards = 1,
    NewBuf = 1,
    BufFromView = 1,
    BufFromBlocks = 1,
    Writer = 1,
    // On view `x`, with results in view `y`.
    Advance = 4,
    GetByte = 3,
    GetNum = 4,
    CopyToSlice = 3,
    CopyToUninit = 2,
    Range = 4,
    RangeChecked = 3,
    Append = 4,
    Concat = 2,
    Clone = 3,
    FromViews = 2,
    ConsumeAllSlices = 1,
    Read = 3,
    ReadToEnd = 1,
    ReadExact = 2,
    BufReadConsume = 2,
    ReadLine = 1,
    Equal = 3,
    FromVec = 2,
    CopiedFromSlice = 2,
    FromBytes = 1,
    IntoBytes = 1,
    ToBytes = 2,
    BufAdvance = 1,
    BufCopyToBytes = 2,
    BufChunks = 1,
    DropView = 1,
}

/// An amount relative to a limit that only the model knows.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// This many 256ths of the limit.
    Part(u8),
    /// A small number, which may be above the limit.
    Small(u8),
    /// The limit itself.
    All,
    /// Above the limit by one and this much.
    Over(u8),
    /// As large as can be.
    Max,
}

impl Amount {
    /// The amount within or beyond `limit`.
    pub fn of(self, limit: usize) -> usize {
        match self {
            Self::Part(part) => limit * usize::from(part) / 256,
            Self::Small(n) => usize::from(n),
            Self::All => limit,
            Self::Over(n) => limit + 1 + usize::from(n),
            Self::Max => usize::MAX,
        }
    }
}

fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        8 => any::<u8>().prop_map(Amount::Part),
        6 => (0_u8..20).prop_map(Amount::Small),
        3 => Just(Amount::All),
        1 => (0_u8..5).prop_map(Amount::Over),
        1 => Just(Amount::Max),
    ]
}

/// A random operation, before the model has made it concrete.
#[derive(Clone, Debug)]
pub struct Draw {
    pub kind: Kind,
    pub x: usize,
    pub y: usize,
    pub a: Amount,
    pub b: Amount,
    /// Decides the rest: content, widths, providers, kinds of bounds.
    pub salt: u64,
}

impl Arbitrary for Draw {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        (
            any_kind(),
            0..6_usize,
            0..6_usize,
            any_amount(),
            any_amount(),
            any::<u64>(),
        )
            .prop_map(|(kind, x, y, a, b, salt)| Self {
                kind,
                x,
                y,
                a,
                b,
                salt,
            })
            .boxed()
    }
}

/// Where capacity comes from.
#[derive(Clone, Copy, Debug)]
pub enum Provider {
    Fixed(u32),
    Transparent,
    Pool,
    Planks,
}

/// A concrete operation, the same for everyone.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: Kind,
    /// Index of a buffer or view.
    pub x: usize,
    /// Index of another view.
    pub y: usize,
    /// First amount, in bytes.
    pub n: usize,
    /// Second amount, in bytes.
    pub m: usize,
    pub salt: u64,
}

/// Byte order of a number.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Little,
    Big,
    Native,
}

impl Step {
    /// Content to write: `n` bytes that depend on the salt.
    pub fn content(&self) -> Vec<u8> {
        let start = self.salt as u8;
        (0..self.n)
            .map(|i| start.wrapping_add((i as u8).wrapping_mul(37)))
            .collect()
    }

    pub fn provider(&self) -> Provider {
        match self.salt % 16 {
            0..=1 => Provider::Fixed(1),
            2..=4 => Provider::Fixed(3),
            5..=6 => Provider::Fixed(7),
            7..=8 => Provider::Fixed(64),
            9..=10 => Provider::Transparent,
            11..=12 => Provider::Pool,
            _ => Provider::Planks,
        }
    }

    /// Number type (an index) and order for `put_num` and `get_num`.
    pub fn number(&self) -> (u8, Order) {
        let order = match (self.salt >> 8) % 3 {
            0 => Order::Little,
            1 => Order::Big,
            _ => Order::Native,
        };
        ((self.salt >> 16) as u8 % 7, order)
    }

    /// All bits of the number to write.
    pub fn bits(&self) -> u128 {
        u128::from(self.salt) * 0x9E37_79B9_7F4A_7C15
    }

    /// A range from `n` and `m`, with any kind of bounds.
    pub fn range(&self) -> (Bound<usize>, Bound<usize>) {
        let start = match self.salt % 4 {
            0 => Bound::Unbounded,
            1 => Bound::Excluded(self.n),
            _ => Bound::Included(self.n),
        };
        let end = match (self.salt >> 8) % 4 {
            0 => Bound::Unbounded,
            1 => Bound::Included(self.m),
            _ => Bound::Excluded(self.m),
        };
        (start, end)
    }

    /// Limit of a vectored write.
    pub fn max_len(&self) -> Option<usize> {
        match self.salt % 3 {
            0 => None,
            _ => Some(self.m),
        }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A checked variant said no.
    Refused,
    Panicked,
    Is(bool),
    Count(usize),
    Number(u128),
    Bytes(Vec<u8>),
    /// Lengths of slices.
    Lens(Vec<usize>),
}
