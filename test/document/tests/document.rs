//! The blocks of the founding document end well and print what their own code says they must.
//!
//! That they compile at all is checked by building this package: each is a binary of it.

use std::process::Command;

/// Runs a block; its standard output, of a run that ended with exit code 0.
fn run(binary: &str) -> String {
    let output = Command::new(binary).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

fn starting<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(prefix)).collect()
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_1_produces_and_consumes_a_hundred_messages_in_order() {
    let text = run(env!("CARGO_BIN_EXE_block_01"));
    let expected: Vec<_> = (0..100).map(|i| format!("Message {i}")).collect();
    assert_eq!(starting(&text, "Produced: "), expected);
    assert_eq!(starting(&text, "Consumed: "), expected);
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_2_sees_the_first_price_as_a_spike() {
    // The last price starts at 0, and from then on prices rise by less than a percent a step.
    assert_eq!(run(env!("CARGO_BIN_EXE_block_02")), "Price spike detected: $100.00\n");
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_3_ends_with_the_exact_best_prices() {
    // Bids reach 10000 + 200 + 990 = 11190; asks start at 10000 + 50 = 10050, printed as a half.
    let text = run(env!("CARGO_BIN_EXE_block_03"));
    let last = text.lines().last().unwrap();
    let line = |ask: &str| format!("Best Bid: $1.12 | Best Ask: ${ask} | Spread: $-0.11");
    assert!(last == line("1.00") || last == line("1.01"), "{last}");
    assert_eq!(text.lines().count(), 50);
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_4_finds_the_arbitrage() {
    let text = run(env!("CARGO_BIN_EXE_block_04"));
    // 10000 against 10050 at four decimals; a half rounds either way.
    assert!(text.starts_with("Arbitrage found! Buy on A at $1.00, Sell on B at $1.0"), "{text}");
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_5_filters_by_price() {
    // 900000 + 500 i lies in 950000 ..= 1050000 for i in 100 ..= 300.
    let text = run(env!("CARGO_BIN_EXE_block_05"));
    assert!(text.contains("Stage Stats - Processed: 1000, Passed: 201, Filtered: 799\n"), "{text}");
    assert!(text.contains("Total received: 201\n"), "{text}");
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_7_sends_fifty_transactions() {
    let text = run(env!("CARGO_BIN_EXE_block_07"));
    let sent = starting(&text, "Sending bundle with ");
    let total: u32 = sent.iter().map(|line| line.split(' ').next().unwrap().parse::<u32>().unwrap()).sum();
    assert_eq!(total, 50, "{text}");
    assert_eq!(starting(&text, "Bundle submitted successfully").len(), sent.len());
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_8_sends_the_empty_bundle() {
    let text = run(env!("CARGO_BIN_EXE_block_08"));
    assert_eq!(
        text,
        "Sending 0 transactions to Jito\nBundle submitted: bundle_uuid\nChecking status for bundle: bundle_uuid\n\
         Bundle status: landed\n"
    );
}

#[test]
#[cfg_attr(document_absent, ignore = "the document is not beside the project")]
fn block_9_fills_the_output_ring_and_drops_the_rest() {
    let text = run(env!("CARGO_BIN_EXE_block_09"));
    let end = text.split("=== Final Metrics ===").nth(1).expect("final metrics");
    assert!(end.contains("Processed:  4096\n") && end.contains("Dropped:    5904\n"), "{end}");
}
