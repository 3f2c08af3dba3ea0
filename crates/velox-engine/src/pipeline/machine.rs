//! The cores of the machine, and which of them the process's own threads never give back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::placement::Placement;

/// What there is to place threads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// How many cores the process may use, 1 at least.
    pub cores: usize,
    /// The threads of all runs of the process that never sleep: of each, the core that it is pinned to.
    pub sleepless: Vec<Option<usize>>,
}

static SLEEPLESS: Mutex<Vec<Option<usize>>> = Mutex::new(Vec::new());

fn sleepless() -> MutexGuard<'static, Vec<Option<usize>>> {
    SLEEPLESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    /// As it is now. Asks the system for the cores.
    pub fn now() -> Self {
        Self::with(&sleepless())
    }

    fn with(sleepless: &[Option<usize>]) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores, sleepless: sleepless.to_vec() }
    }
}

/// The threads of one run that never sleep: counted until this is dropped.
pub(crate) struct Sleepless(Vec<Option<usize>>);

impl Sleepless {
    /// Places a run's threads by how the machine is now, and counts them; two runs that start at once do so in turn.
    pub(crate) fn place<E>(
        place: impl FnOnce(&Machine) -> Result<Vec<Placement>, E>,
    ) -> Result<(Vec<Placement>, Self), E> {
        let mut all = sleepless();
        let placement = place(&Machine::with(&all))?;
        let own: Vec<_> = placement.iter().filter(|p| p.wait.never_sleeps()).map(|p| p.core).collect();
        all.extend(&own);
        Ok((placement, Self(own)))
    }
}

impl Drop for Sleepless {
    fn drop(&mut self) {
        let mut all = sleepless();
        for own in &self.0 {
            if let Some(at) = all.iter().position(|core| core == own) {
                all.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Wait;

    #[test]
    fn threads_that_never_sleep_are_counted_until_their_run_ends() {
        // No core has this number: other tests of this process start runs too.
        let core = Some(usize::MAX);
        let counted = || Machine::now().sleepless.iter().filter(|other| **other == core).count();
        let threads = [Wait::Spin, Wait::Yield, Wait::Backoff, Wait::Block];
        let placement = threads.map(|wait| Placement { core, stages: Vec::new(), wait, why: String::new() });
        let take = || Sleepless::place(|_| Ok::<_, ()>(placement.to_vec())).unwrap().1;
        let one = take();
        assert_eq!(counted(), 2);
        let other = take();
        assert_eq!(counted(), 4);
        drop(one);
        assert_eq!(counted(), 2);
        assert!(
            Sleepless::place(|machine| if machine.sleepless.contains(&core) { Err(()) } else { Ok(vec![]) }).is_err()
        );
        drop(other);
        assert_eq!(counted(), 0);
    }
}
