use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::shared::Shared;

/// A map behind a lock for each side, which lets two writers work at once where they are on different sides.
#[derive(Default)]
pub struct MutexBTree([Mutex<BTreeMap<i64, i64>>; 2]);

impl MutexBTree {
    fn change(&self, side: u8, price: i64, change: impl FnOnce(i64) -> i64) {
        let mut levels = self.0[usize::from(side)].lock().expect("no panic");
        match change(levels.get(&price).copied().unwrap_or(0)) {
            0 => levels.remove(&price),
            qty => levels.insert(price, qty),
        };
    }
}

impl Shared for MutexBTree {
    const NAME: &'static str = "Mutex<BTreeMap>";

    fn new() -> Self {
        Self::default()
    }

    fn set(&self, side: u8, price: i64, qty: i64) {
        let mut levels = self.0[usize::from(side)].lock().expect("no panic");
        if qty == 0 {
            levels.remove(&price)
        } else {
            levels.insert(price, qty)
        };
    }

    fn add(&self, side: u8, price: i64, delta: i64) {
        self.change(side, price, |have| have + delta);
    }

    fn best_bid(&self) -> Option<i64> {
        let levels = self.0[0].lock().expect("no panic");
        levels.iter().rev().find(|(_, qty)| **qty > 0).map(|(price, _)| *price)
    }

    fn best_ask(&self) -> Option<i64> {
        let levels = self.0[1].lock().expect("no panic");
        levels.iter().find(|(_, qty)| **qty > 0).map(|(price, _)| *price)
    }

    fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.0[usize::from(side)].lock().expect("no panic").get(&price).copied().unwrap_or(0)
    }
}
