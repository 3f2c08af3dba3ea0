//! Where those sleep who wait for the other side, and how they are woken.

use std::sync::PoisonError;
use std::time::Duration;

use crate::Awaited;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A place to sleep: for one, or for several who are all woken together.
#[derive(Debug)]
pub(crate) struct Bed {
    parked: Awaited,
    /// How often it was rung: a flag that another sleeper has raised again would hide that.
    rung: Mutex<u32>,
    bell: Condvar,
    /// Whether several may sleep here: none of them lowers the flag, as another may still sleep behind it.
    several: bool,
}

impl Bed {
    pub(crate) fn for_one() -> Self {
        Self { parked: Awaited::new(), rung: Mutex::new(0), bell: Condvar::new(), several: false }
    }

    pub(crate) fn for_several() -> Self {
        Self { several: true, ..Self::for_one() }
    }

    /// Sleeps until it is woken, `longest` has passed, or not at all: `last_look` runs behind the raised flag and says
    /// whether there is work after all.
    pub(crate) fn park_unless(&self, last_look: impl FnOnce() -> bool, longest: Duration) {
        let heard = *self.rung();
        self.parked.raise();
        if last_look() {
            self.up();
            return;
        }
        let held = self.rung();
        // A waker that rang before this lock is seen here; one after it rings while this waits.
        if *held == heard {
            drop(self.bell.wait_timeout(held, longest).unwrap_or_else(PoisonError::into_inner));
        }
        self.up();
    }

    fn rung(&self) -> MutexGuard<'_, u32> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self) {
        if !self.several {
            self.parked.lower();
        }
    }

    /// Wakes whoever sleeps; what was done before is seen by a last look or after the sleep. A fence and a load where
    /// nobody does.
    #[inline]
    pub(crate) fn wake(&self) {
        if self.parked.is_raised() {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        let mut held = self.rung();
        *held = held.wrapping_add(1);
        self.parked.lower();
        // Before the bell, or the sleeper would wake only to wait for the lock.
        drop(held);
        self.bell.notify_all();
    }
}
