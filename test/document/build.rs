//! Cuts the Rust blocks out of the founding document, each into a file of its own that a binary includes.
//!
//! The document lies beside the project, not in it. Where it is absent the binaries are empty and the tests are
//! ignored, with a count.

use std::path::Path;
use std::{env, fs};

const DOCUMENT: &str = "../../../shared/spec/velox-usage-examples.md";

/// The text of each fenced Rust block, in order.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in document.lines() {
        match (&mut block, line) {
            (None, "```rust") => block = Some(String::new()),
            (None, _) => {}
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(text), _) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    blocks
}

/// What to run where a block has no `main`; nothing where it only declares.
fn entry(block: &str) -> &'static str {
    if block.contains("fn main()") {
        return "";
    }
    if block.contains("async fn jito_integration_example()") {
        return "fn main() { tokio::runtime::Runtime::new().unwrap().block_on(jito_integration_example()) }";
    }
    let runs = ["trading_pipeline", "detect_arbitrage", "custom_pipeline", "solana_integration", "monitored_pipeline"];
    match runs.iter().position(|name| block.contains(&format!("fn {name}()"))) {
        Some(0) => "fn main() { trading_pipeline() }",
        Some(1) => "fn main() { detect_arbitrage() }",
        Some(2) => "fn main() { custom_pipeline() }",
        Some(3) => "fn main() { solana_integration() }",
        Some(4) => "fn main() { monitored_pipeline() }",
        _ => "fn main() {}",
    }
}

fn main() {
    println!("cargo::rustc-check-cfg=cfg(document_absent)");
    let document = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join(DOCUMENT);
    println!("cargo::rerun-if-changed={}", document.display());
    let text = fs::read_to_string(&document).unwrap_or_default();
    if text.is_empty() {
        println!("cargo::rustc-cfg=document_absent");
        println!("cargo::warning=skipped: the founding document is not beside the project");
    }
    let blocks = blocks(&text);
    assert!(text.is_empty() || blocks.len() == 10, "expected 10 Rust blocks in the document, got {}", blocks.len());
    let out = env::var("OUT_DIR").unwrap();
    for n in 1..=10 {
        let code = blocks.get(n - 1).map_or("fn main() {}".into(), |block| format!("{block}\n{}\n", entry(block)));
        fs::write(Path::new(&out).join(format!("block_{n:02}.rs")), code).unwrap();
    }
}
