//! Files of records: what was written is read, and what is damaged is said.

mod common;

use std::io::{self, Cursor, Write};

use common::{FIXTURE, drain, events};
use proptest::prelude::*;
use velox_feed::{
    Arrivals, FeedError, FieldKind, FieldPlace, Native, RecordWriter, Replay, ReplayOptions, Schema, VeloxReader,
    VeloxWriter,
};
use velox_record::{Bundle, EventKind, Instrument, MarketEvent, Record, Trade, Transaction, flags};

fn words<T: Record>(record: &T) -> Vec<u64> {
    let mut words = vec![0; T::WORDS];
    record.to_words(&mut words);
    words
}

fn written(schema: &Schema, records: &[Vec<u64>]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = VeloxWriter::new(&mut file, schema).unwrap();
    for words in records {
        writer.push(words).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    file
}

fn file<T: Native>(records: &[T]) -> Vec<u8> {
    written(&Schema::of::<T>(), &records.iter().map(words).collect::<Vec<_>>())
}

/// All whole records, and the error behind them.
fn read(file: &[u8]) -> (Vec<Vec<u64>>, Option<FeedError>) {
    let mut records = Vec::new();
    let mut reader = match VeloxReader::from_reader("day.velox", Cursor::new(file.to_vec())) {
        Ok(reader) => reader,
        Err(error) => return (records, Some(error)),
    };
    loop {
        match reader.next_record() {
            Ok(Some(words)) => records.push(words.to_vec()),
            Ok(None) => return (records, None),
            Err(error) => {
                assert_eq!(reader.next_record(), Err(error.clone()), "an error repeats");
                return (records, Some(error));
            }
        }
    }
}

fn replay(file: Vec<u8>, options: ReplayOptions) -> Result<Replay, FeedError> {
    Replay::from_reader("day.velox", Cursor::new(file), options)
}

/// Where each block ends, and how many records are whole by then.
fn ends(file: &[u8], words: usize) -> Vec<(usize, usize)> {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut whole) = (16 + number(12) + 4, 0);
    let mut ends = vec![(at, 0)];
    while at < file.len() {
        let (is_records, count) = (file[at] == 1, number(at + 1));
        at += 9 + if is_records { count * words * 8 } else { count };
        whole += if is_records { count } else { 0 };
        ends.push((at, whole));
    }
    ends
}

fn is_corrupt_at_once(error: Option<&FeedError>) -> bool {
    matches!(error, Some(FeedError::Corrupt { line: 1, .. }))
}

fn own(words: usize) -> Schema {
    let field = |at: usize| FieldPlace { name: format!("f{at}"), offset: at * 8, kind: FieldKind::U64 };
    Schema::new("Own", words, (0..words).map(field).collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_read_whatever_its_length(width in 1usize..80, count in 0usize..3_000, seed: u64) {
        let word = |i: usize| (i as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let records: Vec<Vec<u64>> = (0..count).map(|i| (0..width).map(|w| word(i * width + w)).collect()).collect();
        let file = written(&own(width), &records);
        prop_assert_eq!(read(&file), (records, None));
    }

    #[test]
    fn a_changed_byte_is_seen_and_never_gives_another_record(at: prop::sample::Index, bit in 0u8..8, count in 1usize..1_500) {
        let records: Vec<_> = (0..count as u64).map(|id| Trade { id, instrument: 3, ..Trade::default() }).collect();
        let mut file = file(&records);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        let (got, error) = read(&file);
        prop_assert!(matches!(error, Some(FeedError::Corrupt { .. })), "byte {at}: {error:?}");
        let expected: Vec<_> = records.iter().take(got.len()).map(words).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn random_bytes_behind_the_magic_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u32..3) {
        let all = [&b"VELOXREC"[..], &version.to_le_bytes(), &bytes].concat();
        let error = read(&all).1;
        prop_assert!(is_corrupt_at_once(error.as_ref()), "{error:?}");
        prop_assert!(replay(all, ReplayOptions::default()).is_err());
    }

    #[test]
    fn random_blocks_behind_a_good_header_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0u8..5) {
        let mut all = file::<Trade>(&[]);
        all.truncate(ends(&all, Trade::WORDS)[0].0);
        all.push(kind);
        all.extend(bytes);
        let error = read(&all).1;
        prop_assert!(is_corrupt_at_once(error.as_ref()), "{error:?}");
    }
}

#[test]
fn a_file_cut_at_any_byte_gives_its_whole_blocks_and_then_where_it_was_cut() {
    let known = Instrument::new("CUTUSDT", "test", "0.5", "2").unwrap();
    let bundle = |i: u64| {
        let mut bundle = Bundle::new();
        bundle.push(Transaction::new(i, 5, 1, 0, i).with_instrument(known.id())).unwrap();
        bundle.close(i);
        bundle
    };
    // 528 bytes each: the second block is a short one. Of the large file a sample is cut, of the small one every byte.
    for (count, whole, step) in [(130, &[0, 0, 124, 130, 130][..], 977), (2, &[0, 0, 2, 2], 1)] {
        let bundles: Vec<_> = (0..count).map(bundle).collect();
        let (file, all) = (file(&bundles), bundles.iter().map(words).collect::<Vec<_>>());
        let ends = ends(&file, Bundle::WORDS);
        assert_eq!(ends.iter().map(|end| end.1).collect::<Vec<_>>(), whole);
        assert_eq!(read(&file), (all.clone(), None));
        let near = |at: usize| ends.iter().any(|(end, _)| at.abs_diff(*end) < 40);
        for at in (0..file.len()).filter(|at| near(*at) || at % step == 0) {
            let (got, error) = read(&file[..at]);
            let whole = ends.iter().rev().find(|(end, _)| *end <= at).map_or(0, |end| end.1);
            let Some(FeedError::Corrupt { path, line, got: found, .. }) = error else { panic!("byte {at}: {error:?}") };
            assert_eq!((path.as_str(), line, got.len()), ("day.velox", whole as u64 + 1, whole), "byte {at}");
            assert!(found.contains("cut off") && got == all[..whole], "{found}");
        }
    }
    let file = file(&[bundle(1)]);
    let (_, error) = read(&[&file[..], b"\0"].concat());
    assert!(error.unwrap().to_string().contains("nothing behind the end"));
}

#[test]
fn what_blocks_say_about_their_size_is_bounded() {
    let header = {
        let file = file::<Trade>(&[]);
        file[..ends(&file, Trade::WORDS)[0].0].to_vec()
    };
    for (kind, count, expected) in [
        (1u8, 0u32, "a block of records, an instrument or the end"),
        (1, 65_537, "a block of records, an instrument or the end"),
        (1, 65_536, "a block of at most 1 MiB"),
        (2, u32::MAX, "a block of at most 1 MiB"),
        (3, 9, "a block of records, an instrument or the end"),
        (4, 1, "a block of records, an instrument or the end"),
    ] {
        let error = read(&[&header[..], &[kind], &count.to_le_bytes(), &[0; 4]].concat()).1.unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = read(&[&b"VELOXREC"[..], &1u32.to_le_bytes(), &u32::MAX.to_le_bytes()].concat()).1.unwrap();
    assert!(error.to_string().contains("a header of at most 1 MiB"), "{error}");
}

#[test]
fn a_schema_is_within_its_record() {
    let place = |offset, kind| vec![FieldPlace { name: "x".into(), offset, kind }];
    let of = |words, fields| Schema::new("Own", words, fields).map_err(|error| error.code());
    assert!(of(2, place(8, FieldKind::Nanos)).is_ok() && of(2, place(4, FieldKind::Text { max_bytes: 10 })).is_ok());
    for (words, fields) in [
        (0, place(0, FieldKind::U8)),
        (8_193, place(0, FieldKind::U8)),
        (1, Vec::new()),
        (1, place(8, FieldKind::U8)),
        (1, place(2, FieldKind::U32)),
        (1, place(usize::MAX, FieldKind::U8)),
        (1, place(0, FieldKind::Text { max_bytes: usize::MAX })),
        (66, place(0, FieldKind::Records)),
    ] {
        assert_eq!(of(words, fields.clone()), Err("VELOX_INVALID_VALUE"), "{words} {fields:?}");
    }
}

/// Takes so many bytes, then none.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("the disk is full"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_once_and_nothing_is_written_after_it() {
    let mut writer = VeloxWriter::new(Full(1_000), &own(1)).unwrap();
    let error = (0..100_000).find_map(|i| writer.push(&[i]).err()).unwrap();
    assert_eq!(error.to_string(), "the disk is full");
    assert_eq!(writer.push(&[1]).unwrap_err().to_string(), "the file was ended");
    assert!(writer.finish().is_ok());
    assert!(VeloxWriter::new(Full(10), &own(1)).is_err());
}

#[test]
fn a_writer_that_is_dropped_has_ended_its_file() {
    let mut file = Vec::new();
    VeloxWriter::new(&mut file, &own(1)).unwrap().push(&[7]).unwrap();
    assert_eq!(read(&file), (vec![vec![7]], None));
}

#[test]
fn recorded_events_come_back_by_receive_time_with_their_instrument() {
    let original = events(FIXTURE);
    let mut replay = replay(file(&original), ReplayOptions::default()).unwrap();
    assert_eq!((replay.venue(), replay.instrument(None).unwrap().symbol()), ("binance-usdm", "BTCUSDT"));
    let messages: Vec<_> = drain(&mut replay).into_iter().map(Result::unwrap).collect();
    assert!(messages.windows(2).all(|pair| pair[0].0 != pair[1].0));
    assert!(messages.iter().all(|(time, events)| events.iter().all(|event| event.receive_ts == *time)));
    let got: Vec<_> = messages.into_iter().flat_map(|(_, events)| events).collect();
    assert!(got == original && got.len() > 200);

    let mut lines = Replay::from_reader("day.txt", Cursor::new(FIXTURE), ReplayOptions::default()).unwrap();
    drain(&mut lines);
    let id = original[0].instrument;
    assert!(replay.comparable(id) == lines.comparable(id) && replay.comparable(id) > 0);
    assert_eq!((replay.comparable(0), replay.left_out()), (0, 0));
}

fn event(instrument: u16, receive_ts: u64) -> MarketEvent {
    MarketEvent { kind: EventKind::TRADE, instrument, receive_ts, price: 3, qty: 4, ..MarketEvent::default() }
}

#[test]
fn symbols_and_instruments_are_chosen_as_with_lines() {
    let [a, b] = ["AUSDT", "BUSDT"].map(|symbol| Instrument::new(symbol, "velox-test", "0.25", "2").unwrap());
    let bytes = file(&[event(a.id(), 1), event(b.id(), 2), event(b.id(), 3), event(0, 4)]);
    let symbols = |symbol: &str| ReplayOptions { symbols: vec![symbol.into()], ..ReplayOptions::default() };
    let given = |instrument| ReplayOptions { instruments: vec![instrument], ..ReplayOptions::default() };

    let mut only = replay(bytes.clone(), symbols("BUSDT")).unwrap();
    assert_eq!(only.instruments(), std::slice::from_ref(&b));
    let lengths: Vec<_> = drain(&mut only).into_iter().map(|message| message.unwrap().1.len()).collect();
    assert_eq!((lengths, only.left_out(), only.counts().skipped), (vec![0, 1, 1, 0], 2, 2));

    let error = replay(bytes.clone(), symbols("XUSDT")).err().unwrap();
    assert_eq!(error.to_string(), "unknown symbol: expected one of AUSDT, BUSDT, got XUSDT");
    let error = replay(bytes.clone(), ReplayOptions::default()).unwrap().instrument(None).unwrap_err();
    assert_eq!(error.code(), "VELOX_UNKNOWN_SYMBOL");

    let nowhere = Instrument::new("AUSDT", "", "0.25", "2").unwrap();
    let mut moved = replay(bytes.clone(), given(nowhere.clone())).unwrap();
    assert_eq!(drain(&mut moved)[0].as_ref().unwrap().1[0].instrument, nowhere.id());
    let error = replay(bytes, given(Instrument::new("AUSDT", "velox-test", "0.5", "2").unwrap())).err().unwrap();
    let expected =
        "instruments: expected AUSDT with tick 0.25 and lot 2, as recorded, got AUSDT with tick 0.5 and lot 2";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_format_is_recognised_and_the_wrong_one_refused() {
    let bytes = file(&[event(0, 1)]);
    let format = |format: &str| ReplayOptions { format: Some(format.into()), ..ReplayOptions::default() };
    assert!(replay(bytes.clone(), format("velox")).is_ok());
    assert!(matches!(replay(bytes.clone(), format("binance")), Err(FeedError::Corrupt { line: 1, .. })));
    assert!(matches!(replay(FIXTURE.into(), format("velox")), Err(FeedError::Corrupt { line: 1, .. })));
    let error = replay(bytes, format("csv")).err().unwrap();
    assert_eq!(error.to_string(), "unknown format: expected one of binance, capture, messages, velox, got csv");

    let error = replay(file(&[Trade::default()]), ReplayOptions::default()).err().unwrap();
    assert_eq!(error.to_string(), "replay: expected a recording of MarketEvent, got day.velox, one of Trade");
    let schema = Schema::new("MarketEvent", 8, own(8).fields().to_vec()).unwrap();
    let error = replay(written(&schema, &[]), ReplayOptions::default()).err().unwrap();
    assert!(error.to_string().ends_with("one of another MarketEvent"), "{error}");
}

#[test]
fn an_event_that_is_none_and_an_instrument_that_is_not_said_are_errors_of_their_record() {
    let mut bad = words(&event(0, 2));
    bad[0] |= 9;
    let cases = [(bad, "field `kind`"), (words(&event(60_000, 2)), "field `instrument`")];
    for (bad, expected) in cases {
        let bytes = written(&Schema::of::<MarketEvent>(), &[words(&event(0, 1)), bad]);
        let messages = drain(&mut replay(bytes, ReplayOptions::default()).unwrap());
        assert_eq!(messages[0].as_ref().unwrap().1.len(), 1, "what was whole comes first");
        let Err(FeedError::Corrupt { line: 2, expected: named, .. }) = &messages[1] else { panic!("{messages:?}") };
        assert!(named.contains(expected), "{named}");
    }
}

#[test]
fn pairs_before_the_first_snapshot_count_only_where_none_ever_comes() {
    let of = |kind, flags, sequence| MarketEvent { kind, flags, sequence, ..event(0, sequence) };
    let market = Instrument::new("PAIRUSDT", "test", "1", "1").unwrap();
    let count = |events: &[MarketEvent]| {
        let own: Vec<_> = events.iter().map(|event| MarketEvent { instrument: market.id(), ..*event }).collect();
        let mut replay = replay(file(&own), ReplayOptions::default()).unwrap();
        drain(&mut replay);
        (replay.comparable(market.id()), replay.counts().gaps)
    };
    let (quote, level) = (of(EventKind::QUOTE, flags::LAST, 5), of(EventKind::LEVEL, flags::LAST, 5));
    let snapshot = of(EventKind::LEVEL, flags::SNAPSHOT | flags::LAST, 7);
    let later = [of(EventKind::QUOTE, flags::LAST, 9), of(EventKind::LEVEL, flags::LAST, 9)];
    assert_eq!(count(&[quote, level]), (1, 0));
    assert_eq!(count(&[quote, level, snapshot, later[0], later[1]]), (1, 0));
    let gap = of(EventKind::STATUS, flags::GAP, 10);
    assert_eq!(count(&[snapshot, later[1], later[0], gap, quote, level]), (2, 1));
}
