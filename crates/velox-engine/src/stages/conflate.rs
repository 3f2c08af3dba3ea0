use std::collections::VecDeque;

use velox_expr::{ExprError, Plan};

use super::key::{DEFAULT_MAX_KEYS, Key};
use super::key_map::KeyMap;
use crate::pipeline::{Batch, EngineError, Flow, Input, Notes, Pipeline, Stage, Tally};

/// How many keys [`Conflate`] holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflateOptions {
    /// How many keys may wait at once: 1 ..= 2^20. Each takes a record, its stamp and 40 to 72 bytes, made up front.
    pub max_keys: usize,
}

impl Default for ConflateOptions {
    fn default() -> Self {
        Self { max_keys: DEFAULT_MAX_KEYS }
    }
}

/// Gives on the latest record of each key when what comes behind it lags.
///
/// While its output has room each record passes at once. Else it waits, and a later record of its key takes its place,
/// with that later record's arrival; the earlier one counts as conflated. What waits goes on in the order in which its
/// key began to wait. Only where `max_keys` keys wait and another comes does the stage take nothing more until there is
/// room again, so nothing is lost. A record without a key is an error of that record.
pub struct Conflate<T: Flow> {
    key: Key<T>,
    max_keys: usize,
    waiting: VecDeque<Waiting<T>>,
    /// The number of each waiting key's record.
    places: KeyMap<u32>,
    /// The number of the first that waits, wrapping; those behind it count on.
    first: u32,
}

struct Waiting<T: Flow> {
    key: u64,
    record: T,
    stamp: T::Stamp,
}

impl<T: Flow> Conflate<T> {
    /// Conflates by the value of `key`. Allocates its memory here.
    ///
    /// # Errors
    /// [`ExprError`]: a key of floats, more or fewer keys than can be.
    ///
    /// ```
    /// use velox_engine::{Trade, expr::{Expr, Plan, Scales}, stages::{Conflate, ConflateOptions}};
    ///
    /// let instrument = Plan::<Trade>::new(&Expr::Column { name: "instrument".into() }, &Scales::default(), 0)?;
    /// let stage = Conflate::new(instrument, ConflateOptions::default())?;
    /// # Ok::<(), velox_engine::expr::ExprError>(())
    /// ```
    pub fn new(key: Plan<T>, options: ConflateOptions) -> Result<Self, ExprError> {
        let ConflateOptions { max_keys } = options;
        let key = Key::new("conflate", key, max_keys)?;
        let (waiting, places) = (VecDeque::with_capacity(max_keys), KeyMap::new(max_keys));
        Ok(Self { key, max_keys, waiting, places, first: 0 })
    }

    fn give(&mut self, out: &mut Batch<T>, tally: &mut Tally) {
        while out.room() > 0 {
            let Some(Waiting { key, record, stamp }) = self.waiting.pop_front() else { break };
            self.places.remove(key);
            self.first = self.first.wrapping_add(1);
            out.push(record, stamp);
            tally.held -= 1;
            tally.consumed += 1;
        }
    }

    /// The record of this key that waits.
    fn find(&mut self, key: u64) -> Option<&mut Waiting<T>> {
        let place = self.places.get(key)?;
        self.waiting.get_mut(place.wrapping_sub(self.first) as usize)
    }

    fn hold(&mut self, waiting: Waiting<T>) {
        self.places.insert(waiting.key, self.first.wrapping_add(self.waiting.len() as u32));
        self.waiting.push_back(waiting);
    }
}

impl<T: Flow> Stage for Conflate<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        self.give(out, tally);
        while let Some(key) = self.key.peek(input.records()) {
            let is_full = self.waiting.len() == self.max_keys;
            match key {
                Ok(key) if is_full && self.find(key).is_none() => break,
                _ => self.key.take(),
            }
            let Some((record, stamp)) = input.next() else { break };
            match key {
                Err(none) => tally.refuse(|| none.to_string()),
                // Whatever waited has gone where there is room.
                Ok(_) if out.room() > 0 => {
                    out.push(record, stamp);
                    tally.consumed += 1;
                }
                Ok(key) => {
                    if let Some(waiting) = self.find(key) {
                        *waiting = Waiting { key, record, stamp };
                        tally.conflated += 1;
                    } else {
                        self.hold(Waiting { key, record, stamp });
                        tally.held += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Batch<T>, tally: &mut Tally) -> Result<bool, EngineError> {
        self.give(out, tally);
        Ok(self.waiting.is_empty())
    }

    fn notes(&mut self) -> Notes {
        Notes {
            non_deterministic: Some("what is conflated goes by how far its consumer lags".into()),
            ..Notes::default()
        }
    }
}

impl<T: Flow> Pipeline<T> {
    /// Goes on with the latest record of each key where what comes behind lags, with every record where it keeps up.
    ///
    /// # Errors
    /// As [`Conflate::new`].
    pub fn conflate(self, name: &str, key: Plan<T>, options: ConflateOptions) -> Result<Self, ExprError> {
        Ok(self.stage(name, Conflate::new(key, options)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use velox_record::Trade;

    use super::*;
    use crate::pipeline::BATCH;
    use crate::stages::harness::{Cut, ID, Stamped, cuts, drive, plan, trades};

    fn conflate(max_keys: usize) -> Conflate<Trade> {
        Conflate::new(plan(ID), ConflateOptions { max_keys }).unwrap()
    }

    /// The same turns with plain lists; gives what leaves, and how many are conflated.
    fn model(records: &[Stamped<Trade>], cuts: &[Cut], max_keys: usize) -> (Vec<Stamped<Trade>>, u64) {
        let (mut come, mut queue, mut input) = (records.iter().copied(), Vec::<Stamped<Trade>>::new(), Vec::new());
        let (mut out, mut given, mut conflated) = (Vec::<Stamped<Trade>>::new(), vec![], 0);
        // How many records the two batches hold, those that were taken out of them since they were empty too.
        let (mut in_used, mut out_used) = (0, 0);
        let mut cuts = cuts.iter().copied();
        while given.len() + (conflated as usize) < records.len() {
            let (n, leave) = cuts.next().unwrap_or((BATCH, BATCH));
            let came: Vec<_> = come.by_ref().take(n.min(BATCH - in_used)).collect();
            in_used += came.len();
            input.extend(came);
            while out_used < BATCH && !queue.is_empty() {
                out.push(queue.remove(0));
                out_used += 1;
            }
            while let Some(&record) = input.first() {
                if out_used < BATCH {
                    out.push(record);
                    out_used += 1;
                } else if let Some(waiting) = queue.iter_mut().find(|(trade, _)| trade.id == record.0.id) {
                    *waiting = record;
                    conflated += 1;
                } else if queue.len() < max_keys {
                    queue.push(record);
                } else {
                    break;
                }
                input.remove(0);
            }
            if input.is_empty() {
                in_used = 0;
            }
            given.extend(out.drain(..leave.min(out.len())));
            if out.is_empty() {
                out_used = 0;
            }
        }
        (given, conflated)
    }

    proptest! {
        #[test]
        fn what_leaves_is_what_the_model_lets_leave(
            keys in prop::collection::vec(any::<u64>(), 0..2_500),
            different in prop_oneof![1u64..40, 300u64..1_000],
            max_keys in prop_oneof![1usize..50, 1usize..1_000],
            cuts in cuts(),
        ) {
            let records = trades(keys.into_iter().map(|key| key % different).zip(0..));
            let end = drive(conflate(max_keys), &records, &cuts);
            let (given, conflated) = model(&records, &cuts, max_keys);
            prop_assert_eq!((end.tally.consumed, end.tally.conflated), (given.len() as u64, conflated));
            prop_assert_eq!(end.given, given);
        }
    }

    #[test]
    fn the_latest_waits_in_the_place_of_the_first_with_its_own_stamp() {
        let fill = (0..BATCH as u64).map(|i| (1_000 + i, 0));
        let records = trades(fill.chain([(1, 10), (2, 20), (1, 30), (3, 40), (1, 50)]));
        let end = drive(conflate(10), &records, &[(BATCH, 0), (BATCH, 0)]);
        let last: Vec<_> = end.given[BATCH..].iter().map(|(t, stamp)| (t.id, t.receive_ts, *stamp)).collect();
        assert_eq!(last, [(1, 50, 260), (2, 20, 257), (3, 40, 259)]);
        assert_eq!((end.tally.conflated, end.tally.consumed), (2, 259));
    }

    #[test]
    fn what_still_waits_is_found_after_others_have_gone() {
        let (fill, wait) = ((0..BATCH as u64).map(|i| (1_000 + i, 0)), (0..300).map(|i| (i, 0)));
        let records = trades(fill.chain(wait).chain([(299, 9), (2, 9), (299, 8)]));
        // 300 wait; 256 of them go; then three more come, two of them with a key that waits.
        let end = drive(conflate(300), &records, &[(BATCH, 0), (BATCH, 0), (44, BATCH), (3, 0)]);
        let last: Vec<_> = end.given[2 * BATCH..].iter().map(|(trade, _)| (trade.id, trade.receive_ts)).collect();
        let expected: Vec<_> = (256..299).map(|i| (i, 0)).chain([(299, 8), (2, 9)]).collect();
        assert_eq!((last, end.tally.conflated), (expected, 2));
    }

    #[test]
    fn nothing_is_conflated_where_the_consumer_keeps_up() {
        let records = trades((0..2_000).map(|i| (i % 3, i)));
        let end = drive(conflate(10), &records, &[]);
        assert_eq!((end.tally.conflated, end.given == records), (0, true));
    }

    #[test]
    fn one_key_more_than_can_wait_stops_the_intake_and_loses_nothing() {
        let records = trades((0..700).map(|i| (i, i)));
        let end = drive(conflate(1), &records, &[(BATCH, 0), (BATCH, 0), (BATCH, 0), (3, 1)]);
        assert_eq!((end.tally.conflated, end.tally.errors, end.given == records), (0, 0, true));
    }

    #[test]
    fn a_record_without_a_key_is_an_error() {
        let key = plan(&format!(r#"{{"op":"prev","of":[{ID}]}}"#));
        let stage = Conflate::new(key, ConflateOptions::default()).unwrap();
        let end = drive(stage, &trades([(1, 0), (2, 0)]), &[]);
        assert_eq!((end.tally.consumed, end.tally.errors), (1, 1));
    }
}
