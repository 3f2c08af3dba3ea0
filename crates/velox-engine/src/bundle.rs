//! Bundling: transactions that leave together, when there are enough of them or the first has waited long enough.

use std::time::Duration;

use thiserror::Error;
use velox_record::{BUNDLE_CAPACITY, Bundle, Transaction};
use velox_ring::RingBuffer;

/// How long a transaction waits for others by default.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_micros(100);

/// Bounds that no bundle can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("max: expected 1 to {BUNDLE_CAPACITY} transactions a bundle, got {0}")]
pub struct InvalidBundleMax(pub usize);

/// A bundle that is being filled: the one place that knows when a bundle is closed. Times are whatever the caller
/// counts in, ns.
#[derive(Debug, Clone)]
pub(crate) struct OpenBundle {
    max: usize,
    timeout_ns: u64,
    bundle: Bundle,
    /// When its first transaction came.
    opened: u64,
}

impl OpenBundle {
    pub(crate) fn new(max: usize, timeout: Duration) -> Result<Self, InvalidBundleMax> {
        if !(1..=BUNDLE_CAPACITY).contains(&max) {
            return Err(InvalidBundleMax(max));
        }
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Ok(Self { max, timeout_ns, bundle: Bundle::new(), opened: 0 })
    }

    pub(crate) fn len(&self) -> usize {
        self.bundle.len()
    }

    /// When its time is up; none while it is empty.
    pub(crate) fn deadline(&self) -> Option<u64> {
        (!self.bundle.is_empty()).then(|| self.opened.saturating_add(self.timeout_ns))
    }

    pub(crate) fn timed_out(&self, now: u64) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Whether one more transaction completes it.
    pub(crate) fn is_almost_full(&self) -> bool {
        self.len() + 1 >= self.max
    }

    /// Adds a transaction, for which there is room between two calls of [`close`](Self::close).
    pub(crate) fn add(&mut self, transaction: Transaction, now: u64) {
        if self.bundle.is_empty() {
            self.opened = now;
        }
        let added = self.bundle.push(transaction);
        debug_assert!(added.is_ok(), "a full bundle was not closed");
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    /// The bundle as it leaves at `now`, without letting it go.
    pub(crate) fn closed(&self, now: u64) -> Bundle {
        let mut bundle = self.bundle;
        bundle.close(now);
        bundle
    }

    /// Starts the next bundle.
    pub(crate) fn reset(&mut self) {
        self.bundle = Bundle::new();
    }
}

/// Collects transactions into bundles of at most 16, and sends a bundle into a ring when it is full or 100 µs old.
///
/// What a full ring refuses stays with the caller: `Err` means not done.
///
/// ```
/// use velox_engine::{Bundle, BundleBuilder, RingBuffer, Transaction};
///
/// let ring = RingBuffer::<Bundle, 64>::new();
/// let mut builder = BundleBuilder::with_limits(2, std::time::Duration::from_secs(1))?;
/// builder.add(Transaction::new(1, 1_000_000, 100, 0, 0), &ring).unwrap();
/// builder.add(Transaction::new(2, 1_000_000, 100, 0, 0), &ring).unwrap();
/// assert_eq!(ring.pop().unwrap().active_transactions().len(), 2);
/// # Ok::<(), velox_engine::InvalidBundleMax>(())
/// ```
#[derive(Debug, Clone)]
pub struct BundleBuilder {
    open: OpenBundle,
}

impl Default for BundleBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BundleBuilder {
    /// Bundles of up to 16 transactions that wait up to 100 µs.
    ///
    /// # Panics
    /// Never: the default bounds are valid.
    pub fn new() -> Self {
        Self::with_limits(BUNDLE_CAPACITY, DEFAULT_TIMEOUT).expect("the default bounds are valid")
    }

    /// Bundles of up to `max` transactions, the first of which waits no longer than `timeout`.
    ///
    /// # Errors
    /// [`InvalidBundleMax`]: `max` is not 1 to 16.
    pub fn with_limits(max: usize, timeout: Duration) -> Result<Self, InvalidBundleMax> {
        Ok(Self { open: OpenBundle::new(max, timeout)? })
    }

    /// Adds a transaction. An open bundle that is too old leaves first; one that this transaction fills leaves with it.
    /// One clock read.
    ///
    /// # Errors
    /// The transaction, when a bundle has to leave and the ring is full: it was not added.
    pub fn add<const N: usize>(
        &mut self,
        transaction: Transaction,
        ring: &RingBuffer<Bundle, N>,
    ) -> Result<(), Transaction> {
        self.add_with(transaction, |bundle| Ok::<_, std::convert::Infallible>(ring.push(*bundle).is_ok()))
            .unwrap_or_else(|never| match never {})
            .then_some(())
            .ok_or(transaction)
    }

    /// [`add`](Self::add) over any ring: `send` says whether it took the bundle. `false` means not added.
    ///
    /// # Errors
    /// What `send` fails of; the transaction was not added then.
    pub fn add_with<E>(
        &mut self,
        transaction: Transaction,
        mut send: impl FnMut(&Bundle) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let now = velox_clock::now();
        if self.open.timed_out(now) {
            if !send(&self.open.closed(now))? {
                return Ok(false);
            }
            self.open.reset();
        }
        if !self.open.is_almost_full() {
            self.open.add(transaction, now);
            return Ok(true);
        }
        let mut full = self.open.clone();
        full.add(transaction, now);
        let sent = send(&full.closed(now))?;
        if sent {
            self.open.reset();
        }
        Ok(sent)
    }

    /// Whether the open bundle is older than its time-out. One clock read, none while it is empty.
    pub fn should_flush_timeout(&self) -> bool {
        self.open.len() > 0 && self.open.timed_out(velox_clock::now())
    }

    /// Sends the open bundle as it is. `Ok(false)`: there was nothing to send.
    ///
    /// # Errors
    /// [`RingFull`]: nothing was sent, nothing is lost.
    pub fn force_flush<const N: usize>(&mut self, ring: &RingBuffer<Bundle, N>) -> Result<bool, RingFull> {
        if self.open.len() == 0 {
            return Ok(false);
        }
        ring.push(self.open.closed(velox_clock::now())).map_err(|_| RingFull)?;
        self.open.reset();
        Ok(true)
    }

    /// [`force_flush`](Self::force_flush) over any ring.
    ///
    /// # Errors
    /// What `send` fails of; the bundle stays open then.
    pub fn flush_with<E>(&mut self, send: impl FnOnce(&Bundle) -> Result<bool, E>) -> Result<Flush, E> {
        if self.open.len() == 0 {
            return Ok(Flush::Empty);
        }
        if !send(&self.open.closed(velox_clock::now()))? {
            return Ok(Flush::Full);
        }
        self.open.reset();
        Ok(Flush::Flushed)
    }

    /// Transactions in the open bundle: 0 ..= 15.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether the open bundle is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The ring had no room for the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the ring is full: the bundle stays open")]
pub struct RingFull;

/// What became of the open bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// It left.
    Flushed,
    /// There was none.
    Empty,
    /// The ring had no room; it stays open.
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(id: u64) -> Transaction {
        Transaction::new(id, 1, 1, 0, 0)
    }

    fn patient(max: usize) -> BundleBuilder {
        BundleBuilder::with_limits(max, Duration::from_secs(3600)).unwrap()
    }

    #[test]
    fn the_sixteenth_transaction_closes_the_bundle() {
        let ring = RingBuffer::<Bundle, 4>::new();
        let mut builder = patient(16);
        for id in 0..15 {
            builder.add(transaction(id), &ring).unwrap();
        }
        assert!(ring.pop().is_none());
        builder.add(transaction(15), &ring).unwrap();
        let bundle = ring.pop().unwrap();
        let ids: Vec<_> = bundle.active_transactions().iter().map(|t| t.id).collect();
        assert_eq!(ids, (0..16).collect::<Vec<_>>());
        assert!(builder.is_empty() && bundle.created_ts_ns() > 0);
    }

    #[test]
    fn an_old_bundle_leaves_before_the_next_transaction_joins() {
        let ring = RingBuffer::<Bundle, 4>::new();
        let mut builder = BundleBuilder::new();
        builder.add(transaction(1), &ring).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        assert!(builder.should_flush_timeout());
        builder.add(transaction(2), &ring).unwrap();
        assert_eq!(ring.pop().unwrap().active_transactions()[0].id, 1);
        assert_eq!(builder.len(), 1);
    }

    #[test]
    fn a_full_ring_gives_the_transaction_back_and_keeps_the_others() {
        let ring = RingBuffer::<Bundle, 2>::new();
        let mut builder = patient(2);
        for id in 0..5 {
            builder.add(transaction(id), &ring).unwrap();
        }
        assert_eq!(builder.add(transaction(5), &ring).unwrap_err().id, 5);
        assert_eq!((builder.len(), builder.force_flush(&ring)), (1, Err(RingFull)));
        ring.pop().unwrap();
        builder.add(transaction(5), &ring).unwrap();
        ring.pop().unwrap();
        let ids: Vec<_> = ring.pop().unwrap().active_transactions().iter().map(|t| t.id).collect();
        assert_eq!((ids, builder.force_flush(&ring)), (vec![4, 5], Ok(false)));
    }

    #[test]
    fn a_bundle_of_none_or_of_seventeen_is_refused() {
        for max in [0, 17] {
            assert_eq!(BundleBuilder::with_limits(max, DEFAULT_TIMEOUT).unwrap_err(), InvalidBundleMax(max));
        }
    }
}
