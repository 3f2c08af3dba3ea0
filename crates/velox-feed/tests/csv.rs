//! Records as text.

use proptest::prelude::*;
use velox_feed::{CsvWriter, FieldKind, FieldPlace, RecordWriter, Schema};
use velox_record::{BID, Bundle, EventKind, Instrument, MarketEvent, Record, Transaction};

fn lines(schema: &Schema, records: &[Vec<u64>]) -> String {
    let mut text = Vec::new();
    let mut writer = CsvWriter::new(&mut text, schema);
    for words in records {
        writer.push(words).unwrap();
    }
    writer.finish().unwrap();
    assert!(writer.push(&records[0]).is_err());
    drop(writer);
    String::from_utf8(text).unwrap()
}

fn own(words: usize, fields: &[(&str, usize, FieldKind)]) -> Schema {
    let place = |(name, offset, kind): &(&str, usize, FieldKind)| FieldPlace {
        name: (*name).into(),
        offset: *offset,
        kind: kind.clone(),
    };
    Schema::new("Own", words, fields.iter().map(place).collect()).unwrap()
}

fn words<T: Record>(record: &T) -> Vec<u64> {
    let mut words = vec![0; T::WORDS];
    record.to_words(&mut words);
    words
}

/// A text at byte `at`.
fn put_text(words: &mut [u64], at: usize, text: &[u8]) {
    for (i, byte) in (text.len() as u16).to_le_bytes().iter().chain(text).enumerate() {
        words[(at + i) / 8] |= u64::from(*byte) << ((at + i) % 8 * 8);
    }
}

#[test]
fn each_kind_is_written_as_it_reads() {
    let schema = own(
        6,
        &[
            ("a,b", 0, FieldKind::U8),
            ("i8", 1, FieldKind::I8),
            ("i16", 2, FieldKind::I16),
            ("i32", 4, FieldKind::I32),
            ("i64", 8, FieldKind::I64),
            ("f32", 16, FieldKind::F32),
            ("flag", 20, FieldKind::Bool),
            ("side", 21, FieldKind::Side),
            ("mood", 22, FieldKind::Names { names: vec!["calm".into(), "so, \"so\"".into()] }),
            ("f64", 24, FieldKind::F64),
            ("u64", 32, FieldKind::U64),
            ("u16", 40, FieldKind::U16),
        ],
    );
    let low = 0xffu64 | 0x80 << 8 | 0xffff << 16 | 0x8000_0000 << 32;
    let mid = u64::from(0.1f32.to_bits()) | 1 << 32 | 1 << 40 | 1 << 48;
    let first = vec![low, i64::MIN as u64, mid, 0.1f64.to_bits(), u64::MAX, 65_535];
    let rest = vec![0, 5, u64::from(2.0f32.to_bits()) | 7 << 40 | 9 << 48, f64::NEG_INFINITY.to_bits(), 0, 0];
    let text = lines(&schema, &[first, rest]);
    assert_eq!(
        text,
        concat!(
            "\"a,b\",i8,i16,i32,i64,f32,flag,side,mood,f64,u64,u16\n",
            "255,-128,-1,-2147483648,-9223372036854775808,0.1,true,ask,\"so, \"\"so\"\"\",0.1,18446744073709551615,65535\n",
            "0,0,0,0,5,2,false,7,9,-Infinity,0,0\n",
        )
    );
}

#[test]
fn events_and_bundles_have_the_names_of_the_face() {
    let (kind, instrument) = (EventKind::QUOTE, 65_000);
    let event = MarketEvent { kind, instrument, side: BID, price: -5, receive_ts: 9, ..MarketEvent::default() };
    assert_eq!(
        lines(&Schema::of::<MarketEvent>(), &[words(&event)]),
        "kind,venue,symbol,side,flags,price,qty,sequence,exchangeTs,receiveTs\nquote,,65000,bid,0,-5,0,0,0,9\n"
    );
    let mut bundle = Bundle::new();
    let known = Instrument::new("A,B", "test", "0.01", "1").unwrap();
    bundle.push(Transaction::new(1, 2, 3, 0, 4).with_instrument(known.id())).unwrap();
    bundle.push(Transaction::new(5, -6, 7, 1, 8).with_instrument(65_001)).unwrap();
    bundle.close(99);
    assert_eq!(
        lines(&Schema::of::<Bundle>(), &[words(&Bundle::new()), words(&bundle)]),
        concat!(
            "bundle,createdTsNs,id,price,size,side,venue,symbol,ingressTsNs\n",
            "2,99,1,2,3,bid,test,\"A,B\",4\n2,99,5,-6,7,ask,,65001,8\n"
        )
    );
}

#[test]
fn bytes_that_are_no_text_do_not_break_the_file() {
    let schema = own(2, &[("t", 0, FieldKind::Text { max_bytes: 8 })]);
    let mut record = vec![0; 2];
    put_text(&mut record, 0, b"a\xff,\xc3");
    // A length beyond the field.
    let long = vec![0x6161_6161_6161_ffff, 0x6161];
    assert_eq!(lines(&schema, &[record, long]), "t\n\"a?,?\"\naaaaaaaa\n");
}

/// A reader of RFC 4180, as simple as it gets.
fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => field.push(rest.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(row.is_empty() && field.is_empty() && !quoted);
    rows
}

proptest! {
    #[test]
    fn texts_and_numbers_read_back_as_they_were(
        rows in prop::collection::vec((prop::collection::vec(prop_oneof![Just('"'), Just(','), Just('\n'), Just('\r'), any::<char>()], 0..12), any::<f64>(), any::<i64>()), 1..300),
    ) {
        let schema = own(10, &[("text", 16, FieldKind::Text { max_bytes: 60 }), ("x", 0, FieldKind::F64), ("n", 8, FieldKind::I64)]);
        let rows: Vec<(String, f64, i64)> = rows.into_iter().map(|(text, x, n)| (text.into_iter().collect(), x, n)).collect();
        let record = |(text, x, n): &(String, f64, i64)| {
            let mut words = vec![x.to_bits(), *n as u64, 0, 0, 0, 0, 0, 0, 0, 0];
            put_text(&mut words, 16, text.as_bytes());
            words
        };
        let text = lines(&schema, &rows.iter().map(record).collect::<Vec<_>>());
        let read = parse(&text);
        prop_assert_eq!(&read[0], &["text", "x", "n"]);
        prop_assert_eq!(read.len(), rows.len() + 1);
        for (read, (text, x, n)) in read[1..].iter().zip(&rows) {
            prop_assert_eq!(&read[0], text);
            prop_assert_eq!(read[1].parse::<f64>().unwrap().to_bits(), x.to_bits());
            prop_assert_eq!(read[2].parse::<i64>().unwrap(), *n);
        }
    }
}
