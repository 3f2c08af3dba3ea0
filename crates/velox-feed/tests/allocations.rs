//! Writing and reading records allocates nothing: a global allocator counts.

use std::io::{Cursor, sink};

use velox_feed::{CsvWriter, FieldKind, FieldPlace, RecordWriter, Schema, VeloxReader, VeloxWriter};
use velox_record::{Instrument, MarketEvent, Record};
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RECORDS: usize = 10_000;

/// How often `work` allocates over many records, behind the first.
fn counted(mut work: impl FnMut()) -> u64 {
    work();
    let before = Counting::of_thread().allocations;
    (0..RECORDS).for_each(|_| work());
    Counting::of_thread().allocations - before
}

#[test]
fn no_record_allocates() {
    let known = Instrument::new("BTCUSDT", "test", "0.01", "0.001").unwrap();
    let event = MarketEvent { instrument: known.id(), price: i64::MIN, qty: i64::MIN, ..MarketEvent::default() };
    let (schema, mut words) = (Schema::of::<MarketEvent>(), [0; MarketEvent::WORDS]);
    event.to_words(&mut words);

    let mut file = Vec::with_capacity(4 << 20);
    let mut velox = VeloxWriter::new(&mut file, &schema).unwrap();
    assert_eq!(counted(|| velox.push(&words).unwrap()), 0, ".velox");
    drop(velox);
    let mut csv = CsvWriter::new(sink(), &schema);
    assert_eq!(counted(|| csv.push(&words).unwrap()), 0, ".csv");

    // The widest lines: quotes only, and the longest number.
    let field = |name: &str, offset, kind| FieldPlace { name: name.into(), offset, kind };
    let fields = vec![field("x", 0, FieldKind::F64), field("text", 8, FieldKind::Text { max_bytes: 6 })];
    let widest = [f64::MIN_POSITIVE.to_bits(), 0x2222_2222_2222_0006];
    let mut csv = CsvWriter::new(sink(), &Schema::new("Wide", 2, fields).unwrap());
    assert_eq!(counted(|| csv.push(&widest).unwrap()), 0, "wide lines");

    let mut reader = VeloxReader::from_reader("memory", Cursor::new(file)).unwrap();
    let read = || assert_eq!(reader.next_record().unwrap(), Some(&words[..]));
    assert_eq!(counted(read), 0, "reading");
}
