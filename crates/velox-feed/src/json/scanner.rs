//! Eight bytes of a message at a time: digits and plain texts.

use velox_record::Step;

/// The longest decimal that is read: so many digits fit 64 bits.
pub(super) const LONGEST: usize = 18;

/// Powers of ten.
const POWERS: [u64; LONGEST + 1] = {
    let mut powers = [1; LONGEST + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// A decimal of a message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Digits {
    /// Without its point.
    pub(super) value: u64,
    /// Where it stands.
    pub(super) start: u32,
    /// Range: 1 ..= 18; 0 for none.
    pub(super) length: u8,
    /// Digits behind the point.
    pub(super) decimals: u8,
}

impl Digits {
    #[inline]
    pub(super) fn written(self, message: &[u8]) -> Option<Written<'_>> {
        let start = self.start as usize;
        let text = message.get(start..start + usize::from(self.length)).filter(|text| !text.is_empty())?;
        Some(Written { text, digits: Some((self.value, u32::from(self.decimals))) })
    }
}

/// A decimal as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'d> {
    pub(crate) text: &'d [u8],
    /// Its digits as a number, and how many are behind the point, where that is known already.
    digits: Option<(u64, u32)>,
}

impl<'d> Written<'d> {
    pub(crate) fn of(text: &'d [u8]) -> Self {
        Self { text, digits: None }
    }

    /// What stands before its point and behind it.
    #[inline]
    pub(crate) fn parts(self) -> (&'d [u8], &'d [u8]) {
        let point = match self.digits {
            Some((_, decimals @ 1..)) => self.text.len().checked_sub(decimals as usize + 1),
            _ => self.text.iter().position(|&byte| byte == b'.'),
        };
        let point = point.unwrap_or(self.text.len());
        (&self.text[..point], self.text.get(point + 1..).unwrap_or_default())
    }

    /// How many steps it is; `None` where that has to be looked at digit by digit.
    #[inline]
    pub(crate) fn scaled(self, step: Step) -> Option<i64> {
        self.digits.and_then(|(value, decimals)| step.scale(value, decimals))
    }
}

/// A walk over a message.
pub(super) struct Scanner<'m> {
    pub(super) message: &'m [u8],
    pub(super) at: usize,
}

impl Scanner<'_> {
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.message.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        let found = self.message.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        (found == literal).then_some(())
    }

    /// Digits, with a point at most, as [`Step::count`] takes them.
    #[inline]
    pub(super) fn digits(&mut self) -> Option<Digits> {
        let start = self.at;
        let (whole, before) = self.row()?;
        let (mut value, mut behind, mut point) = (whole, 0, 0);
        if self.peek()? == b'.' {
            self.at += 1;
            point = 1;
            let fraction;
            (fraction, behind) = self.row()?;
            value = whole.wrapping_mul(*POWERS.get(behind)?).wrapping_add(fraction);
        }
        let length = before + point + behind;
        let fits = length <= LONGEST && length > point;
        fits.then_some(Digits { value, start: start as u32, length: length as u8, decimals: behind as u8 })
    }

    /// Digits without a point, none to 18 of them: the number, and how many they are.
    #[inline]
    pub(super) fn row(&mut self) -> Option<(u64, usize)> {
        let (mut value, mut length) = (0u64, 0);
        while length <= LONGEST {
            let rest = self.message.get(self.at..)?;
            // The last bytes of a message are as good with zero bytes behind them, which are no digits.
            let chunk = rest.first_chunk().copied().unwrap_or_else(|| padded(rest));
            let (number, found) = leading_digits(chunk);
            value = value.wrapping_mul(POWERS[found]).wrapping_add(number);
            length += found;
            self.at += found;
            if found < chunk.len() {
                return Some((value, length));
            }
        }
        None
    }

    /// A text of ASCII without escapes, behind its first quote, and the quote behind it: where it ends.
    #[inline]
    pub(super) fn text(&mut self) -> Option<usize> {
        loop {
            let rest = self.message.get(self.at..)?;
            // As above: zero bytes are no text either.
            let chunk = rest.first_chunk().copied().unwrap_or_else(|| padded(rest));
            let plain = plain_bytes(chunk);
            self.at += plain;
            if plain < chunk.len() {
                let end = self.at;
                self.at += 1;
                return (chunk[plain] == b'"').then_some(end);
            }
        }
    }
}

/// The last bytes of a message, with zero bytes behind them.
#[cold]
fn padded(rest: &[u8]) -> [u8; 8] {
    let mut chunk = [0; 8];
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES * 0x80;

/// How many of eight bytes stand before the first one that isn't plain: a quote, a backslash, a control character or no ASCII.
///
/// Source: Sean Eron Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
#[inline]
fn plain_bytes(chunk: [u8; 8]) -> usize {
    let bytes = u64::from_le_bytes(chunk);
    // The high bit of the lowest byte below `n`; what it borrows from those above doesn't matter.
    let below = |bytes: u64, n: u8| bytes.wrapping_sub(ONES * u64::from(n)) & !bytes;
    let is = |byte: u8| below(bytes ^ (ONES * u64::from(byte)), 1);
    let others = (below(bytes, b' ') | is(b'"') | is(b'\\') | bytes) & HIGH_BITS;
    others.trailing_zeros() as usize / 8
}

/// The digits at the front of eight bytes: their number, and how many they are. All eight at a time: a byte of a `u64` stands
/// for each, the first one lowest.
///
/// Source: Daniel Lemire, "Quickly parsing eight digits", <https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/>.
#[inline]
fn leading_digits(chunk: [u8; 8]) -> (u64, usize) {
    const EVERY_FOURTH: u64 = 0xff_0000_00ff;
    let digits = u64::from_le_bytes(chunk) ^ (ONES * u64::from(b'0'));
    // The high bit of the lowest byte over 9; what it carries into those above doesn't matter.
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & HIGH_BITS;
    let found = others.trailing_zeros() as usize / 8;
    // Zeros in front take the places of what is no digit.
    let digits = digits.checked_shl(64 - 8 * found as u32).unwrap_or(0);
    // Pairs, then all four of them: 10^6, 10^4, 100 and 1 times.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let odd = (pairs & EVERY_FOURTH).wrapping_mul(100 + (1_000_000 << 32));
    let even = (pairs >> 16 & EVERY_FOURTH).wrapping_mul(1 + (10_000 << 32));
    (odd.wrapping_add(even) >> 32, found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_the_number_that_they_spell(text in "[0-9]{0,20}[.]?[0-9]{0,20}", behind in "\"[ -~]{0,9}") {
            let message = format!("{text}{behind}");
            let mut scanner = Scanner { message: message.as_bytes(), at: 0 };
            let digits = scanner.digits().map(|digits| (digits.value, digits.decimals, digits.length, scanner.at));
            let decimals = text.find('.').map_or(0, |point| text.len() - point - 1);
            let value = text.replace('.', "").parse().ok().filter(|_| text.len() <= LONGEST);
            let expected: Option<(u64, u8, u8, usize)> =
                value.map(|value| (value, decimals as u8, text.len() as u8, text.len()));
            prop_assert_eq!(digits, expected);
        }

        #[test]
        fn a_text_ends_at_its_quote_or_is_not_plain(message in prop::collection::vec(prop_oneof![4 => b' '..=0x7f, 1 => any::<u8>()], 0..40)) {
            let mut scanner = Scanner { message: &message, at: 0 };
            let is_plain = |byte: u8| matches!(byte, b' '..=0x7f) && byte != b'"' && byte != b'\\';
            let end = message.iter().position(|&byte| !is_plain(byte)).filter(|&end| message[end] == b'"');
            prop_assert_eq!(scanner.text(), end);
            prop_assert!(end.is_none_or(|end| scanner.at == end + 1));
        }
    }
}
