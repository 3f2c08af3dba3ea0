//! One side of a book by keys, of which the lowest is the best: a window around the best, and the rest in order.
//!
//! Rules of the window:
//! - what is in it is only there, what is outside is only in the other: both together are the side, exactly;
//! - it is put around the first level of an empty side;
//! - when the best changes and is no longer in the second to eighth sixteenth of it, it moves so that the best is at a
//!   quarter, but not before a quarter as many updates of the best as the last move took levels have passed since. So moves
//!   cost each update five levels at most, the last one included, however the best jumps.

use crate::Level;
use crate::far_levels::FarLevels;
use crate::ladder::{Ladder, WINDOW};

/// The best may be here without a move.
const AT_EASE: std::ops::Range<u64> = WINDOW as u64 / 16..WINDOW as u64 / 2;

#[derive(Debug)]
pub(crate) struct L2Side {
    /// The lowest key; the highest there can be while there are no levels.
    best: i64,
    is_empty: bool,
    /// Updates of the best that have to pass before the window may move again.
    owed: u64,
    /// Made where it stays: it is too large to be moved about.
    near: Box<Ladder>,
    far: FarLevels,
}

impl L2Side {
    pub(crate) fn new() -> Self {
        Self { best: i64::MAX, is_empty: true, owed: 0, near: Box::new(Ladder::new()), far: FarLevels::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.best = i64::MAX;
        self.is_empty = true;
        self.owed = 0;
        self.near.clear();
        self.far.clear();
    }

    pub(crate) fn get(&self, key: i64) -> i64 {
        if self.near.holds(key) { self.near.get(key) } else { self.far.get(key) }
    }

    pub(crate) fn best(&self) -> Option<Level> {
        (!self.is_empty).then(|| Level { price: self.best, qty: self.get(self.best) })
    }

    /// Sets a level, removes it at 0.
    #[inline]
    pub(crate) fn set(&mut self, key: i64, qty: i64) {
        if self.near.holds(key) {
            self.near.set(key, qty);
        } else {
            self.set_far(key, qty);
        }
        if key <= self.best {
            self.set_best(key, qty);
        }
    }

    #[inline(never)]
    fn set_far(&mut self, key: i64, qty: i64) {
        if self.is_empty {
            self.near.set_base(Ladder::base_around(key));
            self.near.set(key, qty);
        } else {
            self.far.set(key, qty);
        }
    }

    /// What is at or below the best key was set.
    fn set_best(&mut self, key: i64, qty: i64) {
        self.owed = self.owed.saturating_sub(1);
        if qty != 0 {
            if key < self.best || self.is_empty {
                (self.best, self.is_empty) = (key, false);
                self.follow();
            }
        } else if key == self.best {
            let next = self.lowest_above(key);
            (self.best, self.is_empty) = (next.map_or(i64::MAX, |next| next.price), next.is_none());
            self.follow();
        }
    }

    /// The best, once the one at `key` is gone.
    fn lowest_above(&self, key: i64) -> Option<Level> {
        if self.near.holds(key) {
            return self.near.first_from(key).or_else(|| self.far.first_from(i64::MIN));
        }
        let far = self.far.first_from(i64::MIN);
        far.filter(|level| level.price < self.near.base()).or_else(|| self.near.first_from(self.near.base())).or(far)
    }

    fn follow(&mut self) {
        if !AT_EASE.contains(&self.near.offset(self.best)) && self.owed == 0 && !self.is_empty {
            self.move_window();
        }
    }

    #[cold]
    #[inline(never)]
    fn move_window(&mut self) {
        let (base, old) = (Ladder::base_around(self.best), self.near.base());
        if base == old {
            return;
        }
        let mut moved = 0;
        let last = base + (WINDOW as i64 - 1);
        let leave =
            if base > old { (old, self.near.last().min(base - 1)) } else { (old.max(last + 1), self.near.last()) };
        while let Some(level) = self.near.first_from(leave.0).filter(|level| level.price <= leave.1) {
            self.near.set(level.price, 0);
            self.far.set(level.price, level.qty);
            moved += 1;
        }
        self.near.set_base(base);
        while let Some(level) = self.far.first_from(base).filter(|level| level.price <= last) {
            self.far.set(level.price, 0);
            self.near.set(level.price, level.qty);
            moved += 1;
        }
        self.owed = moved / 4;
    }

    /// From the lowest key up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Level> {
        let below = self.far.iter_from(i64::MIN).take_while(|level| level.price < self.near.base());
        let above = self.near.last().checked_add(1).map(|key| self.far.iter_from(key));
        below.chain(self.near.iter()).chain(above.into_iter().flatten())
    }
}
