use velox_record::{MarketEvent, Record, Trade, Transaction, Words};

/// Whether a record says when it was received, in ns: what goes by that time is the same in each replay.
///
/// ```
/// use velox_engine::{Trade, stages::Timed};
/// let time = Trade::TIME.unwrap();
/// assert_eq!(time(&Trade { receive_ts: 7, ..Trade::default() }), 7);
/// ```
///
/// A record of one's own says it in a line:
///
/// ```
/// use velox_engine::{record, stages::Timed};
/// record! {
///     struct Signal { strength: f64, received_ns: u64 }
/// }
/// impl Timed for Signal {
///     const TIME: Option<fn(&Self) -> u64> = Some(|signal| signal.received_ns);
/// }
/// # assert_eq!(Signal::TIME.unwrap()(&Signal { strength: 0.5, received_ns: 3 }), 3);
/// ```
pub trait Timed: Record {
    /// Reads it; none for a record that has no such time.
    const TIME: Option<fn(&Self) -> u64>;
}

impl Timed for MarketEvent {
    const TIME: Option<fn(&Self) -> u64> = Some(|event| event.receive_ts);
}

impl Timed for Trade {
    const TIME: Option<fn(&Self) -> u64> = Some(|trade| trade.receive_ts);
}

impl Timed for Transaction {
    const TIME: Option<fn(&Self) -> u64> = Some(|transaction| transaction.ingress_ts_ns);
}

impl<const N: usize> Timed for Words<N> {
    const TIME: Option<fn(&Self) -> u64> = None;
}

impl Timed for velox_record::Bundle {
    const TIME: Option<fn(&Self) -> u64> = None;
}
