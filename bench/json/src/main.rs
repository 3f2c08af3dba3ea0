//! serde_json, sonic-rs, simd-json and a plain scanner, in nanoseconds a message: one JSON line for each file.
//!
//! Each makes the same flat list of values in a buffer that is used again. `velox-bench-json ../shared/data` from the
//! repository's root.

// The feed's own, so that what is measured is what runs. Nothing here reads the list that it makes.
#[path = "../../../crates/velox-feed/src/json/build.rs"]
#[allow(dead_code, reason = "the feed reads more of it")]
mod build;
#[path = "../../../crates/velox-feed/src/json/node.rs"]
#[allow(dead_code, reason = "the feed reads more of it")]
mod node;
mod scan;

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use flate2::read::MultiGzDecoder;

const FILES: [&str; 7] = [
    "exchange-captures/KRAKEN.ws.50.0",
    "exchange-captures/OKX.ws.1.0",
    "exchange-captures/BYBIT.ws.25.0",
    "exchange-captures/BINANCE.ws.1.0",
    "exchange-captures/BINANCE.http.0.0",
    "binance/usdm-btcusdt_20240808.gz",
    "binance/spot-btcusdt_20240808.gz",
];

/// Bytes a round: some tenths of a second.
const BYTES: usize = 20_000_000;
const ROUNDS: usize = 7;

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("the shared data");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("gzip");
        return text;
    }
    bytes
}

/// What was received: the JSON of each line.
fn messages(text: &[u8]) -> Vec<&[u8]> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"wss"));
    lines.filter_map(|line| line.iter().position(|byte| matches!(byte, b'{' | b'[')).map(|at| &line[at..])).collect()
}

fn main() {
    let folder = env::args().nth(1).expect("the folder of the shared data");
    for file in FILES {
        let text = read(&Path::new(&folder).join(file));
        let messages = messages(&text);
        let bytes: usize = messages.iter().map(|message| message.len()).sum();
        let repeats = (BYTES / bytes).max(1);
        let (mut of_serde, mut of_sonic, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut copy, mut buffers) = (Vec::new(), simd_json::Buffers::default());
        let mut tape = Some(simd_json::Tape(Vec::new()));
        let mut parsers: [(&str, f64, &mut dyn FnMut(&[u8])); 4] = [
            ("serde_json", f64::MAX, &mut |message| {
                of_serde.clear();
                let mut parser = serde_json::Deserializer::from_slice(message);
                build::build(&mut parser, message, &[], &mut of_serde).expect("JSON");
                parser.end().expect("one value");
                black_box(&of_serde);
            }),
            ("sonic-rs", f64::MAX, &mut |message| {
                of_sonic.clear();
                let mut parser = sonic_rs::Deserializer::from_slice(message);
                build::build(&mut parser, message, &[], &mut of_sonic).expect("JSON");
                parser.end().expect("one value");
                black_box(&of_sonic);
            }),
            ("simd-json", f64::MAX, &mut |message| {
                copy.clear();
                copy.extend_from_slice(message);
                let mut next = tape.take().expect("the tape").reset();
                simd_json::fill_tape(&mut copy, &mut buffers, &mut next).expect("JSON");
                black_box(&next);
                tape = Some(next.reset());
            }),
            ("scanner", f64::MAX, &mut |message| {
                scan::scan(message, &mut nodes);
                black_box(&nodes);
            }),
        ];
        // In turn, so that a change of the processor's speed meets all.
        for _ in 0..ROUNDS {
            for (_, best, parse) in &mut parsers {
                let start = Instant::now();
                (0..repeats).for_each(|_| messages.iter().for_each(|message| parse(message)));
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
        let nanos = |best: f64| best * 1e9 / (repeats * messages.len()) as f64;
        let figures: Vec<String> =
            parsers.iter().map(|(name, best, _)| format!("\"{name}\":{:.0}", nanos(*best))).collect();
        println!(
            "{{\"file\":\"{file}\",\"messages\":{},\"bytes\":{},\"ns\":{{{}}}}}",
            messages.len(),
            bytes / messages.len(),
            figures.join(",")
        );
    }
}
