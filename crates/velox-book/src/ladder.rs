//! A window of consecutive keys with a quantity each, and a bitmap of two levels that finds the next one in use.
//!
//! The slots are a ring: a key keeps its slot when the window moves, so a move touches only what enters or leaves. Quantities
//! come by 64, laid out as they are first used: half a megabyte a side would cost a new book more than its snapshot.

use crate::Level;

/// Keys in the window: 65,536.
pub(crate) const WINDOW: usize = 1 << 16;
/// Slots of a word.
const SLOTS: usize = 64;
const WORDS: usize = WINDOW / SLOTS;
/// No place of quantities.
const NONE: u16 = u16::MAX;

#[derive(Debug)]
pub(crate) struct Ladder {
    /// The lowest key of the window, a multiple of 64, at most `i64::MAX - (WINDOW - 1)`.
    base: i64,
    /// Bit `i` of word `w`: slot `64 w + i` is not 0.
    words: [u64; WORDS],
    /// Bit `i` of word `w`: word `64 w + i` of `words` is not 0.
    summary: [u64; WORDS / 64],
    /// By word: its quantities in `qty`; [`NONE`], which is none of those, while none of its slots was ever used. Apart from the
    /// words, so that it is in the nearest cache whatever slot is meant, and nothing has to come before the quantity.
    places: [u16; WORDS],
    qty: Vec<[i64; SLOTS]>,
}

const fn slot(key: i64) -> usize {
    key as usize % WINDOW
}

impl Ladder {
    pub(crate) fn new() -> Self {
        // Room for all, so that an update never allocates; what isn't written yet is no memory of the machine's so far.
        let qty = Vec::with_capacity(WORDS);
        Self { base: 0, words: [0; WORDS], summary: [0; WORDS / 64], places: [NONE; WORDS], qty }
    }

    /// The lowest key of the window that has `key` at a quarter, as far as there are keys.
    pub(crate) fn base_around(key: i64) -> i64 {
        let base = key.saturating_sub(WINDOW as i64 / 4);
        base.min(i64::MAX - (WINDOW as i64 - 1)) & !63
    }

    pub(crate) fn base(&self) -> i64 {
        self.base
    }

    /// The highest key of the window.
    pub(crate) fn last(&self) -> i64 {
        self.base + (WINDOW as i64 - 1)
    }

    /// Only while nothing stands outside the new window.
    pub(crate) fn set_base(&mut self, base: i64) {
        self.base = base;
    }

    /// Where a key is in the window; `WINDOW` or more for one outside.
    pub(crate) fn offset(&self, key: i64) -> u64 {
        key.wrapping_sub(self.base) as u64
    }

    pub(crate) fn holds(&self, key: i64) -> bool {
        self.offset(key) < WINDOW as u64
    }

    pub(crate) fn get(&self, key: i64) -> i64 {
        let slot = slot(key);
        self.qty.get(usize::from(self.places[slot / SLOTS])).map_or(0, |quantities| quantities[slot % SLOTS])
    }

    /// Sets a key of a word whose quantities have no place yet.
    #[cold]
    #[inline(never)]
    fn set_first(&mut self, key: i64, qty: i64) {
        if qty != 0 {
            self.places[slot(key) / SLOTS] = self.qty.len() as u16;
            self.qty.push([0; SLOTS]);
            self.set(key, qty);
        }
    }

    /// Sets a key of the window.
    #[inline]
    pub(crate) fn set(&mut self, key: i64, qty: i64) {
        let (at, bit) = (slot(key) / SLOTS, slot(key) % SLOTS);
        let Some(quantities) = self.qty.get_mut(usize::from(self.places[at])) else {
            return self.set_first(key, qty);
        };
        quantities[bit] = qty;
        // Without a branch: whether a level comes, goes or stays can't be foreseen.
        let was = self.words[at];
        let word = was & !(1 << bit) | u64::from(qty != 0) << bit;
        self.words[at] = word;
        // That it is the first or the last of its word is seldom.
        if was == 0 || word == 0 {
            let summary = &mut self.summary[at / 64];
            *summary = *summary & !(1 << (at % 64)) | u64::from(word != 0) << (at % 64);
        }
    }

    /// The lowest level at or above a key of the window.
    pub(crate) fn first_from(&self, key: i64) -> Option<Level> {
        let word = slot(key) / SLOTS;
        let used = self.words[word] & (!0 << (slot(key) % SLOTS));
        let found = if used == 0 { self.first_word_after(word)? } else { word };
        let used = if used == 0 { self.words[found] } else { used };
        // The window begins with a whole word, so words lie in it one behind the other, around the ring.
        let words_on = found.wrapping_sub(slot(self.base) / SLOTS) % WORDS;
        let price = self.base + (words_on * SLOTS) as i64 + i64::from(used.trailing_zeros());
        Some(Level { price, qty: self.get(price) })
    }

    /// The next word in use behind `word`, up to the window's end.
    fn first_word_after(&self, word: usize) -> Option<usize> {
        let begin = slot(self.base) / SLOTS;
        if word >= begin {
            return self.first_word(word + 1, WORDS).or_else(|| self.first_word(0, begin));
        }
        self.first_word(word + 1, begin)
    }

    /// The first word in use of `from..to`.
    fn first_word(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from / 64;
        let mut bits = self.summary.get(at)? & (!0 << (from % 64));
        while bits == 0 {
            at += 1;
            bits = *self.summary.get(at)?;
        }
        let found = at * 64 + bits.trailing_zeros() as usize;
        (found < to).then_some(found)
    }

    /// From the lowest key up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Level> {
        let mut next = self.first_from(self.base);
        std::iter::from_fn(move || {
            let level = next?;
            next = if level.price == self.last() { None } else { self.first_from(level.price + 1) };
            Some(level)
        })
    }

    /// Removes what there is, at the cost of that.
    pub(crate) fn clear(&mut self) {
        for (at, summary) in self.summary.iter_mut().enumerate() {
            while *summary != 0 {
                let word = at * 64 + summary.trailing_zeros() as usize;
                *summary &= *summary - 1;
                self.words[word] = 0;
                self.qty[usize::from(self.places[word])] = [0; SLOTS];
            }
        }
    }
}
