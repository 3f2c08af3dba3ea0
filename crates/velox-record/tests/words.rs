//! Words and records are the same thing, and words that no record is are refused.
use proptest::prelude::*;
use velox_record::{BUNDLE_CAPACITY, Bundle, EventKind, MarketEvent, Record, Trade, Transaction};

fn transaction() -> impl Strategy<Value = Transaction> {
    (any::<u64>(), any::<i64>(), any::<u32>(), 0u8..2, any::<u16>(), any::<u64>()).prop_map(
        |(id, price, size, side, instrument, ts)| {
            Transaction::new(id, price, size, side, ts).with_instrument(instrument)
        },
    )
}

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let mut words = vec![u64::MAX; R::WORDS];
    record.to_words(&mut words);
    assert_eq!(&R::from_words(&words).unwrap(), record);
}

proptest! {
    #[test]
    fn a_transaction_survives(t in transaction()) {
        round_trip(&t);
    }

    #[test]
    fn a_bundle_survives(ts in prop::collection::vec(transaction(), 0..=BUNDLE_CAPACITY), at in any::<u64>()) {
        let mut bundle = Bundle::new();
        for t in ts {
            bundle.push(t).unwrap();
        }
        bundle.close(at);
        round_trip(&bundle);
    }

    #[test]
    fn a_market_event_and_a_trade_survive(
        kind in 0u8..4, instrument in any::<u16>(), side in 0u8..2, flags in any::<u8>(),
        price in any::<i64>(), qty in any::<i64>(), sequence in any::<u64>(), exchange_ts in any::<u64>(),
        receive_ts in any::<u64>(),
    ) {
        let kind = EventKind(kind);
        round_trip(&MarketEvent { kind, instrument, side, flags, price, qty, sequence, exchange_ts, receive_ts });
        round_trip(&Trade { id: sequence, instrument, side, price, qty, exchange_ts, receive_ts });
    }

    #[test]
    fn any_words_are_a_record_or_an_error(words in prop::collection::vec(any::<u64>(), Bundle::WORDS)) {
        let _ = Transaction::from_words(&words);
        let _ = MarketEvent::from_words(&words);
        let _ = Trade::from_words(&words);
        if let Ok(bundle) = Bundle::from_words(&words) {
            prop_assert!(bundle.active_transactions().len() <= BUNDLE_CAPACITY);
        }
    }
}

#[test]
fn a_bundle_that_claims_seventeen_is_an_error() {
    let mut words = [0u64; Bundle::WORDS];
    words[64] = 17;
    let error = Bundle::from_words(&words).unwrap_err();
    assert_eq!(error.to_string(), "Bundle.count: expected 0 to 16, got 17");
}

#[test]
fn a_seventeenth_transaction_comes_back() {
    let mut bundle = Bundle::new();
    for id in 0..16 {
        bundle.push(Transaction::new(id, 1, 1, 0, 0)).unwrap();
    }
    assert_eq!(bundle.push(Transaction::new(16, 1, 1, 0, 0)).unwrap_err().id, 16);
    assert_eq!(bundle.len(), 16);
}
