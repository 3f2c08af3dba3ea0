//! The order to stop, and sleeps that end with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// No wait on the network is longer than this before the order to stop is looked at again.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// Whether a live market is to end.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    asked: AtomicBool,
    lock: Mutex<()>,
    bell: Condvar,
}

impl Stop {
    /// Ends every wait.
    pub(crate) fn ask(&self) {
        if self.asked() {
            return;
        }
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Relaxed: the flag orders nothing; a sleeper looks at it under the lock.
        self.asked.store(true, Ordering::Relaxed);
        self.bell.notify_all();
    }

    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Sleeps so long, or until the order comes; says whether it came.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = self.bell.wait_timeout_while(held, time, |()| !self.asked());
        drop(woken.unwrap_or_else(PoisonError::into_inner));
        self.asked()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_order_ends_a_sleep() {
        let stop = Stop::default();
        assert!(!stop.sleep(Duration::from_millis(1)));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| stop.sleep(Duration::from_secs(60)));
            stop.ask();
            assert!(sleeper.join().unwrap());
        });
        assert!(begun.elapsed() < Duration::from_secs(10) && stop.asked());
    }
}
