//! What the tests inside the published `bytesbuf_io` import from a helper crate that
//! was never published. Written from how the compiler says it is used.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs an async test to its end.
pub fn async_test<F: AsyncFnOnce()>(test: F) {
    futures::executor::block_on(test());
}

/// Runs `f`. (A test that hangs is for the test runner to end.)
pub fn execute_or_terminate_process<F: FnOnce() -> R, R>(f: F) -> R {
    f()
}

/// Pending once, ready the next time.
#[derive(Debug, Default)]
pub struct YieldFuture {
    yielded: bool,
}

impl Future for YieldFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
