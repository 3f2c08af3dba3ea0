//! Tells the tests what is on this machine, so that the harness counts what it had to skip: the recorded days, and valgrind.

use std::env;
use std::path::Path;

fn main() {
    let days = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/binance");
    println!("cargo::rustc-check-cfg=cfg(shared_absent, valgrind_absent)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", days.display());
    if !days.is_dir() {
        println!("cargo::rustc-cfg=shared_absent");
    }
    let path = env::var_os("PATH").unwrap_or_default();
    match env::split_paths(&path).map(|folder| folder.join("valgrind")).find(|found| found.is_file()) {
        // A file that there is not would have all of this done again each time.
        Some(found) => println!("cargo::rerun-if-changed={}", found.display()),
        None => println!("cargo::rustc-cfg=valgrind_absent"),
    }
}
