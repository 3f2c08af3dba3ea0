//! The nodes of a side's tree. They are created when a price first needs them and stay as long as the tree.

use std::sync::OnceLock;

use super::word::Word;
use crate::sync::{AtomicI64, Ordering, fence, load_signed};

/// Bits of a key that one level takes.
pub(super) const DIGIT: u32 = if cfg!(loom) { 1 } else { 5 };
/// Bits of a key.
pub(super) const KEY: u32 = if cfg!(loom) { 3 } else { 64 };
const TICKS: usize = 1 << DIGIT;
/// As many as a word has bits.
const CHILDREN: usize = 32;

/// What a cell holds that is made once. Such cells stand outside of the one order that all other accesses are in (see
/// `word`): so who finds nothing looks again behind a fence, which orders that look behind all that this thread has
/// published. Of two threads that each make a cell and then look at the other's, one finds it.
#[inline]
pub(super) fn made<T>(cell: &OnceLock<T>) -> Option<&T> {
    cell.get().or_else(|| {
        fence(Ordering::SeqCst);
        cell.get()
    })
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) word: Word,
    children: [OnceLock<Child>; CHILDREN],
}

#[derive(Debug)]
pub(super) enum Child {
    Inner(Box<Inner>),
    Leaf(Box<Leaf>),
}

/// Consecutive ticks.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) word: Word,
    quantities: [AtomicI64; TICKS],
}

impl Child {
    fn new(level: u32) -> Self {
        if level == 0 { Self::Leaf(Box::new(Leaf::new())) } else { Self::Inner(Box::new(Inner::new())) }
    }

    pub(super) fn word(&self) -> &Word {
        match self {
            Self::Inner(inner) => &inner.word,
            Self::Leaf(leaf) => &leaf.word,
        }
    }
}

impl Inner {
    pub(super) fn new() -> Self {
        Self { word: Word::new(), children: [const { OnceLock::new() }; CHILDREN] }
    }

    #[inline]
    pub(super) fn child(&self, digit: u32) -> Option<&Child> {
        self.children[digit as usize % CHILDREN].get()
    }

    /// The child, for who works at a key: none that another thread was through with before is missed.
    #[inline]
    pub(super) fn known_child(&self, digit: u32) -> Option<&Child> {
        made(&self.children[digit as usize % CHILDREN])
    }

    /// The child, which is made if there is none: a leaf for level 0. Never `None`.
    #[inline]
    pub(super) fn child_or_new(&self, digit: u32, level: u32) -> Option<&Child> {
        self.child(digit).or_else(|| Some(self.new_child(digit, level)))
    }

    #[cold]
    fn new_child(&self, digit: u32, level: u32) -> &Child {
        // Made before it is hung in: another thread that needs it now waits for a move of two words, not for the
        // allocator.
        let child = Child::new(level);
        self.children[digit as usize % CHILDREN].get_or_init(|| child)
    }

    pub(super) fn is_dead(&self, digit: u32) -> bool {
        self.child(digit).is_none_or(|child| child.word().load().mask() == 0)
    }

    pub(super) fn lower(&self, digit: u32) {
        self.word.lower(digit, |digit| self.is_dead(digit));
    }

    /// Ends a doubt about a bit, one way or the other.
    pub(super) fn settle(&self, digit: u32) {
        if self.is_dead(digit) {
            self.lower(digit);
        } else {
            self.word.raise(digit);
        }
    }
}

impl Leaf {
    fn new() -> Self {
        Self { word: Word::new(), quantities: std::array::from_fn(|_| AtomicI64::new(0)) }
    }

    #[inline]
    pub(super) fn qty(&self, tick: u32) -> i64 {
        load_signed(&self.quantities[tick as usize % TICKS])
    }

    #[inline]
    pub(super) fn swap(&self, tick: u32, qty: i64) -> i64 {
        self.quantities[tick as usize % TICKS].swap(qty, Ordering::SeqCst)
    }

    #[inline]
    pub(super) fn replace(&self, tick: u32, old: i64, new: i64) -> bool {
        let cell = &self.quantities[tick as usize % TICKS];
        cell.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn is_dead(&self, tick: u32) -> bool {
        self.qty(tick) <= 0
    }

    fn lower(&self, tick: u32) {
        self.word.lower(tick, |tick| self.is_dead(tick));
    }

    /// Clears dead bits up to the first one that isn't.
    pub(super) fn clear_front(&self) {
        while let Some(tick) = self.word.load().lowest().filter(|&tick| self.is_dead(tick)) {
            self.lower(tick);
        }
    }

    /// As for [`Inner::settle`].
    pub(super) fn settle(&self, tick: u32) {
        if self.is_dead(tick) {
            self.lower(tick);
        } else {
            self.word.raise(tick);
        }
    }
}
