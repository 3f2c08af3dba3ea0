//! Any number of keys with a quantity each, in order: blocks of up to 64 levels and a sorted index of them.
//!
//! A change moves half a block at most, and the index once in 32 insertions. Neighbours that fit half a block are
//! merged, so a level takes 64 bytes or less but for the first few; emptied blocks are used again.
//!
//! Far from the market it is the same few levels that change again and again (two thirds of such changes on a recorded day are of three
//! prices), so where some of the last ones were is kept.

use crate::Level;

const BLOCK: usize = 64;
/// So many blocks fit from the beginning.
const ROOM: usize = 64;
/// Levels whose place is kept: a power of two.
const RECENT: usize = 32;

#[derive(Debug, Clone, Copy)]
struct Block {
    /// 1 to `BLOCK` while the index names it.
    len: usize,
    /// Ascending up to `len`.
    levels: [Level; BLOCK],
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The lowest key of the block, or one below it and above the block before.
    from: i64,
    block: usize,
}

#[derive(Debug)]
pub(crate) struct FarLevels {
    /// Ascending.
    index: Vec<Entry>,
    blocks: Vec<Block>,
    /// Blocks that the index doesn't name, of length 0.
    free: Vec<usize>,
    /// By [`recent`]: a block, and where in it a level stood. It may be gone or moved by now: its key says so.
    recent: [(u32, u32); RECENT],
}

/// Where the place of a key is kept: by Fibonacci hashing (Knuth, "The Art of Computer Programming", volume 3, 6.4).
const fn recent(key: i64) -> usize {
    ((key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - RECENT.ilog2())) as usize
}

impl Block {
    fn levels(&self) -> &[Level] {
        &self.levels[..self.len]
    }

    fn find(&self, key: i64) -> Result<usize, usize> {
        self.levels().binary_search_by(|level| level.price.cmp(&key))
    }
}

impl FarLevels {
    pub(crate) fn new() -> Self {
        Self {
            index: Vec::with_capacity(ROOM),
            blocks: Vec::with_capacity(ROOM),
            free: Vec::with_capacity(ROOM),
            recent: [(0, 0); RECENT],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.blocks.clear();
        self.free.clear();
    }

    /// The place in the index of the block that `key` belongs to; 0 for an empty index.
    fn place(&self, key: i64) -> usize {
        self.index.partition_point(|entry| entry.from <= key).saturating_sub(1)
    }

    fn at(&self, place: usize) -> &Block {
        &self.blocks[self.index[place].block]
    }

    fn new_block(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.blocks.push(Block { len: 0, levels: [Level::default(); BLOCK] });
            self.blocks.len() - 1
        })
    }

    pub(crate) fn get(&self, key: i64) -> i64 {
        let place = self.place(key);
        let Some(entry) = self.index.get(place) else { return 0 };
        let block = &self.blocks[entry.block];
        block.find(key).map_or(0, |at| block.levels[at].qty)
    }

    /// The quantity of a key that is where it was last.
    fn known(&mut self, key: i64) -> Option<&mut i64> {
        let (block, at) = self.recent[recent(key)];
        let block = self.blocks.get_mut(block as usize)?;
        let level = block.levels[..block.len].get_mut(at as usize)?;
        (level.price == key).then_some(&mut level.qty)
    }

    /// Sets a level, removes it at 0.
    pub(crate) fn set(&mut self, key: i64, qty: i64) {
        if qty != 0
            && let Some(known) = self.known(key)
        {
            *known = qty;
            return;
        }
        let place = self.place(key);
        let Some(&Entry { block, .. }) = self.index.get(place) else {
            if qty != 0 {
                let block = self.new_block();
                self.index.push(Entry { from: key, block });
                self.insert(0, 0, Level { price: key, qty });
            }
            return;
        };
        match (self.blocks[block].find(key), qty) {
            (Ok(at), 0) => self.remove(place, at),
            (Ok(at), _) => {
                self.recent[recent(key)] = (block as u32, at as u32);
                self.blocks[block].levels[at].qty = qty;
            }
            (Err(_), 0) => {}
            (Err(at), _) => self.insert(place, at, Level { price: key, qty }),
        }
    }

    fn insert(&mut self, place: usize, at: usize, level: Level) {
        let block = &mut self.blocks[self.index[place].block];
        if block.len == BLOCK && at == BLOCK && place + 1 == self.index.len() {
            // A snapshot comes in order: its blocks are filled, not halved.
            let block = self.new_block();
            self.index.push(Entry { from: level.price, block });
            return self.insert(place + 1, 0, level);
        }
        if block.len == BLOCK {
            let place = place + self.split(place, at);
            let Err(at) = self.at(place).find(level.price) else { unreachable!("a new key") };
            return self.insert(place, at, level);
        }
        block.levels.copy_within(at..block.len, at + 1);
        block.levels[at] = level;
        block.len += 1;
        let from = &mut self.index[place].from;
        *from = (*from).min(level.price);
    }

    /// Moves the upper half into a block of its own; 1 where place `at` is in that, 0 where not.
    fn split(&mut self, place: usize, at: usize) -> usize {
        let new = self.new_block();
        let full = &mut self.blocks[self.index[place].block];
        let upper = *full;
        full.len = BLOCK / 2;
        let block = &mut self.blocks[new];
        block.len = BLOCK / 2;
        block.levels[..BLOCK / 2].copy_from_slice(&upper.levels[BLOCK / 2..]);
        let from = block.levels[0].price;
        self.index.insert(place + 1, Entry { from, block: new });
        usize::from(at > BLOCK / 2)
    }

    fn remove(&mut self, place: usize, at: usize) {
        let block = &mut self.blocks[self.index[place].block];
        block.levels.copy_within(at + 1..block.len, at);
        block.len -= 1;
        if block.len == 0 {
            self.release(place);
        } else if place > 0 && self.fit(place - 1) {
            self.merge(place - 1);
        } else if self.fit(place) {
            self.merge(place);
        }
    }

    /// Whether this block and the next fill half a block at most.
    fn fit(&self, place: usize) -> bool {
        place + 1 < self.index.len() && self.at(place).len + self.at(place + 1).len <= BLOCK / 2
    }

    fn merge(&mut self, place: usize) {
        let upper = *self.at(place + 1);
        let lower = &mut self.blocks[self.index[place].block];
        lower.levels[lower.len..lower.len + upper.len].copy_from_slice(upper.levels());
        lower.len += upper.len;
        self.release(place + 1);
    }

    fn release(&mut self, place: usize) {
        let Entry { block, .. } = self.index.remove(place);
        self.blocks[block].len = 0;
        self.free.push(block);
    }

    /// The lowest level at or above `key`.
    pub(crate) fn first_from(&self, key: i64) -> Option<Level> {
        self.iter_from(key).next()
    }

    /// From `key` up.
    pub(crate) fn iter_from(&self, key: i64) -> impl Iterator<Item = Level> {
        let place = self.place(key);
        let skip = self.index.get(place).map_or(0, |_| self.at(place).find(key).unwrap_or_else(|at| at));
        let blocks = self.index.iter().skip(place).map(|entry| &self.blocks[entry.block]);
        blocks.flat_map(Block::levels).skip(skip).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(
            steps in prop::collection::vec((prop_oneof![0i64..400, Just(i64::MIN), Just(i64::MAX)], 0i64..3), 0..2_000),
        ) {
            let (mut levels, mut model) = (FarLevels::new(), BTreeMap::new());
            for &(key, qty) in &steps {
                if qty == 0 {
                    model.remove(&key);
                } else {
                    model.insert(key, qty);
                }
                levels.set(key, qty);
                prop_assert_eq!(levels.get(key), qty);
            }
            let model: Vec<Level> = model.into_iter().map(|(price, qty)| Level { price, qty }).collect();
            prop_assert_eq!(levels.iter_from(i64::MIN).collect::<Vec<_>>(), &model[..]);
            let above: Vec<Level> = model.iter().filter(|level| level.price >= 200).copied().collect();
            prop_assert_eq!(levels.iter_from(200).collect::<Vec<_>>(), above);
        }
    }

    #[test]
    fn memory_follows_the_levels_there_are() {
        let mut levels = FarLevels::new();
        for key in 0..64_000 {
            levels.set(key, 1);
        }
        for key in (0..64_000).filter(|key| key % 64 != 0) {
            levels.set(key, 0);
        }
        assert!(levels.index.len() <= 1_000 * 2 / (BLOCK / 2) + 1, "{} blocks for 1,000 levels", levels.index.len());
        assert_eq!(levels.index.len() + levels.free.len(), levels.blocks.len());
    }
}
