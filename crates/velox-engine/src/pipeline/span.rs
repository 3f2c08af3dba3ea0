//! The steps between a stage that keeps a state, such as a book, and the steps behind it that look at that state.
//!
//! A record must meet the state of its own instant, however records are cut into batches. So the state changes only
//! when every record that was given on before has passed those steps: each of them sees records of one state at a time.

use std::cell::{Cell, RefCell};
use std::fmt;

type Probe = Box<dyn Fn() -> bool>;

/// Whether anything is on its way from a stage to the steps that look at its state. All are on one thread.
#[derive(Default)]
pub(crate) struct Span {
    active: Cell<bool>,
    /// Whether nothing waits for a step on the way.
    probes: RefCell<Vec<Probe>>,
}

impl Span {
    /// Adds the input of a step on the way.
    pub(crate) fn watch(&self, is_empty: Probe) {
        self.probes.borrow_mut().push(is_empty);
    }

    /// A step does look.
    pub(crate) fn activate(&self) {
        self.active.set(true);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.get()
    }

    pub(crate) fn is_clear(&self) -> bool {
        self.probes.borrow().iter().all(|is_empty| is_empty())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span").field("active", &self.active).finish_non_exhaustive()
    }
}
