//! Lengths as the wire has them ("compact-u16"): seven bits a byte, the lowest first.
//!
//! Source: <https://solana.com/docs/core/transactions>.

/// Bytes, read from front to back.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..count)?;
        self.at += count;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A length in as few bytes as it needs; none for any other spelling, which the network refuses.
    pub(crate) fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for i in 0..3 {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || i == 0;
                return (is_shortest && u16::try_from(length).is_ok()).then_some(length);
            }
        }
        None
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at.min(self.bytes.len())..]
    }
}

/// How many bytes a length takes.
pub(crate) const fn length_bytes(length: usize) -> usize {
    match length {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        _ => 3,
    }
}

/// Writes a length of at most 65,535.
pub(crate) fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_takes_what_is_said() {
        for length in 0..=usize::from(u16::MAX) {
            let mut bytes = Vec::new();
            write_length(&mut bytes, length);
            assert_eq!(bytes.len(), length_bytes(length));
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.length(), reader.rest().len()), (Some(length), 0));
        }
    }

    #[test]
    fn a_length_that_is_longer_than_it_needs_to_be_is_none() {
        for bytes in [&[0x80, 0][..], &[0xff, 0x80, 0], &[0xff, 0xff, 0x04], &[0xff, 0xff, 0x83], &[0x80], &[]] {
            assert_eq!(Reader::new(bytes).length(), None, "{bytes:x?}");
        }
    }
}
