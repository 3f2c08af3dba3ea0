use std::time::Duration;

use velox_record::{BUNDLE_CAPACITY, Bundle, Transaction};

use crate::bundle::{DEFAULT_TIMEOUT, InvalidBundleMax, OpenBundle};
use crate::pipeline::{Batch, BundleStamp, EngineError, Input, Pipeline, Stage, Tally};

/// When a bundle is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleOptions {
    /// At so many transactions: 1 ..= 16.
    pub max: usize,
    /// So long after its first transaction.
    pub timeout: Duration,
}

impl Default for BundleOptions {
    fn default() -> Self {
        Self { max: BUNDLE_CAPACITY, timeout: DEFAULT_TIMEOUT }
    }
}

/// Bundles transactions.
///
/// Time is the records' own (`ingress_ts_ns`, and the watermark that says how far it has come), so that the same
/// records make the same bundles at any pace and placement; where records carry no such time it is their arrival.
#[derive(Debug)]
pub struct BundleStage {
    open: OpenBundle,
    /// Arrival and taking of the transactions in the open bundle.
    stamp: BundleStamp,
    record_time: bool,
    /// The latest time seen.
    last: u64,
}

impl BundleStage {
    /// A stage with these bounds; `record_time`: whether `ingress_ts_ns` is the time to count in.
    ///
    /// # Errors
    /// [`InvalidBundleMax`].
    pub fn new(options: BundleOptions, record_time: bool) -> Result<Self, InvalidBundleMax> {
        let open = OpenBundle::new(options.max, options.timeout)?;
        Ok(Self { open, stamp: BundleStamp::default(), record_time, last: 0 })
    }

    fn close(&mut self, at: u64, now: u64, out: &mut Batch<Bundle>, tally: &mut Tally) {
        self.stamp.closed = now;
        for same in self.stamp.taken[..self.stamp.count].chunk_by(|a, b| a == b) {
            tally.waits(now.saturating_sub(same[0]), same.len() as u64);
        }
        out.push(self.open.closed(at), self.stamp);
        tally.consumed += self.open.len() as u64;
        self.open.reset();
        self.stamp.count = 0;
        tally.held = 0;
    }
}

impl Stage for BundleStage {
    type In = Transaction;
    type Out = Bundle;
    const WAITS: bool = true;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<Bundle>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        if input.is_empty() && self.open.deadline().is_none_or(|deadline| input.watermark() < deadline) {
            return Ok(());
        }
        let now = velox_clock::now();
        while out.room() > 0 {
            let Some((transaction, arrived)) = input.peek() else { break };
            let at = if self.record_time { transaction.ingress_ts_ns } else { *arrived };
            self.last = self.last.max(at);
            if let Some(deadline) = self.open.deadline().filter(|deadline| at >= *deadline) {
                self.close(deadline, now, out, tally);
                continue;
            }
            let Some((transaction, arrived)) = input.next() else { break };
            self.open.add(transaction, at);
            self.stamp.arrived[self.stamp.count] = arrived;
            self.stamp.taken[self.stamp.count] = now;
            self.stamp.count += 1;
            tally.held += 1;
            if self.open.is_full() {
                self.close(at, now, out, tally);
            }
        }
        let passed = |deadline: &u64| input.is_empty() && input.watermark() >= *deadline;
        if out.room() > 0
            && let Some(deadline) = self.open.deadline().filter(passed)
        {
            self.close(deadline, now, out, tally);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<u64> {
        self.open.deadline()
    }

    fn finish(&mut self, out: &mut Batch<Bundle>, tally: &mut Tally) -> Result<bool, EngineError> {
        if self.open.len() > 0 {
            if out.room() == 0 {
                return Ok(false);
            }
            self.close(self.last, velox_clock::now(), out, tally);
        }
        Ok(true)
    }
}

impl Pipeline<Transaction> {
    /// Goes on with bundles.
    ///
    /// # Errors
    /// [`InvalidBundleMax`].
    pub fn bundle(self, name: &str, options: BundleOptions) -> Result<Pipeline<Bundle>, InvalidBundleMax> {
        let record_time = self.has_record_time();
        Ok(self.stage(name, BundleStage::new(options, record_time)?))
    }
}
