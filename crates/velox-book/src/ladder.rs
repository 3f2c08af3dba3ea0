//! A window of consecutive keys with a quantity each, and a bitmap of two levels that finds the next one in use.
//!
//! The slots are a ring: a key keeps its slot when the window moves, so a move touches only what enters or leaves. They come in
//! pages, laid out as they are first used: to zero half a megabyte a side would cost a new book more than its snapshot, and
//! the room is there from the beginning, so that a first use allocates nothing.

use crate::Level;

/// Keys in the window: 65,536.
pub(crate) const WINDOW: usize = 1 << 16;
const WORDS: usize = WINDOW / 64;
/// Slots of a page: 4 kB.
const PAGE: usize = 512;

#[derive(Debug)]
pub(crate) struct Ladder {
    /// The lowest key of the window, a multiple of 64, at most `i64::MAX - (WINDOW - 1)`.
    base: i64,
    /// Bit `i` of word `w`: slot `64 w + i` is not 0.
    words: [u64; WORDS],
    /// Bit `i` of word `w`: word `64 w + i` of `words` is not 0.
    summary: [u64; WORDS / 64],
    /// By page of slots: its page in `qty`. 0 where none was used: that page stays empty.
    pages: [u8; WINDOW / PAGE],
    /// Up to one page more than the window's, of which no more is allocated.
    qty: Vec<i64>,
}

const fn slot(key: i64) -> usize {
    key as usize % WINDOW
}

impl Ladder {
    pub(crate) fn new() -> Self {
        let mut qty = Vec::with_capacity(WINDOW + PAGE);
        qty.resize(PAGE, 0);
        Self { base: 0, words: [0; WORDS], summary: [0; WORDS / 64], pages: [0; WINDOW / PAGE], qty }
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
        self.qty[self.place(slot(key))]
    }

    /// Where the quantity of a slot is.
    fn place(&self, slot: usize) -> usize {
        usize::from(self.pages[slot / PAGE]) * PAGE + slot % PAGE
    }

    /// Lays out the page of a slot.
    #[cold]
    #[inline(never)]
    fn lay_out(&mut self, slot: usize) {
        self.pages[slot / PAGE] = (self.qty.len() / PAGE) as u8;
        self.qty.resize(self.qty.len() + PAGE, 0);
    }

    /// Sets a key of the window and gives what it was.
    #[inline]
    pub(crate) fn set(&mut self, key: i64, qty: i64) -> i64 {
        let slot = slot(key);
        if self.pages[slot / PAGE] == 0 {
            if qty == 0 {
                return 0;
            }
            self.lay_out(slot);
        }
        let place = self.place(slot);
        let old = std::mem::replace(&mut self.qty[place], qty);
        // Without a branch: whether a level comes, goes or stays can't be foreseen.
        let (at, bit) = (slot / 64, slot % 64);
        let word = self.words[at] & !(1 << bit) | u64::from(qty != 0) << bit;
        self.words[at] = word;
        let summary = &mut self.summary[at / 64];
        *summary = *summary & !(1 << (at % 64)) | u64::from(word != 0) << (at % 64);
        old
    }

    /// The lowest level at or above a key of the window.
    pub(crate) fn first_from(&self, key: i64) -> Option<Level> {
        let word = slot(key) / 64;
        let bits = self.words[word] & (!0 << (slot(key) % 64));
        let found = if bits == 0 { self.first_word_after(word)? } else { word };
        let bits = if bits == 0 { self.words[found] } else { bits };
        // The window begins with a whole word, so words lie in it one behind the other, around the ring.
        let words_on = found.wrapping_sub(slot(self.base) / 64) % WORDS;
        let price = self.base + (words_on * 64) as i64 + i64::from(bits.trailing_zeros());
        Some(Level { price, qty: self.get(price) })
    }

    /// The next word in use behind `word`, up to the window's end.
    fn first_word_after(&self, word: usize) -> Option<usize> {
        let begin = slot(self.base) / 64;
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
        for at in 0..self.summary.len() {
            while self.summary[at] != 0 {
                let word = at * 64 + self.summary[at].trailing_zeros() as usize;
                self.summary[at] &= self.summary[at] - 1;
                while self.words[word] != 0 {
                    let place = self.place(word * 64 + self.words[word].trailing_zeros() as usize);
                    self.qty[place] = 0;
                    self.words[word] &= self.words[word] - 1;
                }
            }
        }
    }
}
