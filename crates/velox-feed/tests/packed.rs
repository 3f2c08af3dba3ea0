//! What `replay` reads it reads as well packed.

mod common;

use std::io::{Cursor, Read};

use common::{FIXTURE, drain, events};
use flate2::Compression;
use flate2::read::GzEncoder;
use velox_feed::{FeedError, RecordWriter, Replay, ReplayOptions, Schema, VeloxWriter};
use velox_record::{MarketEvent, Record};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// The events of the fixture as a `.velox` file.
fn velox() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = VeloxWriter::new(&mut file, &Schema::of::<MarketEvent>()).unwrap();
    let mut words = [0; MarketEvent::WORDS];
    for event in events(FIXTURE) {
        event.to_words(&mut words);
        writer.push(&words).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    file
}

#[test]
fn lines_and_velox_files_read_alike_plain_and_packed() {
    let (expected, velox) = (events(FIXTURE), velox());
    assert!(expected.len() > 100);
    for file in [FIXTURE.as_bytes(), &velox] {
        for packed in [file.to_vec(), gzip(file), zstd(file)] {
            assert_eq!(events(packed), expected);
        }
    }
}

#[test]
fn a_packed_file_that_is_cut_off_is_corrupt_whatever_is_in_it() {
    for file in [FIXTURE.as_bytes(), &velox()] {
        for packed in [gzip(file), zstd(file)] {
            let cut = packed[..packed.len() - 5].to_vec();
            let replay = Replay::from_reader("cut", Cursor::new(cut), ReplayOptions::default());
            let last = replay.map_or_else(Err, |mut replay| drain(&mut replay).pop().unwrap());
            let Err(FeedError::Corrupt { expected, .. }) = last else { panic!("no damage") };
            assert!(expected.starts_with("a whole, undamaged "), "{expected}");
        }
    }
}
