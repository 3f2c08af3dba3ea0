//! Does one kind of work so many blocks long, and nothing else: for a tool that counts instructions.
//!
//! `repeat ring 300`

use std::env;

use velox_bench::{WORKS, Work};

fn main() {
    let mut args = env::args().skip(1);
    let (name, blocks) = (args.next().unwrap_or_default(), args.next().and_then(|text| text.parse::<u32>().ok()));
    let (Some(mut work), Some(blocks)) = (Work::named(&name), blocks) else {
        eprintln!("expected one of {} and a number of blocks, got {name:?}", WORKS.join(", "));
        std::process::exit(2);
    };
    for _ in 0..blocks {
        work.block();
    }
}
