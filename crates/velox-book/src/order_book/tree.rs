//! One side of the book of many writers: a tree over all keys, of which the lowest that holds something is the best.
//!
//! # Shape
//! The first key in use is the anchor. The root has a child for each way to differ from it: in the middle the block of
//! 32,768 keys around the anchor (two inner levels and a leaf of 32), on each side one for each digit of 5 bits that can be the
//! highest to differ, nearest first. So the children of the root are in the order of their keys, a price near the
//! first one is four words away and one at the other end of 64 bits fourteen, and no price is out of reach.
//!
//! # Reading the best
//! [`Tree::best`] goes down by the lowest bits. Where it meets a dead bit, or one that is being cleared, it settles that and starts
//! again: it never looks past one. At a quantity above 0 it reads every word that it came by again. Unchanged, they
//! say that at the time when the quantity was read no lower key was published; changed, another thread got on.
//!
//! # When an operation counts
//! One that leaves 0 or less counts when it changes the quantity. One that leaves more counts when the quantity is
//! there and all bits above it are set and none about to be cleared, which is before it returns, and before
//! any operation returns that saw that quantity: those help ([`Path::publish`]). One whose quantity is taken away before that
//! counts just before the taking.

use std::sync::OnceLock;

use super::node::{Child, DIGIT, Inner, KEY, Leaf, made};
use super::word::{Seen, Word};

/// Digits of a key.
const LEVELS: u32 = KEY.div_ceil(DIGIT);
/// Digits of a key within the block around the anchor.
const NEAR: u32 = if cfg!(loom) { 2 } else { 3 };
/// The root's child for that block.
const MIDDLE: u32 = LEVELS - NEAR;
/// Words from the root to a leaf, at most.
const DEPTH: usize = LEVELS as usize + 1;

const fn digit(key: u64, level: u32) -> u32 {
    (key >> (level * DIGIT)) as u32 % (1 << DIGIT)
}

/// Where below the root a key is: the root's child, and the level of the digits that it goes by.
fn route(anchor: u64, key: u64) -> (u32, u32) {
    let Some(level) = (anchor ^ key).checked_ilog2().map(|bit| bit / DIGIT).filter(|&level| level >= NEAR) else {
        return (MIDDLE, NEAR - 1);
    };
    let away = level - NEAR + 1;
    (if key < anchor { MIDDLE - away } else { MIDDLE + away }, level)
}

/// The digits above those that the root's child goes by.
fn prefix(anchor: u64, child: u32) -> u64 {
    let level = if child == MIDDLE { NEAR - 1 } else { child.abs_diff(MIDDLE) + NEAR - 1 };
    anchor.checked_shr((level + 1) * DIGIT).unwrap_or(0)
}

#[derive(Debug)]
pub(super) struct Tree {
    anchor: OnceLock<u64>,
    root: Inner,
}

/// The way to a tick.
pub(super) struct Path<'a> {
    /// From the root down.
    inner: &'a [(&'a Inner, u32)],
    leaf: &'a Leaf,
    tick: u32,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { anchor: OnceLock::new(), root: Inner::new() }
    }

    /// Works at a key; makes what is missing of the way there.
    #[inline]
    pub(super) fn at<T>(&self, key: u64, work: impl FnOnce(Path) -> T) -> T {
        let anchor = *self.anchor.get_or_init(|| key);
        let Some(answer) = self.walk_to(anchor, key, Inner::child_or_new, work) else {
            unreachable!("what is missing is made")
        };
        answer
    }

    /// Works at a key; `None` where nothing ever was.
    #[inline]
    pub(super) fn at_known<T>(&self, key: u64, work: impl FnOnce(Path) -> T) -> Option<T> {
        self.walk_to(*made(&self.anchor)?, key, |inner, digit, _| inner.known_child(digit), work)
    }

    #[inline]
    fn walk_to<'a, T>(
        &'a self,
        anchor: u64,
        key: u64,
        child: impl Fn(&'a Inner, u32, u32) -> Option<&'a Child>,
        work: impl FnOnce(Path) -> T,
    ) -> Option<T> {
        match route(anchor, key) {
            (MIDDLE, level) => self.walk_down::<{ NEAR as usize }, T>((MIDDLE, level), key, child, work),
            far => self.walk_down::<DEPTH, T>(far, key, child, work),
        }
    }

    /// With at most `MOST` inner nodes on the way.
    #[inline]
    fn walk_down<'a, const MOST: usize, T>(
        &'a self,
        (first, mut level): (u32, u32),
        key: u64,
        child: impl Fn(&'a Inner, u32, u32) -> Option<&'a Child>,
        work: impl FnOnce(Path) -> T,
    ) -> Option<T> {
        let (mut inner, mut depth) = ([(&self.root, first); MOST], 1);
        loop {
            let (parent, at) = inner[depth - 1];
            match child(parent, at, level)? {
                Child::Inner(node) => inner[depth] = (node, digit(key, level)),
                Child::Leaf(leaf) => {
                    return Some(work(Path { inner: &inner[..depth], leaf, tick: digit(key, level) }));
                }
            }
            depth += 1;
            level -= 1;
        }
    }

    /// The lowest key with a quantity above 0.
    pub(super) fn best(&self) -> Option<u64> {
        let anchor = *made(&self.anchor)?;
        loop {
            if let Ok(best) = self.try_best(anchor) {
                return best;
            }
        }
    }

    /// The lowest key, unless another thread changed a word on the way, or a bit had to be settled.
    fn try_best(&self, anchor: u64) -> Result<Option<u64>, ()> {
        let (mut inner, mut word) = (&self.root, self.root.word.load());
        let Some(first) = word.lowest() else { return Ok(None) };
        let mut seen = [(&inner.word, Seen::default()); DEPTH + 1];
        let (mut depth, mut key, mut bit) = (0, prefix(anchor, first), first);
        let (leaf, word, tick) = loop {
            seen[depth] = (&inner.word, word);
            depth += 1;
            let child = inner.child(bit).ok_or(())?;
            let below = child.word().load();
            let Some(next) = below.lowest().filter(|_| word.clearing() != Some(bit)) else {
                inner.settle(bit);
                return Err(());
            };
            key = key << DIGIT | u64::from(next);
            match child {
                Child::Inner(node) => (inner, word, bit) = (node, below, next),
                Child::Leaf(leaf) => break (leaf, below, next),
            }
        };
        if leaf.qty(tick) <= 0 || word.clearing() == Some(tick) {
            leaf.settle(tick);
            return Err(());
        }
        seen[depth] = (&leaf.word, word);
        let same = |&(word, seen): &(&Word, Seen)| word.is_still(seen);
        if seen[..=depth].iter().all(same) { Ok(Some(key)) } else { Err(()) }
    }

    /// Hands out keys and quantities above 0, lowest first, until `take` has enough (`false`). Each is as it stood when it
    /// was reached.
    pub(super) fn each(&self, mut take: impl FnMut(u64, i64) -> bool) {
        let Some(&anchor) = made(&self.anchor) else { return };
        for first in bits(self.root.word.load()) {
            if !self.root.child(first).is_none_or(|child| each_below(child, prefix(anchor, first), &mut take)) {
                return;
            }
        }
    }
}

fn bits(seen: Seen) -> impl Iterator<Item = u32> {
    (0..32).filter(move |bit| seen.mask() >> bit & 1 == 1)
}

fn each_below(child: &Child, above: u64, take: &mut impl FnMut(u64, i64) -> bool) -> bool {
    bits(child.word().load()).all(|bit| {
        let key = above << DIGIT | u64::from(bit);
        match child {
            Child::Inner(inner) => inner.child(bit).is_none_or(|child| each_below(child, key, take)),
            Child::Leaf(leaf) => match leaf.qty(bit) {
                qty if qty > 0 => take(key, qty),
                _ => true,
            },
        }
    })
}

impl Path<'_> {
    /// What stands there. Seen by this thread, a quantity above 0 is part of the best from then on.
    pub(super) fn qty(&self) -> i64 {
        let qty = self.leaf.qty(self.tick);
        if qty > 0 {
            self.show();
        }
        qty
    }

    /// What stands there, to be changed.
    #[inline]
    pub(super) fn peek(&self) -> i64 {
        self.leaf.qty(self.tick)
    }

    /// Changes the quantity, if it still is `old`.
    #[inline]
    pub(super) fn replace(&self, old: i64, new: i64) -> bool {
        let done = self.leaf.replace(self.tick, old, new);
        if done {
            self.follow(old, new);
        }
        done
    }

    #[inline]
    pub(super) fn set(&self, qty: i64) {
        let old = self.leaf.swap(self.tick, qty);
        self.follow(old, qty);
    }

    /// Makes the words say what the quantity says.
    #[inline]
    fn follow(&self, old: i64, new: i64) {
        if new > 0 {
            self.show();
        } else if old > 0 {
            self.retract();
        }
    }

    #[inline]
    fn show(&self) {
        // Taken away meanwhile, by one that found no bit to clear yet: it would lie dead until a reader comes by.
        if self.publish() && self.peek() <= 0 {
            self.retract();
        }
    }

    /// Raises the bits from the bottom up; says whether there was one to raise.
    #[inline]
    fn publish(&self) -> bool {
        let mut changed = self.leaf.word.raise(self.tick);
        for (inner, digit) in self.inner.iter().rev() {
            changed |= inner.word.raise(*digit);
        }
        changed
    }

    /// Clears the dead bits at the front of the leaf, and those of nodes that became empty. Others lie until they come
    /// to the front or are used again: a level that comes and goes changes no word.
    fn retract(&self) {
        self.leaf.clear_front();
        for (inner, digit) in self.inner.iter().rev() {
            if !inner.is_dead(*digit) {
                return;
            }
            inner.lower(*digit);
        }
    }
}
