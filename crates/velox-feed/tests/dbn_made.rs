//! What real files have too little of: gaps, events over several records, contracts that roll, damage.

mod common;
mod made;

use common::{Messages, Model, drain};
use dbn::{Schema, UNDEF_PRICE, UNDEF_TIMESTAMP, flags as dbn_flags};
use made::{DAY, LAST, ONE, START, file, mbp1, mbp10, metadata, open};
use proptest::prelude::*;
use velox_feed::{Arrivals, FeedError};
use velox_record::{ASK, BID, EventKind, MarketEvent, flags};

const ONE_SYMBOL: &[made::Mapped] = &[("A", 7, 0, 10)];

fn levels(message: &[MarketEvent]) -> Vec<(u8, i64, i64, u8)> {
    let levels = message.iter().filter(|event| event.kind == EventKind::LEVEL);
    levels.map(|level| (level.side, level.price / ONE, level.qty, level.flags)).collect()
}

fn whole(messages: Messages) -> Vec<Vec<MarketEvent>> {
    messages.into_iter().map(|message| message.unwrap().1).collect()
}

fn fault(message: &Result<(u64, Vec<MarketEvent>), FeedError>) -> (u64, &str, &str) {
    let Err(FeedError::Corrupt { line, expected, got, .. }) = message else { panic!("{message:?}") };
    (*line, expected, got)
}

#[test]
fn the_levels_of_an_event_are_told_at_its_end_as_one_change() {
    let records = [
        mbp10(7, 1, LAST, &[(99, 5), (98, 1)], &[(101, 2)]),
        // One event in three records, of which the first two show what is between.
        mbp10(7, 2, 0, &[(99, 3), (98, 1)], &[(101, 2)]),
        mbp10(7, 2, 0, &[(98, 1)], &[(101, 2)]),
        mbp10(7, 2, LAST, &[(98, 4)], &[(100, 1), (101, 2)]),
        mbp10(7, 3, LAST, &[(98, 4)], &[(100, 1), (101, 2)]),
        mbp10(7, 4, LAST, &[], &[]),
    ];
    let told = whole(drain(&mut open(file(&metadata(3, Some(Schema::Mbp10), ONE_SYMBOL), &records))));
    let told: Vec<_> = told.iter().map(|message| levels(message)).collect();
    assert_eq!(told[0], [(BID, 99, 5, flags::SNAPSHOT), (BID, 98, 1, 0), (ASK, 101, 2, flags::LAST)]);
    assert!(told[1].is_empty() && told[2].is_empty() && told[4].is_empty());
    assert_eq!(told[3], [(BID, 99, 0, 0), (BID, 98, 4, 0), (ASK, 100, 1, flags::LAST)]);
    assert_eq!(told[5], [(BID, 98, 0, 0), (ASK, 100, 0, 0), (ASK, 101, 0, flags::LAST)]);
    assert_eq!(told.len(), 6);
}

#[test]
fn an_event_whose_last_record_is_missing_ends_with_the_next_event_or_the_file() {
    let records = [
        mbp10(7, 1, LAST, &[(99, 5)], &[]),
        mbp10(7, 2, 0, &[(98, 5)], &[]),
        mbp10(7, 3, LAST, &[(97, 5)], &[]),
        mbp10(7, 4, 0, &[(96, 5)], &[]),
    ];
    let messages = drain(&mut open(file(&metadata(3, Some(Schema::Mbp10), ONE_SYMBOL), &records)));
    let (time, rest) = messages.last().unwrap().as_ref().unwrap();
    assert_eq!((*time, rest[0].sequence, rest[0].receive_ts), (START + 5, 4, START + 5));
    let told = whole(messages);
    assert!(told[1].is_empty() && told[3].is_empty() && told.len() == 5);
    let last = flags::LAST;
    assert_eq!(levels(&told[2]), [(BID, 99, 0, 0), (BID, 98, 5, last), (BID, 98, 0, 0), (BID, 97, 5, last)]);
    assert_eq!(told[2].iter().map(|level| level.sequence).collect::<Vec<_>>(), [2, 2, 3, 3]);
    assert_eq!(levels(&told[4]), [(BID, 97, 0, 0), (BID, 96, 5, last)]);
}

#[test]
fn a_trade_stands_before_the_levels_and_one_without_aggressor_is_counted() {
    let records = [
        mbp1(7, 1, LAST, 3, b'A', [5, 5]),
        mbp1(7, 2, LAST, 4, b'B', [5, 4]),
        mbp1(7, 3, LAST, 4, b'N', [5, 3]),
        mbp1(7, 4, LAST, 0, b'A', [5, 3]),
        mbp1(7, 5, LAST, 1, b'X', [5, 3]),
    ];
    let mut replay = open(file(&metadata(3, Some(Schema::Mbp1), ONE_SYMBOL), &records));
    let mut messages = drain(&mut replay);
    assert_eq!(fault(&messages.pop().unwrap()), (5, "field `side`: A, B or N", "X"));
    let told = whole(messages);
    let kinds: Vec<_> = told[0].iter().map(|event| (event.kind, event.side, event.price / ONE, event.qty)).collect();
    let level = EventKind::LEVEL;
    assert_eq!(kinds, [(EventKind::TRADE, ASK, 100, 3), (level, BID, 99, 5), (level, ASK, 101, 5)]);
    assert_eq!((told[1][0].kind, told[1][0].side), (EventKind::TRADE, BID));
    assert_eq!(levels(&told[2]), [(ASK, 101, 3, flags::LAST)]);
    assert!(told[2].len() == 1 && told[3].is_empty());
    assert_eq!(replay.left_out(), 2);
}

#[test]
fn a_gap_is_told_once_and_the_book_comes_back_whole() {
    let bad = LAST | dbn_flags::MAYBE_BAD_BOOK;
    let records = [
        mbp1(7, 1, LAST, 1, b'A', [5, 5]),
        mbp1(7, 2, bad, 1, b'A', [4, 5]),
        mbp1(7, 3, bad, 1, b'A', [3, 5]),
        mbp1(7, 4, LAST, 1, b'A', [3, 5]),
        mbp1(7, 5, bad, 1, b'A', [3, 5]),
        mbp1(7, 6, LAST, 1, b'A', [0, 0]),
    ];
    let mut replay = open(file(&metadata(3, Some(Schema::Mbp1), ONE_SYMBOL), &records));
    let told = whole(drain(&mut replay));
    let gaps: Vec<_> =
        told.iter().map(|message| message[0].kind == EventKind::STATUS && message[0].has(flags::GAP)).collect();
    assert_eq!(gaps, [false, true, false, false, true, false]);
    assert!(told.iter().all(|message| message.iter().any(|event| event.kind == EventKind::TRADE)));
    assert!([1, 2, 4].iter().all(|&bad| levels(&told[bad]).is_empty()));
    assert_eq!(levels(&told[3]), [(BID, 99, 3, flags::SNAPSHOT), (ASK, 101, 5, flags::LAST)]);
    // An empty book is a snapshot too.
    assert_eq!(levels(&told[5]), [(BID, 0, 0, flags::SNAPSHOT | flags::LAST)]);
    assert_eq!(replay.counts().gaps, 2);
}

#[test]
fn a_symbol_that_rolls_begins_a_new_book_and_an_id_without_a_symbol_is_its_own() {
    let mapped = [("A.c.0", 7, 0, 1), ("A.c.0", 8, 1, 2), ("B", 7, 1, 2)];
    let records = [
        mbp10(7, 1, LAST, &[(99, 5)], &[]),
        mbp10(8, 2, LAST, &[(50, 5)], &[]),
        mbp10(8, DAY, LAST, &[(99, 5)], &[]),
        mbp10(7, DAY + 1, LAST, &[(99, 6)], &[]),
        mbp10(7, 2 * DAY, LAST, &[(99, 7)], &[]),
    ];
    for version in 1..=3 {
        let mut replay = open(file(&metadata(version, Some(Schema::Mbp10), &mapped), &records));
        assert_eq!(replay.instruments().iter().map(|known| known.symbol()).collect::<Vec<_>>(), ["A.c.0", "B"]);
        let told = whole(drain(&mut replay));
        let symbol = |message: &[MarketEvent]| {
            let of = replay.instruments().iter().find(|known| known.id() == message[0].instrument);
            of.unwrap().symbol().to_owned()
        };
        assert_eq!(told.iter().map(|message| symbol(message)).collect::<Vec<_>>(), ["A.c.0", "8", "A.c.0", "B", "7"]);
        let whole_book = flags::SNAPSHOT | flags::LAST;
        assert!(told.iter().all(|message| levels(message)[0].3 == whole_book), "each is a book's first");
    }
}

#[test]
fn a_live_capture_names_its_symbols_on_the_way() {
    let mapping = |id, symbol| {
        let (none, raw) = (UNDEF_TIMESTAMP, dbn::SType::RawSymbol);
        dbn::SymbolMappingMsg::new(id, START, raw, symbol, raw, symbol, none, none).unwrap()
    };
    let mut bytes = file(&metadata(3, None, &[]), &[mapping(7, "A"), mapping(8, "B")]);
    let head = file(&metadata(3, None, &[]), &[] as &[dbn::Mbp1Msg]).len();
    for record in [mbp1(8, 1, LAST, 1, b'A', [5, 5]), mbp1(7, 2, LAST, 1, b'A', [5, 5])] {
        bytes.extend(&file(&metadata(3, None, &[]), &[record])[head..]);
    }
    bytes.extend(&file(&metadata(3, None, &[]), &[mapping(7, "C")])[head..]);
    bytes.extend(&file(&metadata(3, None, &[]), &[mbp1(7, 3, LAST, 1, b'A', [5, 5])])[head..]);
    bytes.extend(&file(&metadata(3, None, &[]), &[mbp10(7, 4, LAST, &[], &[])])[head..]);
    let mut replay = open(bytes);
    assert_eq!(replay.instruments().iter().map(|known| known.symbol()).collect::<Vec<_>>(), ["A", "B"]);
    let mut messages = drain(&mut replay);
    assert_eq!(fault(&messages.pop().unwrap()), (7, "a record of mbp-1, as the file's others", "mbp-10"));
    let spoke = whole(messages).iter().map(|message| message[0].instrument).collect::<Vec<_>>();
    let ids = ["B", "A", "C"].map(|symbol| replay.instrument(Some(symbol)).unwrap().id());
    assert_eq!(spoke, ids);
}

#[test]
fn a_record_that_can_not_be_is_an_error_of_its_own_and_the_next_is_read() {
    let mut second = mbp10(7, 2, LAST, &[(99, 4)], &[]);
    second.hd.publisher_id = 2;
    let mut priceless = mbp10(7, 3, LAST, &[(99, 4)], &[]);
    (priceless.action, priceless.price) = (b'T' as _, UNDEF_PRICE);
    let records = [
        mbp10(7, 1, LAST, &[(99, 5)], &[]),
        second,
        priceless,
        mbp10(7, 4, LAST, &[(99, 4), (99, 3)], &[]),
        mbp10(7, 5, LAST, &[], &[(101, 1), (100, 3)]),
        mbp10(7, 6, LAST, &[(-37, 4)], &[(-36, 4)]),
    ];
    let messages = drain(&mut open(file(&metadata(3, Some(Schema::Mbp10), ONE_SYMBOL), &records)));
    assert_eq!(fault(&messages[1]), (2, "one book of A, that of publisher 1", "publisher 2"));
    assert_eq!(fault(&messages[2]), (3, "field `price`: a price", "none"));
    assert_eq!(fault(&messages[3]).1, "bids that fall from level to level");
    assert_eq!(fault(&messages[4]).1, "asks that rise from level to level");
    // As if those records had not been; and prices below zero are prices.
    let last = &messages[5].as_ref().unwrap().1;
    assert_eq!(levels(last), [(BID, 99, 0, 0), (BID, -37, 4, 0), (ASK, -36, 4, flags::LAST)]);
}

#[test]
fn a_receive_time_that_is_wrong_or_missing_is_not_before_the_last() {
    let mut records = [1, 2, 3, 4].map(|time| mbp10(7, time, LAST, &[(99, time as u32)], &[]));
    records[0].ts_recv = START + 100;
    (records[1].ts_recv, records[1].flags) = (START, dbn::FlagSet::new(LAST | dbn_flags::BAD_TS_RECV));
    (records[2].ts_recv, records[2].hd.ts_event) = (UNDEF_TIMESTAMP, UNDEF_TIMESTAMP);
    records[3].ts_recv = START + 200;
    let messages = drain(&mut open(file(&metadata(3, Some(Schema::Mbp10), ONE_SYMBOL), &records)));
    let times: Vec<_> = messages.iter().map(|message| message.as_ref().unwrap().0 - START).collect();
    assert_eq!(times, [100, 100, 100, 200]);
    assert_eq!(messages[2].as_ref().unwrap().1[0].exchange_ts, 0);
}

/// Levels in order from the best, some of them.
fn side(falling: bool) -> impl Strategy<Value = Vec<(i64, u32)>> {
    prop::collection::btree_map(90i64..110, 1u32..4, 0..=10).prop_map(move |levels| {
        let mut levels: Vec<_> = levels.into_iter().collect();
        if falling {
            levels.reverse();
        }
        levels
    })
}

proptest! {
    #[test]
    fn a_book_is_what_the_last_record_of_an_event_shows(
        shown in prop::collection::vec((7u32..9, 0u64..3, any::<bool>(), prop::option::weighted(0.1, Just(())), side(true), side(false)), 1..60),
    ) {
        let mut time = 0;
        let records: Vec<_> = shown.iter().map(|(id, later, ends, snapshot, bids, asks)| {
            time += later;
            let end = if *ends { LAST } else { 0 };
            mbp10(*id, time, end | snapshot.map_or(0, |()| dbn_flags::SNAPSHOT), bids, asks)
        }).collect();
        let mut replay = open(file(&metadata(3, Some(Schema::Mbp10), &[("A", 7, 0, 1), ("B", 8, 0, 1)]), &records));
        let ids = ["A", "B"].map(|symbol| replay.instrument(Some(symbol)).unwrap().id());
        let (mut models, mut out) = ([Model::default(), Model::default()], Vec::new());
        for (id, _, ends, _, bids, asks) in &shown {
            replay.next(&mut out).unwrap();
            for event in out.drain(..) {
                models[usize::from(event.instrument == ids[1])].apply(&event);
            }
            if *ends {
                let model = &models[(*id - 7) as usize];
                prop_assert_eq!(model.depth(), bids.len() + asks.len());
                let best = [bids, asks].map(|side| side.first().map(|&(price, size)| (price * ONE, i64::from(size))));
                prop_assert_eq!(model.best(), best);
                prop_assert!(bids.iter().all(|(price, _)| model.holds(BID, price * ONE)));
                prop_assert!(asks.iter().all(|(price, _)| model.holds(ASK, price * ONE)));
            }
        }
    }
}
