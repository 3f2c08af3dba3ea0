//! What may happen to a text on its way.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub enum Damage {
    Flip(usize, u8),
    Cut(usize, usize),
    Insert(usize, Vec<u8>),
    /// A piece of the text again, somewhere else: mostly still JSON.
    Copy(usize, usize, usize),
    /// A digit becomes another one: still JSON, and what it says is wrong.
    Digit(usize, u8),
}

/// A damage to a text of about this length.
pub fn damage(length: usize) -> impl Strategy<Value = Damage> {
    let (at, piece) = (0..length, 1usize..400);
    prop_oneof![
        (at.clone(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (at.clone(), piece.clone()).prop_map(|(at, length)| Damage::Cut(at, length)),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at.clone(), piece, at.clone()).prop_map(|(from, length, to)| Damage::Copy(from, length, to)),
        (at, 0u8..10).prop_map(|(at, digit)| Damage::Digit(at, digit)),
    ]
}

pub fn damaged(text: &[u8], damages: Vec<Damage>, end: usize) -> Vec<u8> {
    let mut text = text.to_vec();
    for damage in damages {
        let within = |at: usize| at.min(text.len());
        match damage {
            Damage::Flip(at, bits) => text.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits),
            Damage::Cut(at, length) => drop(text.drain(within(at)..within(at + length))),
            Damage::Insert(at, bytes) => drop(text.splice(within(at)..within(at), bytes)),
            Damage::Copy(from, length, to) => {
                let piece = text[within(from)..within(from + length)].to_vec();
                drop(text.splice(within(to)..within(to), piece));
            }
            Damage::Digit(at, digit) => {
                text.iter_mut()
                    .skip(at)
                    .find(|byte| byte.is_ascii_digit())
                    .into_iter()
                    .for_each(|found| *found = b'0' + digit);
            }
        }
    }
    text.truncate(end);
    text
}
