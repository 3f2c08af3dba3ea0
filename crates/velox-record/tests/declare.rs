//! A declared record has the bytes that a record written by hand has.
use std::mem::{align_of, size_of};

use proptest::prelude::*;
use velox_record::{Record, Trade, Transaction, record};

/// `Trade` and `Transaction` once more, declared.
mod declared {
    use velox_record::record;

    record! {
        #[derive(Debug, PartialEq)]
        pub struct Trade {
            pub id: u64,
            pub instrument: u16,
            pub side: u8,
            pub price: i64,
            pub qty: i64,
            pub exchange_ts: u64,
            pub receive_ts: u64,
        }
    }

    record! {
        #[derive(Debug, PartialEq)]
        pub struct Transaction {
            pub id: u64,
            pub price: i64,
            pub size: u32,
            pub side: u8,
            pub instrument: u16,
            pub ingress_ts_ns: u64,
        }
    }
}

record! {
    #[derive(Debug, PartialEq)]
    struct Mixed {
        flag: bool,
        a: i8,
        b: i16,
        c: i32,
        ratio: f64,
        d: u8,
        e: u32,
        last: bool,
        half: f32,
    }
}

fn words<R: Record>(record: &R) -> Vec<u64> {
    let mut words = vec![u64::MAX; R::WORDS];
    record.to_words(&mut words);
    words
}

#[test]
fn the_layouts_are_the_same() {
    assert_eq!((declared::Trade::NAME, declared::Trade::WORDS), (Trade::NAME, Trade::WORDS));
    assert_eq!(declared::Trade::FIELDS, Trade::FIELDS);
    assert_eq!((declared::Transaction::NAME, declared::Transaction::WORDS), (Transaction::NAME, Transaction::WORDS));
    assert_eq!(declared::Transaction::FIELDS, Transaction::FIELDS);
}

#[test]
fn a_record_is_whole_words_long() {
    record! {
        struct Small { a: u8 }
    }
    assert_eq!((size_of::<Small>(), align_of::<Small>(), Small::WORDS), (8, 8, 1));
    assert_eq!((words(&Small { a: 3 }), Small::from_words(&[0x1_ff]).unwrap().a), (vec![3], 255));
    assert_eq!(Mixed::FIELDS.last(), Some(&("half", 28)));
}

#[test]
fn a_truth_value_of_two_is_an_error_by_the_field() {
    let mut mixed = words(&Mixed { flag: true, a: 0, b: 0, c: 0, ratio: 0.0, d: 0, e: 0, last: true, half: 0.0 });
    assert!(Mixed::from_words(&mixed).unwrap().last);
    mixed[3] = 2;
    let error = Mixed::from_words(&mixed).unwrap_err();
    assert_eq!(error.to_string(), "Mixed.last: expected 0 (false) or 1 (true), got 2");
}

proptest! {
    #[test]
    fn the_bytes_are_the_same(
        (id, instrument, side, price) in (any::<u64>(), any::<u16>(), 0u8..2, any::<i64>()),
        (qty, size, exchange_ts, receive_ts) in (any::<i64>(), any::<u32>(), any::<u64>(), any::<u64>()),
    ) {
        let trade = declared::Trade { id, instrument, side, price, qty, exchange_ts, receive_ts };
        prop_assert_eq!(words(&trade), words(&Trade { id, instrument, side, price, qty, exchange_ts, receive_ts }));
        prop_assert_eq!(declared::Trade::from_words(&words(&trade)).unwrap(), trade);

        let transaction = declared::Transaction { id, price, size, side, instrument, ingress_ts_ns: receive_ts };
        let by_hand = Transaction::new(id, price, size, side, receive_ts).with_instrument(instrument);
        prop_assert_eq!(words(&transaction), words(&by_hand));
        prop_assert_eq!(declared::Transaction::from_words(&words(&by_hand)).unwrap(), transaction);
    }

    #[test]
    fn signs_and_gaps_survive(
        (flag, a, b, c) in (any::<bool>(), any::<i8>(), any::<i16>(), any::<i32>()),
        (ratio, d, e, last, half) in (any::<f64>(), any::<u8>(), any::<u32>(), any::<bool>(), any::<f32>()),
    ) {
        let mixed = Mixed { flag, a, b, c, ratio, d, e, last, half };
        let words = words(&mixed);
        prop_assert_eq!(words[2] >> 8 & 0xff_ffff, 0, "the gap behind `d`");
        prop_assert_eq!(Mixed::from_words(&words).unwrap(), mixed);
    }
}
