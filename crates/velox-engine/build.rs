//! Tells the tests whether the recorded days are on this machine, so that the harness counts what it had to skip.

use std::path::Path;

fn main() {
    let days = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/binance");
    println!("cargo::rustc-check-cfg=cfg(shared_absent)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", days.display());
    if !days.is_dir() {
        println!("cargo::rustc-cfg=shared_absent");
    }
}
