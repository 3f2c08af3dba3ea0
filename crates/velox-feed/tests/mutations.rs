//! Real lines, damaged: every outcome is events or an error that says where.

mod common;

use std::io::Cursor;

use common::damage::{damage, damaged};
use common::{FIXTURE, drain};
use proptest::prelude::*;
use velox_feed::{FeedError, Replay, ReplayOptions};
use velox_record::EventKind;

fn check(text: Vec<u8>) -> Result<(), TestCaseError> {
    let lines = text.split(|&byte| byte == b'\n').count() as u64;
    let mut replay = match Replay::from_reader("damaged", Cursor::new(text), ReplayOptions::default()) {
        Ok(replay) => replay,
        Err(error) => {
            prop_assert!(!error.code().is_empty());
            return Ok(());
        }
    };
    for message in drain(&mut replay) {
        match message {
            Ok((_, events)) => {
                for event in events {
                    prop_assert!(event.instrument > 0 && event.side <= 1 && event.price >= 0 && event.qty >= 0);
                    prop_assert!((event.kind != EventKind::LEVEL) || event.price > 0 || event.flags != 0);
                }
            }
            Err(FeedError::Corrupt { line, expected, got, .. }) => {
                prop_assert!((1..=lines).contains(&line) && !expected.is_empty() && got.chars().count() <= 80);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn damaged_lines_give_events_or_errors_that_say_where(
        damages in prop::collection::vec(damage(FIXTURE.len()), 1..40),
        end in prop_oneof![3 => Just(usize::MAX), 1 => 0..FIXTURE.len()],
    ) {
        check(damaged(FIXTURE.as_bytes(), damages, end))?;
    }

    #[test]
    fn bytes_that_were_never_a_file_are_refused(text in prop::collection::vec(any::<u8>(), 0..300)) {
        check(text)?;
    }
}

#[test]
fn one_digit_wrong_in_a_sequence_is_noticed() {
    let whole = common::events(FIXTURE);
    assert!(whole.iter().all(|event| event.kind != EventKind::STATUS));
    let live = FIXTURE.find("lastUpdateId").unwrap();
    let mut tried = 0;
    for (at, key) in FIXTURE.match_indices("\"pu\":").filter(|(at, _)| *at > live) {
        let digit = at + key.len() + 12;
        let mut text = FIXTURE.as_bytes().to_vec();
        text[digit] = b'0' + (text[digit] - b'0' + 1) % 10;
        assert!(common::events(text).iter().any(|event| event.kind == EventKind::STATUS), "at {at}");
        tried += 1;
    }
    assert!(tried >= 3);
}
