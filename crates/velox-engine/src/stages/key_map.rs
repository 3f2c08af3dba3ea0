/// What is known by key: open addressing with linear probing, made once and at most half full.
pub(crate) struct KeyMap<V> {
    /// A power of two long.
    slots: Box<[Slot<V>]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot<V> {
    key: u64,
    value: V,
    taken: bool,
}

impl<V: Copy + Default> KeyMap<V> {
    /// Room for `max` keys; whoever inserts counts them.
    pub(crate) fn new(max: usize) -> Self {
        Self { slots: vec![Slot::default(); (max * 2).next_power_of_two()].into() }
    }

    pub(crate) fn get(&self, key: u64) -> Option<V> {
        let slot = self.slots[self.find(key)];
        slot.taken.then_some(slot.value)
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: u64, value: V) {
        let at = self.find(key);
        self.slots[at] = Slot { key, value, taken: true };
    }

    /// Forgets a key. What was pushed past its slot moves up, so that no marks pile up (Knuth, The Art of Computer
    /// Programming 3, 6.4, algorithm R).
    pub(crate) fn remove(&mut self, key: u64) {
        let mut hole = self.find(key);
        let mut at = hole;
        loop {
            self.slots[hole].taken = false;
            loop {
                at = self.after(at);
                let Slot { key, taken, .. } = self.slots[at];
                if !taken {
                    return;
                }
                if self.distance(self.home(key), at) >= self.distance(hole, at) {
                    break;
                }
            }
            self.slots[hole] = self.slots[at];
            hole = at;
        }
    }

    /// The slot of a key, or the free one that it would take.
    fn find(&self, key: u64) -> usize {
        let mut at = self.home(key);
        while self.slots[at].taken && self.slots[at].key != key {
            at = self.after(at);
        }
        at
    }

    fn home(&self, key: u64) -> usize {
        mix(key) as usize & (self.slots.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// How many slots `to` is behind `from`, around the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.slots.len() - 1)
    }
}

/// Keys are often counters or multiples of a power of two: this spreads them (the finaliser of MurmurHash3).
fn mix(key: u64) -> u64 {
    let key = (key ^ key >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let key = (key ^ key >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ key >> 33
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(
            max in 1usize..12,
            steps in prop::collection::vec((0u64..16, prop::option::of(any::<u32>())), 0..200),
        ) {
            let (mut map, mut model) = (KeyMap::new(max), HashMap::new());
            for (key, step) in steps {
                match step {
                    Some(value) if model.len() < max || model.contains_key(&key) => {
                        map.insert(key, value);
                        model.insert(key, value);
                    }
                    _ => {
                        map.remove(key);
                        model.remove(&key);
                    }
                }
                for key in 0..16 {
                    prop_assert_eq!(map.get(key), model.get(&key).copied());
                }
            }
        }
    }
}
