//! Bytes that were meant to be DBN: events or a typed error, and memory that the file can't choose. A global allocator
//! counts.

mod common;
mod made;

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use common::drain;
use dbn::Schema;
use made::{LAST, file, mbp1, mbp10, metadata};
use proptest::prelude::*;
use velox_feed::{Arrivals, FeedError, Replay, ReplayOptions};
use velox_record::EventKind;
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that a small file may take: 64 KiB each to unpack, to buffer and to hold records, and what they hold.
const MOST: i64 = 2 << 20;

/// Reads it all; every outcome but a panic or a mistyped error is fine.
fn check(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let (before, length) = (Counting::of_thread().bytes, bytes.len() as i64);
    Counting::forget_most();
    let options = ReplayOptions { format: Some("dbn".into()), ..ReplayOptions::default() };
    match Replay::from_reader("damaged.dbn", Cursor::new(bytes), options) {
        Ok(mut replay) => {
            for message in drain(&mut replay) {
                match message {
                    Ok((_, events)) => {
                        for event in events {
                            prop_assert!(event.instrument > 0 && event.side <= 1 && event.qty >= 0);
                            prop_assert!(event.kind != EventKind::QUOTE);
                        }
                    }
                    Err(FeedError::Corrupt { line, expected, got, .. }) => {
                        prop_assert!(line > 0 && !expected.is_empty() && got.chars().count() <= 80, "{}", expected);
                    }
                    Err(error) => prop_assert!(false, "{error}"),
                }
            }
        }
        Err(FeedError::Corrupt { line: 1.., .. } | FeedError::UnknownFormat { .. }) => {}
        Err(error) => prop_assert!(false, "{error}"),
    }
    let peak = Counting::of_thread().most_bytes - before;
    prop_assert!(peak < MOST + 16 * length, "{peak} bytes for a file of {length}");
    Ok(())
}

/// DBN 1 as DBZ, which has no encoder: see `src/dbn/dbz.rs`.
fn dbz(dbn: &[u8], records_at: usize) -> Vec<u8> {
    let mut frame = b"DBZ\x01".to_vec();
    frame.extend(&dbn[8..58]);
    frame.push(0);
    frame.extend(&dbn[58..60]);
    frame.resize(96, 0);
    frame.extend(zstd::encode_all(&dbn[108..records_at], 3).unwrap());
    let head = [&[0x51, 0x2a, 0x4d, 0x18][..], &(frame.len() as u32).to_le_bytes()].concat();
    [head, frame, zstd::encode_all(&dbn[records_at..], 3).unwrap()].concat()
}

/// The same 40 records in each version and packing.
fn files() -> Vec<Vec<u8>> {
    let mapped = [("A", 7, 0, 1), ("B", 8, 0, 1), ("A", 9, 1, 2)];
    let deep: Vec<_> = (0..20u32)
        .map(|time| {
            mbp10(7 + time % 2, u64::from(time), LAST, &[(99, time + 1), (98, 2)], &[(100 + i64::from(time), 3)])
        })
        .collect();
    let mut files: Vec<_> =
        (1..=3).map(|version| file(&metadata(version, Some(Schema::Mbp10), &mapped), &deep)).collect();
    let shallow: Vec<_> = (0..20u32).map(|time| mbp1(8, u64::from(time), LAST, 1, b'A', [time, 1])).collect();
    files.push(file(&metadata(3, None, &mapped), &shallow));
    files.push(zstd::encode_all(&files[2][..], 3).unwrap());
    let head = file(&metadata(1, Some(Schema::Mbp10), &mapped), &deep[..0]).len();
    files.push(dbz(&files[0], head));
    files
}

#[test]
fn the_files_to_damage_are_whole() {
    let files = files();
    let events = |bytes: &Vec<u8>| {
        let mut replay = Replay::from_reader("made", Cursor::new(bytes.clone()), ReplayOptions::default()).unwrap();
        drain(&mut replay).into_iter().flat_map(|message| message.unwrap().1).collect::<Vec<_>>()
    };
    let expected = events(&files[0]);
    assert!(expected.len() > 40);
    assert!([1, 2, 4, 5].iter().all(|&nth| events(&files[nth]) == expected));
    assert_eq!(events(&files[3]).iter().filter(|event| event.kind == EventKind::TRADE).count(), 20);
}

/// What `cargo fuzz` begins with, made once: another zstd packs otherwise.
#[test]
fn the_committed_files_are_those_to_damage() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/dbn");
    let names = ["mbp10-v1.dbn", "mbp10-v2.dbn", "mbp10-v3.dbn", "mbp1-v3.dbn", "mbp10-v3.dbn.zst", "mbp10.dbz"];
    for (name, made) in names.into_iter().zip(files()) {
        let events = |bytes: Vec<u8>| {
            let mut replay = Replay::from_reader(name, Cursor::new(bytes), ReplayOptions::default()).unwrap();
            drain(&mut replay).into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(events(fs::read(folder.join(name)).unwrap()), events(made), "{name}");
    }
}

#[test]
fn every_cut_is_seen_or_falls_between_two_records() {
    for (nth, whole) in files().into_iter().enumerate() {
        let mut between = 0;
        for end in 0..whole.len() {
            let bytes = whole[..end].to_vec();
            check(bytes.clone()).unwrap();
            let replay = Replay::from_reader("cut", Cursor::new(bytes), ReplayOptions::default());
            let ended_well = replay.is_ok_and(|mut replay| drain(&mut replay).iter().all(Result::is_ok));
            between += usize::from(ended_well);
        }
        // Before each of the 20 records; what is packed knows its end.
        assert_eq!(between, if nth < 4 { 20 } else { 0 }, "file {nth}");
    }
}

#[test]
fn lengths_that_lie_cost_no_memory() {
    let whole = files().swap_remove(2);
    for length in [0, 99, 100, 1 << 20, 127 << 20, 128 << 20, 1 << 30, u32::MAX] {
        let mut bytes = whole.clone();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        check(bytes).unwrap();
    }
    // Every 32 bits of the metadata's lists as the largest count.
    for at in 108..whole.len().min(108 + 1_500) {
        for count in [u32::MAX, 1 << 24] {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&count.to_le_bytes());
            check(bytes).unwrap();
        }
    }
    // A symbol of no bytes would let a count be anything.
    for length in [0u16, 1, 21] {
        let mut bytes = whole.clone();
        bytes[53..55].copy_from_slice(&length.to_le_bytes());
        let error = Replay::from_reader("short", Cursor::new(bytes), ReplayOptions::default()).err().unwrap();
        assert!(error.to_string().contains("symbols of at least 22 bytes"), "{error}");
    }
}

#[test]
fn a_record_of_an_odd_length_ends_the_file_before_the_next_one_is_read_unaligned() {
    let mut bytes = files().swap_remove(2);
    let length = size_of::<dbn::Mbp10Msg>();
    let second = bytes.len() - 19 * length;
    bytes[second] += 1;
    let messages = drain(&mut Replay::from_reader("odd.dbn", Cursor::new(bytes), ReplayOptions::default()).unwrap());
    let Err(FeedError::Corrupt { line: 2, expected, got, .. }) = &messages[1] else { panic!("{:?}", messages[1]) };
    assert_eq!((expected.as_str(), got.as_str()), ("a record of a multiple of 8 bytes", "372"));
    assert_eq!((messages.len(), &messages[2]), (3, &messages[1]), "it repeats");
}

#[test]
fn other_versions_are_refused_by_number() {
    for version in [0, 4, 9, 31] {
        let mut bytes = files().swap_remove(0);
        bytes[3] = version;
        let error = Replay::from_reader("new.dbn", Cursor::new(bytes), ReplayOptions::default()).err().unwrap();
        assert!(error.to_string().ends_with(&format!("dbn version 3, got dbn version {version}")), "{error}");
        assert_eq!(error.code(), "VELOX_UNKNOWN_FORMAT");
    }
}

#[test]
fn no_record_allocates() {
    let records: Vec<_> = (0..10_000u32)
        .map(|time| mbp10(7 + time % 2, u64::from(time), LAST, &[(99, time + 1), (98 - i64::from(time % 7), 2)], &[]))
        .collect();
    let bytes = file(&metadata(3, Some(Schema::Mbp10), &[("A", 7, 0, 1), ("B", 8, 0, 1)]), &records);
    let mut replay = made::open(bytes);
    let mut out = Vec::with_capacity(64);
    let mut next = || {
        out.clear();
        replay.next(&mut out).unwrap().is_some()
    };
    (0..4).for_each(|_| assert!(next()));
    let before = Counting::of_thread().allocations;
    let mut read = 4;
    while next() {
        read += 1;
    }
    assert_eq!((read, Counting::of_thread().allocations - before), (10_000, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn damaged_files_give_events_or_typed_errors(
        nth in 0..6usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..12),
        cut in prop::option::of((any::<prop::sample::Index>(), 1usize..40)),
        copy in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1usize..400)),
        end in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = files().swap_remove(nth);
        if let Some((from, to, length)) = copy {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
            bytes.splice(to..to, piece);
        }
        if let Some((at, length)) = cut {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        for (at, bits) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        check(bytes)?;
    }

    #[test]
    fn bytes_that_were_never_a_file_are_refused(
        magic in prop::sample::select(vec![&b""[..], b"DBN\x01", b"DBN\x03", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18\x80\0\0\0DBZ\x01"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        check([magic, &bytes[..]].concat())?;
    }
}
