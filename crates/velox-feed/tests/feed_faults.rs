//! A message lost, repeated, swapped or changed, at any position of a made-up stream of each venue: the book is right, or
//! it is not live.

mod common;

use common::Model;
use common::script::{Script, script};
use proptest::prelude::*;
use velox_feed::{Applied, Feed, FeedState, Venue};
use velox_record::{EventKind, Instrument, MarketEvent, flags};

/// The venues that number their messages so that a missing one shows.
const SEQUENCED: [Venue; 7] = [
    Venue::BinanceSpot,
    Venue::BinanceUsdm,
    Venue::BinanceCoinm,
    Venue::Okx,
    Venue::Bybit,
    Venue::Coinbase,
    Venue::Kucoin,
];

const CHECKSUMMED: [Venue; 3] = [Venue::Kraken, Venue::Okx, Venue::Bitget];

const BY_REST: [Venue; 4] = [Venue::BinanceSpot, Venue::BinanceUsdm, Venue::BinanceCoinm, Venue::Kucoin];

const SYMBOL: &str = "AB-CD";

/// A feed with a naive book behind it.
struct Rig {
    feed: Feed,
    venue: Venue,
    model: Model,
    out: Vec<MarketEvent>,
    /// Messages so far, which Coinbase numbers.
    sent: usize,
}

impl Rig {
    /// One that has its snapshot.
    fn live(venue: Venue, script: &Script) -> Self {
        let instrument = Instrument::new(SYMBOL, "script", "0.1", "0.001").unwrap();
        let feed = Feed::new(venue, vec![instrument]).unwrap();
        let mut rig = Self { feed, venue, model: Model::default(), out: Vec::new(), sent: 0 };
        assert_eq!(rig.feed.state(SYMBOL), Some(FeedState::Syncing));
        assert_eq!(rig.snapshot(script, 0), Applied::Applied, "{venue}");
        rig
    }

    fn snapshot(&mut self, script: &Script, event: usize) -> Applied {
        let text = script.snapshot(self.venue, SYMBOL, event, self.sent);
        if self.feed.snapshot_request(SYMBOL).is_none() {
            return self.apply(&text);
        }
        let applied = self.feed.snapshot(SYMBOL, text.as_bytes(), 1, &mut self.out).unwrap();
        self.digest(applied)
    }

    fn apply(&mut self, message: &str) -> Applied {
        let applied = self.feed.apply(message.as_bytes(), 1, &mut self.out).unwrap();
        self.sent += 1;
        self.digest(applied)
    }

    fn event(&mut self, script: &Script, event: usize) -> Applied {
        self.apply(&script.message(self.venue, SYMBOL, event))
    }

    /// Books hear of a gap exactly when it happens, and of nothing else that isn't applied.
    fn digest(&mut self, applied: Applied) -> Applied {
        let is_gap = |event: &MarketEvent| event.kind == EventKind::STATUS && event.flags == flags::GAP;
        match applied {
            Applied::Applied => assert!(self.out.iter().all(|event| event.kind == EventKind::LEVEL)),
            Applied::Gap | Applied::Checksum => assert!(self.out.iter().all(is_gap) && self.out.len() <= 1),
            Applied::Ignored | Applied::Buffered => assert!(self.out.is_empty()),
        }
        self.out.drain(..).for_each(|event| self.model.apply(&event));
        applied
    }

    fn is_live(&self) -> bool {
        self.feed.state(SYMBOL) == Some(FeedState::Live)
    }

    /// The venue's snapshot after the last event makes the book right again.
    fn recovers(&mut self, script: &Script, truth: &[Vec<common::script::Change>]) {
        assert!(!self.is_live());
        assert_eq!(self.feed.stale_symbols(), [SYMBOL], "{}", self.venue);
        let by_rest = self.feed.snapshot_request(SYMBOL);
        assert!(by_rest.is_some_and(|url| url.contains(SYMBOL)) || !self.feed.resubscribe_messages(SYMBOL).is_empty());
        assert_eq!(self.snapshot(script, truth.len() - 1), Applied::Applied, "{}", self.venue);
        assert!(self.is_live() && self.feed.stale_symbols().is_empty());
        assert_eq!(&self.model.levels(), truth.last().unwrap(), "{}", self.venue);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_in_its_order_is_applied(script in script()) {
        let truth = script.truth();
        for venue in Venue::ALL {
            let mut rig = Rig::live(venue, &script);
            prop_assert_eq!(&rig.model.levels(), &truth[0], "{}", venue);
            for (event, levels) in truth.iter().enumerate().skip(1) {
                prop_assert_eq!(rig.event(&script, event), Applied::Applied, "{} {}", venue, event);
                prop_assert_eq!(&rig.model.levels(), levels, "{} {}", venue, event);
            }
        }
    }

    #[test]
    fn a_lost_event_is_a_gap_at_the_next_one(script in script(), at in any::<prop::sample::Index>()) {
        let truth = script.truth();
        let lost = 1 + at.index(truth.len() - 2);
        for venue in SEQUENCED {
            let mut rig = Rig::live(venue, &script);
            (1..lost).for_each(|event| assert_eq!(rig.event(&script, event), Applied::Applied));
            rig.sent += 1;
            prop_assert_eq!(rig.event(&script, lost + 1), Applied::Gap, "{}", venue);
            prop_assert_eq!((rig.model.gaps, rig.is_live()), (1, false));
            prop_assert_eq!(&rig.model.levels(), &truth[lost - 1], "nothing of it was applied");
            for event in lost + 2..truth.len() {
                prop_assert!(matches!(rig.event(&script, event), Applied::Buffered | Applied::Ignored), "{}", venue);
            }
            prop_assert_eq!(rig.model.gaps, 1);
            rig.recovers(&script, &truth);
        }
    }

    #[test]
    fn swapped_events_are_a_gap_at_the_first_of_them(script in script(), at in any::<prop::sample::Index>()) {
        let truth = script.truth();
        let first = 1 + at.index(truth.len() - 2);
        for venue in SEQUENCED {
            let mut rig = Rig::live(venue, &script);
            (1..first).for_each(|event| assert_eq!(rig.event(&script, event), Applied::Applied));
            prop_assert_eq!(rig.event(&script, first + 1), Applied::Gap, "{}", venue);
            for event in std::iter::once(first).chain(first + 2..truth.len()) {
                prop_assert_ne!(rig.event(&script, event), Applied::Applied, "{}", venue);
                prop_assert!(!rig.is_live());
            }
            prop_assert_eq!(&rig.model.levels(), &truth[first - 1]);
            rig.recovers(&script, &truth);
        }
    }

    #[test]
    fn a_repeated_event_is_ignored_however_late_it_comes(
        script in script(), at in any::<prop::sample::Index>(), late in any::<prop::sample::Index>(),
    ) {
        let truth = script.truth();
        let repeated = 1 + at.index(truth.len() - 1);
        let behind = repeated + late.index(truth.len() - repeated);
        for venue in SEQUENCED.into_iter().chain([Venue::Bitget]) {
            let mut rig = Rig::live(venue, &script);
            for (event, levels) in truth.iter().enumerate().skip(1) {
                prop_assert_eq!(rig.event(&script, event), Applied::Applied, "{} {}", venue, event);
                if event == behind {
                    prop_assert_eq!(rig.event(&script, repeated), Applied::Ignored, "{} {}", venue, repeated);
                }
                prop_assert_eq!(&rig.model.levels(), levels);
            }
            prop_assert!(rig.is_live());
        }
    }

    #[test]
    fn a_repeated_snapshot_never_takes_a_live_book_back(script in script(), at in any::<prop::sample::Index>()) {
        let truth = script.truth();
        let behind = at.index(truth.len());
        for venue in SEQUENCED.into_iter().chain([Venue::Bitget]) {
            let mut rig = Rig::live(venue, &script);
            (1..=behind).for_each(|event| assert_eq!(rig.event(&script, event), Applied::Applied));
            let text = script.snapshot(venue, SYMBOL, 0, 0);
            if BY_REST.contains(&venue) {
                let applied = rig.feed.snapshot(SYMBOL, text.as_bytes(), 1, &mut rig.out).unwrap();
                prop_assert_eq!(rig.digest(applied), if behind == 0 { Applied::Applied } else { Applied::Ignored });
            } else {
                prop_assert_eq!(rig.apply(&text), Applied::Ignored, "{}", venue);
            }
            prop_assert_eq!(&rig.model.levels(), &truth[behind], "{}", venue);
        }
    }

    #[test]
    fn a_changed_quantity_is_a_wrong_checksum(script in script(), at in any::<prop::sample::Index>()) {
        let truth = script.truth();
        let changed = 1 + at.index(truth.len() - 1);
        let mut wrong = script.clone();
        // The best bid: the checksum is of the whole book here, but ten levels at Kraken.
        wrong.events[changed].retain(|change| change.1 != 5_999);
        wrong.events[changed].push((0, 5_999, 77_777));
        for venue in CHECKSUMMED {
            let mut rig = Rig::live(venue, &script);
            (1..changed).for_each(|event| assert_eq!(rig.event(&script, event), Applied::Applied));
            let right = script.message(venue, SYMBOL, changed);
            let checksum = |message: &str| {
                let key = if venue == Venue::Kraken { "\"c\":" } else { "\"checksum\":" };
                let start = message.find(key).unwrap() + key.len();
                let end = start + message[start..].find(['}', ',']).unwrap();
                (start, end)
            };
            let (start, end) = checksum(&right);
            let mut message = wrong.message(venue, SYMBOL, changed);
            let (from, to) = checksum(&message);
            message.replace_range(from..to, &right[start..end]);
            prop_assert_eq!(rig.apply(&message), Applied::Checksum, "{}", venue);
            prop_assert_eq!(&rig.model.levels(), &truth[changed - 1]);
            for event in changed..truth.len() {
                prop_assert_eq!(rig.event(&script, event), Applied::Ignored, "{}", venue);
            }
            rig.recovers(&script, &truth);
        }
    }

    #[test]
    fn a_connection_that_is_lost_makes_the_book_stale_until_a_snapshot(script in script(), at in any::<prop::sample::Index>()) {
        let truth = script.truth();
        let lost = at.index(truth.len() - 1);
        for venue in Venue::ALL {
            let mut rig = Rig::live(venue, &script);
            (1..=lost).for_each(|event| assert_eq!(rig.event(&script, event), Applied::Applied));
            rig.feed.disconnected(&mut rig.out);
            rig.digest(Applied::Gap);
            rig.feed.disconnected(&mut rig.out);
            rig.digest(Applied::Ignored);
            prop_assert_eq!(rig.model.gaps, 1);
            for event in lost + 1..truth.len() {
                prop_assert!(matches!(rig.event(&script, event), Applied::Buffered | Applied::Ignored), "{}", venue);
            }
            rig.recovers(&script, &truth);
        }
    }
}
