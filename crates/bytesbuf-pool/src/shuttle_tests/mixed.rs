//! Everything at once: four threads that do what chance tells them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use shuttle::thread;

use super::door::{BLOCK, InUse, Shelf, any_of, assert_conserved, at_once, check, pool_of};
use crate::GlobalPool;

/// Steps of a thread.
const STEPS: usize = 5;

/// What a thread has, apart from its cache.
struct Actor {
    pool: GlobalPool,
    shelf: Shelf,
    blocks: Vec<InUse>,
}

impl Actor {
    fn of(pool: &GlobalPool, shelf: &Shelf) -> Self {
        Self {
            pool: pool.clone(),
            shelf: shelf.clone(),
            blocks: Vec::new(),
        }
    }

    fn act(mut self) {
        for _ in 0..STEPS {
            self.step();
        }
    }

    fn step(&mut self) {
        match any_of(10) {
            0 | 1 => self.blocks.extend(self.pool.rent(BLOCK).map(InUse::new)),
            2 => drop(self.blocks.pop()),
            3 => self.wait_a_while(),
            4 => self.ask_and_leave(),
            5 => {
                if let Some(block) = self.blocks.pop() {
                    self.shelf.put(block);
                }
            }
            6 => self.blocks.extend(self.shelf.take()),
            7 => drop(self.pool.trim()),
            8 => drop(self.pool.trim_to(BLOCK)),
            _ => self.continue_elsewhere(),
        }
    }

    fn wait_a_while(&mut self) {
        let blocks = 1 + any_of(2);
        let permit = self
            .pool
            .permit_timeout(blocks * BLOCK, Duration::from_secs(1));
        if let Ok(permit) = permit {
            let mut take = |block| self.blocks.push(InUse::new(block));
            permit.provide(&mut take).expect("memory");
        }
    }

    fn ask_and_leave(&self) {
        let mut request = pin!(self.pool.permit_async(2 * BLOCK));
        let mut context = Context::from_waker(Waker::noop());
        let _ = request.as_mut().poll(&mut context);
        thread::yield_now();
    }

    /// Another thread rents and ends, with a cache of its own.
    fn continue_elsewhere(&self) {
        let pool = self.pool.clone();
        let there = thread::spawn(move || drop(pool.rent(BLOCK).map(InUse::new)));
        there.join().expect("reported already");
    }
}

#[test]
fn everything_at_once() {
    check(|| {
        let pool = pool_of(3);
        let shelf = Shelf::default();
        let actors = [(); 4].map(|()| Actor::of(&pool, &shelf));
        at_once(actors.map(|actor| -> Box<dyn FnOnce() + Send> { Box::new(|| actor.act()) }));
        while let Some(block) = shelf.take() {
            thread::spawn(move || drop(block)).join().unwrap();
        }
        assert_conserved(&pool, &[pool.budget().unwrap()]);
    });
}

/// The same, and the pool goes with the last of them.
#[test]
fn everything_at_once_and_the_pool_goes_in_between() {
    check(|| {
        let pool = pool_of(3);
        let shelf = Shelf::default();
        let actors = [(); 4].map(|()| Actor::of(&pool, &shelf));
        drop(pool);
        at_once(actors.map(|actor| -> Box<dyn FnOnce() + Send> { Box::new(|| actor.act()) }));
        while shelf.take().is_some() {}
    });
}
