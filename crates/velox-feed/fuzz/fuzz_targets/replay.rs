//! Any bytes as a file: it is read to its end, or refused.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use velox_feed::{Arrivals, Replay, ReplayOptions};

fuzz_target!(|data: &[u8]| {
    let Ok(mut replay) = Replay::from_reader("fuzz", Cursor::new(data.to_vec()), ReplayOptions::default()) else {
        return;
    };
    let (mut out, mut last) = (Vec::new(), None);
    loop {
        out.clear();
        match replay.next(&mut out) {
            Ok(Some(_)) => last = None,
            Ok(None) => return,
            Err(error) if last.as_ref() == Some(&error) => return,
            Err(error) => last = Some(error),
        }
    }
});
