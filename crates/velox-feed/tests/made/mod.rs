//! DBN files made by the crate's own encoder.
#![allow(dead_code, reason = "each test file uses its part")]

use dbn::encode::dbn::Encoder;
use dbn::encode::{DbnEncodable, EncodeRecord};
use dbn::enums::rtype;
use dbn::{
    BidAskPair, FlagSet, MappingInterval, Mbp1Msg, Mbp10Msg, Metadata, RecordHeader, SType, Schema, SymbolMapping,
    UNDEF_PRICE,
};
use velox_feed::{Replay, ReplayOptions};

/// Price 1 in DBN.
pub const ONE: i64 = 1_000_000_000;
pub const DAY: u64 = 86_400_000_000_000;
/// 2024-01-01.
pub const START: u64 = 19_723 * DAY;
pub const LAST: u8 = dbn::flags::LAST;

/// Symbol, instrument id, and the days from the first until before another that it is so.
pub type Mapped = (&'static str, u32, u64, u64);

pub fn metadata(version: u8, schema: Option<Schema>, mapped: &[Mapped]) -> Metadata {
    let about = |start| {
        Metadata::builder()
            .version(version)
            .dataset("TEST.SET")
            .schema(schema)
            .start(start)
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
    };
    let date = |day| about(START + day * DAY).build().start().date();
    let mappings = mapped.iter().map(|&(symbol, id, from, until)| SymbolMapping {
        raw_symbol: symbol.into(),
        intervals: vec![MappingInterval { start_date: date(from), end_date: date(until), symbol: id.to_string() }],
    });
    about(START).mappings(mappings.collect()).build()
}

/// A whole file of these records.
pub fn file<R: DbnEncodable>(metadata: &Metadata, records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, metadata).unwrap();
    for record in records {
        encoder.encode_record(record).unwrap();
    }
    bytes
}

/// A record without a trade: its instrument, when, its flags, its levels from the best (price and size, in whole units).
pub fn mbp10(id: u32, time: u64, flags: u8, bids: &[(i64, u32)], asks: &[(i64, u32)]) -> Mbp10Msg {
    let mut levels: [BidAskPair; 10] = Default::default();
    for (at, pair) in levels.iter_mut().enumerate() {
        (pair.bid_px, pair.bid_sz) = bids.get(at).map_or((UNDEF_PRICE, 0), |&(price, size)| (price * ONE, size));
        (pair.ask_px, pair.ask_sz) = asks.get(at).map_or((UNDEF_PRICE, 0), |&(price, size)| (price * ONE, size));
    }
    Mbp10Msg {
        hd: RecordHeader::new::<Mbp10Msg>(rtype::MBP_10, 1, id, START + time),
        action: b'A' as _,
        side: b'B' as _,
        flags: FlagSet::new(flags),
        ts_recv: START + time + 1,
        sequence: time as u32,
        levels,
        ..Mbp10Msg::default()
    }
}

/// A trade of `size` at 100 within `mbp-1`, with a bid of 99 and an ask of 101, or nothing where a size is 0.
pub fn mbp1(id: u32, time: u64, flags: u8, size: u32, side: u8, sizes: [u32; 2]) -> Mbp1Msg {
    let price = |size, price| if size == 0 { UNDEF_PRICE } else { price };
    let [bid_sz, ask_sz] = sizes;
    let pair = BidAskPair {
        bid_px: price(bid_sz, 99 * ONE),
        ask_px: price(ask_sz, 101 * ONE),
        bid_sz,
        ask_sz,
        ..Default::default()
    };
    Mbp1Msg {
        hd: RecordHeader::new::<Mbp1Msg>(rtype::MBP_1, 1, id, START + time),
        price: 100 * ONE,
        size,
        action: b'T' as _,
        side: side as _,
        flags: FlagSet::new(flags),
        ts_recv: START + time + 1,
        sequence: time as u32,
        levels: [pair],
        ..Mbp1Msg::default()
    }
}

pub fn open(bytes: Vec<u8>) -> Replay {
    Replay::from_reader("made.dbn", std::io::Cursor::new(bytes), ReplayOptions::default()).unwrap()
}
