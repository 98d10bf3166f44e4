//! `http_extensions` 0.2 and 0.3 as published, over ours: they derive
//! `thread_aware` traits on what holds a `GlobalPool`.

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;
use futures::executor::block_on;
use thread_aware::ThreadAware;
use thread_aware::affinity::{MemoryAffinity, pinned_affinities};

macro_rules! bodies {
    ($($name:ident: $krate:ident;)*) => {$(
        #[test]
        fn $name() {
            use $krate::HttpBodyBuilder;

            let builder = HttpBodyBuilder::new_fake();
            let body = builder.slice([7; 10_000]);
            let bytes: BytesView = block_on(body.into_bytes()).unwrap();
            assert_eq!(bytes, &[7; 10_000]);

            let text = builder.text("over ours");
            assert_eq!(block_on(text.into_bytes()).unwrap(), b"over ours");

            let there = pinned_affinities(&[1])[0];
            let moved = builder.relocated(MemoryAffinity::Unknown, there);
            let body = moved.text("elsewhere");
            assert_eq!(block_on(body.into_bytes()).unwrap(), b"elsewhere");
        }
    )*};
}

bodies! {
    bodies_of_http_extensions_0_2: http_extensions_0_2;
    bodies_of_http_extensions_0_3: http_extensions_0_3;
}

#[test]
fn a_pool_can_be_relocated() {
    let there = pinned_affinities(&[1])[0];
    let pool = GlobalPool::new().relocated(MemoryAffinity::Unknown, there);
    assert_eq!(pool.reserve(2000).capacity(), 4096);
}
