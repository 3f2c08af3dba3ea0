//! Drives a stage by hand, with batches cut as a test likes.

use proptest::prelude::*;
use velox_expr::{Expr, Plan, Scales};
use velox_record::Trade;

use crate::pipeline::{BATCH, Batch, Flow, Input, Stage, Tally};

/// A record and its stamp.
pub(crate) type Stamped<T> = (T, <T as Flow>::Stamp);

/// What a stage gave, in order, and its account at the end.
pub(crate) struct End<S: Stage> {
    pub given: Vec<Stamped<S::Out>>,
    pub tally: Tally,
    pub stage: S,
}

/// One turn: how many records come, and how many of its output are taken away after it.
pub(crate) type Cut = (usize, usize);

/// Turns of all kinds: nothing comes, nothing is taken away, whole batches.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let size = || prop_oneof![Just(0), Just(BATCH), 0..8usize, 0..=BATCH];
    prop::collection::vec((size(), size()), 0..24)
}

/// Trades with these ids and receive times, each arriving at its place in the order.
pub(crate) fn trades(of: impl IntoIterator<Item = (u64, u64)>) -> Vec<Stamped<Trade>> {
    let trade = |(id, receive_ts)| Trade { id, receive_ts, ..Trade::default() };
    of.into_iter().map(trade).zip(0..).collect()
}

/// A plan of trades.
pub(crate) fn plan(json: &str) -> Plan<Trade> {
    let expr: Expr = serde_json::from_str(json).unwrap();
    Plan::new(&expr, &Scales::default(), 0).unwrap()
}

/// The id of a trade.
pub(crate) const ID: &str = r#"{"op":"column","name":"id"}"#;

/// Runs all records through, by the cuts and then as fast as it goes, and ends it as a thread does. The accounts are
/// checked after each turn.
pub(crate) fn drive<S: Stage>(mut stage: S, records: &[Stamped<S::In>], cuts: &[Cut]) -> End<S> {
    let (input, output) = (Batch::<S::In>::shared(), Batch::<S::Out>::shared());
    let (mut input, mut output) = (input.borrow_mut(), output.borrow_mut());
    let (mut tally, mut given, mut taken, mut rest) = (Tally::default(), Vec::new(), 0, records);
    let mut cuts = cuts.iter().copied();
    loop {
        let left = rest.len() + input.len();
        let (come, leave) = cuts.next().unwrap_or((BATCH, BATCH));
        let (now, later) = rest.split_at(come.min(input.room()).min(rest.len()));
        rest = later;
        for (record, stamp) in now {
            input.push(*record, *stamp);
        }
        let mut turn = Input::new(&mut input);
        stage.poll(&mut turn, &mut output, &mut tally).unwrap();
        taken += turn.settle() as u64;
        assert_eq!(taken, tally.accounted(), "in = consumed + filtered + conflated + errors + held");
        let ended = left == 0 && stage.finish(&mut output, &mut tally).unwrap();
        let mut turn = Input::new(&mut output);
        given.extend((0..leave).map_while(|_| turn.next()));
        turn.settle();
        if ended && output.is_empty() {
            assert_eq!((taken, tally.held), (tally.accounted(), 0), "a stage that ended holds nothing");
            return End { given, tally, stage };
        }
    }
}
