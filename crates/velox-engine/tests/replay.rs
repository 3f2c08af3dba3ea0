//! The four stages over recorded market data.

mod common;

use common::{four_stages, lines, options, project_data, replay, shared_day};
use velox_engine::feed::{Replay, ReplayOptions};
use velox_engine::pipeline::{Pace, Report, StartOptions, Threads, Wait};
use velox_engine::{Bundle, Standing};

fn checked(report: &Report) -> (u64, u64) {
    report.verified.as_ref().map_or((0, 0), |verified| (verified.checked, verified.agreed))
}

#[test]
fn the_project_s_own_data_agrees_with_every_quote_and_balances() {
    let replay = Replay::open(project_data(), ReplayOptions::default()).unwrap();
    let (report, book, bundles) = four_stages(replay, Pace::Max, StartOptions::default());
    let report = report.unwrap();
    assert!(report.balanced && report.non_deterministic.is_empty(), "{report}");
    assert_eq!((checked(&report), report.gaps), ((423, 423), 0));
    let transactions: usize = bundles.iter().map(Bundle::len).sum();
    assert_eq!(transactions, 11_463);
    assert_eq!(report.stats.bundle_wait.unwrap().count, 11_463);
    assert_eq!(report.stats.end_to_end.unwrap().count, 11_463);
    assert!(book.top().is_some_and(|top| top.bid < top.ask));
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded days are not on this machine")]
fn every_recorded_day_agrees_with_every_quote() {
    for (name, quotes) in
        [("usdm-btcusdt_20240808.gz", 629), ("cm-btcusd_perp_20240808.gz", 1_124), ("spot-btcusdt_20240808.gz", 564)]
    {
        let replay = Replay::open(shared_day(name), ReplayOptions::default()).unwrap();
        let (report, ..) = four_stages(replay, Pace::Max, StartOptions::default());
        let report = report.unwrap();
        assert_eq!((checked(&report), report.gaps), ((quotes, quotes), 0), "{name}");
        assert!(report.balanced, "{report}");
    }
}

#[test]
fn the_same_data_gives_the_same_bundles_on_any_threads_and_at_any_pace() {
    let text = lines(3_000).join("\n");
    let of = |pace, options| {
        let (report, _, bundles) = four_stages(replay(text.clone()), pace, options);
        let report = report.unwrap();
        assert!(report.balanced && report.non_deterministic.is_empty(), "{report}");
        bundles
    };
    let expected = of(Pace::Max, StartOptions::default());
    assert!(expected.len() > 50 && expected.windows(2).all(|w| w[0].created_ts_ns() <= w[1].created_ts_ns()));
    for count in [2, 3, 6] {
        assert!(of(Pace::Max, options(Threads::Count(count), Wait::Backoff)) == expected, "{count} threads");
    }
    assert!(of(Pace::PerSecond(5_000.0), options(Threads::Count(2), Wait::Block)) == expected, "another pace");
    assert!(of(Pace::Recorded, options(Threads::Auto, Wait::Yield)) == expected, "the recorded pace");
}

#[test]
fn one_flipped_level_is_caught() {
    let mut lines = lines(6_000);
    let is_depth = |line: &&mut String| line.contains("\"depthUpdate\"") && !line.contains("\"b\":[]");
    let flipped = lines.iter_mut().filter(is_depth).nth(100).unwrap();
    *flipped = flipped.replace("\"b\":[", "\"b\":[[\"99999.90\",\"1.000\"],");
    let (report, ..) = four_stages(replay(lines.join("\n")), Pace::Max, StartOptions::default());
    let report = report.unwrap();
    let verified = report.verified.unwrap();
    assert!(verified.agreed < verified.checked && report.balanced, "{verified:?}");
    assert!(verified.first_disagreement.unwrap().contains("9999990 × 1000"));
}

#[test]
fn a_lost_depth_event_is_a_gap_and_leaves_the_book_stale() {
    let mut lines = lines(6_000);
    let lost = lines.iter().enumerate().filter(|(_, line)| line.contains("\"depthUpdate\"")).nth(200).unwrap().0;
    lines.remove(lost);
    let (report, book, _) = four_stages(replay(lines.join("\n")), Pace::Max, StartOptions::default());
    let report = report.unwrap();
    let (checked, agreed) = checked(&report);
    assert!(report.gaps == 1 && agreed < checked && report.balanced, "{report}");
    assert_eq!((book.standing(), book.top()), (Standing::Stale, None));
}

#[test]
fn a_day_without_its_snapshot_is_not_verified() {
    let lines: Vec<_> = lines(6_000).into_iter().filter(|line| !line.contains("lastUpdateId")).collect();
    let (report, book, _) = four_stages(replay(lines.join("\n")), Pace::Max, StartOptions::default());
    let (checked, agreed) = checked(&report.unwrap());
    assert!(checked > 10 && agreed == 0 && book.standing() == Standing::Empty);
}

#[test]
fn a_day_without_quotes_says_so() {
    let lines: Vec<_> = lines(3_000).into_iter().filter(|line| !line.contains("bookTicker")).collect();
    let (report, ..) = four_stages(replay(lines.join("\n")), Pace::Max, StartOptions::default());
    assert_eq!(report.unwrap().verified, None);
}
