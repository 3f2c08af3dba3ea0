//! What goes to the pipeline: a ring, and behind it room for what doesn't fit at once.

use velox_record::MarketEvent;
use velox_ring::{Producer, Waker};

/// The pipeline is too far behind: there is no room for the events of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow;

/// The producer's side of the ring.
#[derive(Debug)]
pub(crate) struct Outbox {
    producer: Producer<MarketEvent>,
    waker: Option<Waker>,
    /// Events that found no room in the ring, from `given` on, oldest first.
    held: Vec<MarketEvent>,
    given: usize,
    /// So many are held before it overflows, beside a single message that is larger.
    most: usize,
}

impl Outbox {
    pub(crate) fn new(producer: Producer<MarketEvent>, waker: Option<Waker>, most: usize) -> Self {
        Self { producer, waker, held: Vec::new(), given: 0, most }
    }

    /// Gives the events of one message on, all or none.
    pub(crate) fn give(&mut self, events: &[MarketEvent]) -> Result<(), Overflow> {
        self.flush();
        let rest = if self.is_flushed() { &events[self.producer.push_slice(events)..] } else { events };
        if rest.len() < events.len() {
            self.wake();
        }
        if !rest.is_empty() {
            if !self.is_flushed() && self.held.len() - self.given + rest.len() > self.most {
                return Err(Overflow);
            }
            self.held.extend_from_slice(rest);
        }
        Ok(())
    }

    /// Gives what the pipeline must know before anything else, whether or not there is room for it.
    pub(crate) fn insist(&mut self, events: &[MarketEvent]) {
        self.held.extend_from_slice(events);
        self.flush();
    }

    /// Moves what is held, as far as there is room.
    pub(crate) fn flush(&mut self) {
        if self.is_flushed() {
            return;
        }
        let moved = self.producer.push_slice(&self.held[self.given..]);
        self.given += moved;
        if self.given == self.held.len() {
            self.held.clear();
            self.given = 0;
        } else if self.given > self.held.len() / 2 {
            // A backlog that never ends must not keep what has gone.
            self.held.drain(..self.given);
            self.given = 0;
        }
        if moved > 0 {
            self.wake();
        }
    }

    /// Moves what there is room for, and gives what is left.
    pub(crate) fn end(&mut self) -> Vec<MarketEvent> {
        self.flush();
        let mut held = std::mem::take(&mut self.held);
        held.split_off(std::mem::take(&mut self.given))
    }

    /// Whether nothing is held.
    pub(crate) fn is_flushed(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the pipeline has caught up so far that a new start makes sense.
    pub(crate) fn is_roomy(&mut self) -> bool {
        self.is_flushed() && self.producer.len() <= self.producer.room()
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(from: u64, count: u64) -> Vec<MarketEvent> {
        (from..from + count).map(|sequence| MarketEvent { sequence, ..MarketEvent::default() }).collect()
    }

    #[test]
    fn a_message_is_given_whole_or_not_at_all_and_order_is_kept() {
        let (producer, mut consumer) = velox_ring::ring(4).unwrap();
        let mut outbox = Outbox::new(producer, None, 4);
        assert_eq!(outbox.give(&events(0, 3)), Ok(()));
        assert_eq!(outbox.give(&events(3, 3)), Ok(()), "one into the ring, two held");
        assert_eq!(outbox.give(&events(90, 3)), Err(Overflow));
        assert_eq!(outbox.give(&events(6, 2)), Ok(()));
        assert!(!outbox.is_roomy());
        let (mut got, mut more) = (Vec::new(), true);
        while more {
            more = consumer.pop_into(&mut got, 8) > 0;
            outbox.flush();
        }
        assert!(outbox.is_roomy());
        assert_eq!(got.iter().map(|event| event.sequence).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn what_has_gone_leaves_though_a_backlog_stays() {
        let (producer, mut consumer) = velox_ring::ring(4).unwrap();
        let mut outbox = Outbox::new(producer, None, 16);
        assert_eq!(outbox.give(&events(0, 12)), Ok(()));
        let (mut got, mut next) = (Vec::new(), 12);
        // As many come as go: it never catches up.
        for _ in 0..1_000 {
            consumer.pop_into(&mut got, 2);
            assert_eq!(outbox.give(&events(next, 2)), Ok(()));
            next += 2;
            assert!(!outbox.is_flushed() && outbox.held.len() <= 32, "{}", outbox.held.len());
        }
        consumer.pop_into(&mut got, 4);
        got.append(&mut outbox.end());
        while consumer.pop_into(&mut got, 4) > 0 {}
        got.sort_by_key(|event| event.sequence);
        assert!(outbox.is_flushed() && got.iter().map(|event| event.sequence).eq(0..next));
    }

    #[test]
    fn a_message_larger_than_the_ring_goes_through_in_pieces() {
        let (producer, mut consumer) = velox_ring::ring(4).unwrap();
        let mut outbox = Outbox::new(producer, None, 4);
        assert_eq!(outbox.give(&events(0, 100)), Ok(()));
        outbox.insist(&events(100, 1));
        let mut got = Vec::new();
        while consumer.pop_into(&mut got, 8) > 0 {
            outbox.flush();
        }
        assert_eq!(got.iter().map(|event| event.sequence).collect::<Vec<_>>(), (0..101).collect::<Vec<_>>());
    }
}
