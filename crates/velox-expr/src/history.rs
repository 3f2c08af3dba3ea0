//! What `prev` and `over` remember.

use crate::failure::{ABSENT, Failure, VALUE};
use crate::register::Register;

/// The most keys that one `over` takes.
pub(crate) const MAX_KEYS: usize = 1 << 20;

/// The memory of one step; values and keys are bits.
#[derive(Debug, Clone)]
pub(crate) enum History {
    None,
    /// The last value.
    Last(Option<u64>),
    /// The last value of each key.
    Keys(Keys),
    /// The given value that so many rows are filled with.
    Given(Option<u64>, usize),
}

/// Open addressing with linear probing, at most half full.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// A power of two long.
    slots: Box<[Slot]>,
    used: usize,
    max: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    taken: bool,
    key: u64,
    value: Option<u64>,
}

impl Keys {
    /// Room for `max` keys, 1 ..= [`MAX_KEYS`].
    pub(crate) fn new(max: usize) -> Self {
        Self { slots: vec![Slot::default(); (max * 2).next_power_of_two()].into(), used: 0, max }
    }

    fn clear(&mut self) {
        self.slots.fill(Slot::default());
        self.used = 0;
    }

    /// The value of a key, which gets its place at the first call; none when all places are taken.
    fn find(&mut self, key: u64) -> Option<&mut Option<u64>> {
        let mask = self.slots.len() - 1;
        let mut at = mix(key) as usize & mask;
        while self.slots[at].taken && self.slots[at].key != key {
            at = (at + 1) & mask;
        }
        if !self.slots[at].taken {
            if self.used == self.max {
                return None;
            }
            self.used += 1;
            self.slots[at] = Slot { taken: true, key, value: None };
        }
        Some(&mut self.slots[at].value)
    }
}

/// Keys are often counters or multiples of a power of two: this spreads them (the finaliser of MurmurHash3).
fn mix(key: u64) -> u64 {
    let key = (key ^ key >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let key = (key ^ key >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ key >> 33
}

impl History {
    pub(crate) fn clear(&mut self) {
        match self {
            Self::None => {}
            Self::Last(last) => *last = None,
            Self::Keys(keys) => keys.clear(),
            Self::Given(_, filled) => *filled = 0,
        }
    }
}

/// Gives each row the value that is given, which most often is the one that is there.
pub(crate) fn given(value: Option<u64>, out: &mut Register, rows: usize) {
    let Register { lanes, status, history: History::Given(last, filled) } = out else {
        unreachable!("a plan whose given value has no memory")
    };
    if *last != value {
        (*last, *filled) = (value, 0);
    }
    if *filled < rows {
        status.clear();
        match value {
            Some(bits) => lanes.fill_bits(*filled..rows, bits),
            None => (0..rows).for_each(|row| status.mark(row, ABSENT)),
        }
        *filled = rows;
    }
}

/// Gives each row what `x` was last, then remembers what it is, where it is something.
pub(crate) fn prev(x: &Register, out: &mut Register, rows: usize) {
    let Register { lanes, status, history: History::Last(last) } = out else {
        unreachable!("a plan whose prev has no memory")
    };
    status.clear();
    let mut give = |row, last: &mut Option<u64>| {
        if let Some(bits) = *last {
            lanes.set_bits(row, bits);
        } else {
            lanes.set_bits(row, 0);
            status.mark(row, ABSENT);
        }
        if x.status.at(row) == VALUE {
            *last = Some(x.lanes.bits(row));
        }
    };
    if x.status.is_marked() {
        (0..rows).for_each(|row| give(row, last));
    } else if rows > 0 {
        // Where every row has a value, all but the first are x one row later.
        give(0, last);
        lanes.shift(&x.lanes, rows);
        *last = Some(x.lanes.bits(rows - 1));
    }
}

/// Like [`prev`], for each key on its own.
pub(crate) fn over(x: &Register, key: &Register, out: &mut Register, rows: usize) {
    let Register { lanes, status, history: History::Keys(keys) } = out else {
        unreachable!("a plan whose over has no memory")
    };
    status.clear();
    for row in 0..rows {
        lanes.set_bits(row, 0);
        let of_key = key.status.at(row);
        if of_key != VALUE {
            status.mark(row, of_key);
            continue;
        }
        let Some(last) = keys.find(key.lanes.bits(row)) else {
            status.mark(row, Failure::TooManyKeys.status());
            continue;
        };
        match *last {
            Some(bits) => lanes.set_bits(row, bits),
            None => status.mark(row, ABSENT),
        }
        if x.status.at(row) == VALUE {
            *last = Some(x.lanes.bits(row));
        }
    }
}
