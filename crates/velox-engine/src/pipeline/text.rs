//! Reports as text that a person reads.

use std::fmt;

use velox_metrics::Percentiles;

use super::report::Report;
use super::stats::Stats;

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Nanoseconds in the unit that reads best.
fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// What did not arrive and was not left out on purpose: `12 dropped, 3 errors`.
fn lost(stats: &Stats) -> Option<String> {
    let dropped: u64 = stats.edges.iter().map(|edge| edge.dropped).sum();
    let errors: u64 = stats.stages.iter().map(|stage| stage.errors).sum();
    let told = [(dropped, "dropped"), (errors, if errors == 1 { "error" } else { "errors" })];
    let told: Vec<_> = told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", grouped(*n))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// One line: what has passed since the start, how much each stage gave, and what was lost, if anything was.
pub(super) fn stats(stats: &Stats, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:6.1} s", stats.elapsed_ns as f64 / 1e9)?;
    for (i, stage) in stats.stages.iter().enumerate() {
        let records = if i + 1 == stats.stages.len() { stage.taken } else { stage.out };
        write!(f, "  {} {}", stage.name, grouped(records))?;
    }
    lost(stats).map_or(Ok(()), |lost| write!(f, "  lost: {lost}"))
}

fn latency(f: &mut fmt::Formatter<'_>, label: &str, p: Option<Percentiles>) -> fmt::Result {
    let Some(p) = p else { return writeln!(f, "  {label:<34} none measured") };
    let Percentiles { p50, p90, p99, p999, max, count, .. } = p;
    let [p50, p90, p99, p999, max] = [p50, p90, p99, p999, max].map(|n| time(n as f64));
    writeln!(f, "  {label:<34} {p50:>10} {p90:>10} {p99:>10} {p999:>10} {max:>10} {:>12}", grouped(count))
}

pub(super) fn report(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Stats { elapsed_ns, stages, edges, end_to_end, bundle_wait, hiccup, .. } = &report.stats;
    let balanced = if report.balanced { "balanced" } else { "NOT BALANCED" };
    let (records, seconds) = (grouped(stages[0].out), *elapsed_ns as f64 / 1e9);
    write!(f, "{records} records in {seconds:.2} s: {} a second, {balanced}", grouped(report.per_second as u64))?;
    lost(&report.stats).map_or(Ok(()), |lost| write!(f, ", lost: {lost}"))?;
    writeln!(f)?;

    // A column that few need is there for those only.
    let conflates = stages.iter().any(|s| s.conflated > 0);
    let conflated = |text: String| if conflates { format!(" {text:>12}") } else { String::new() };
    let column = stages.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).max(6);
    writeln!(
        f,
        "\n  {:column$} {:>12} {:>12} {:>12} {:>12}{} {:>8} {:>6} {:>8}",
        "stage",
        "in",
        "consumed",
        "out",
        "filtered",
        conflated("conflated".into()),
        "errors",
        "held",
        "busy"
    )?;
    for s in stages {
        let [taken, consumed, out, filtered, errors, held] =
            [s.taken, s.consumed, s.out, s.filtered, s.errors, s.held].map(grouped);
        write!(f, "  {:column$} {taken:>12} {consumed:>12} {out:>12} {filtered:>12}", s.name)?;
        let (conflated, busy) = (conflated(grouped(s.conflated)), 100.0 * s.busy);
        writeln!(f, "{conflated} {errors:>8} {held:>6} {busy:>6.1} %")?;
        if let Some(error) = &s.first_error {
            writeln!(f, "  {:column$} first error: {error}", "")?;
        }
    }
    let edge_column = edges.iter().map(|e| e.from.chars().count() + e.to.chars().count() + 3).max().unwrap_or(0);
    writeln!(
        f,
        "\n  {:edge_column$} {:>12} {:>12} {:>12} {:>8} {:>9} {:>10}",
        "edge", "offered", "pushed", "popped", "dropped", "in flight", "high water"
    )?;
    for e in edges {
        let name = format!("{} → {}", e.from, e.to);
        let [offered, pushed, popped, dropped, flying, high] =
            [e.offered, e.pushed, e.popped, e.dropped, e.in_flight, e.high_water].map(grouped);
        writeln!(
            f,
            "  {name:edge_column$} {offered:>12} {pushed:>12} {popped:>12} {dropped:>8} {flying:>9} {high:>10}"
        )?;
    }

    writeln!(
        f,
        "\n  {:<34} {:>10} {:>10} {:>10} {:>10} {:>10} {:>12}",
        "latency", "p50", "p90", "p99", "p99.9", "max", "count"
    )?;
    for stage in stages.iter().filter(|stage| stage.latency.is_some()) {
        latency(f, &format!("until {} was through", stage.name), stage.latency)?;
    }
    latency(f, "end to end, without bundle wait", *end_to_end)?;
    if bundle_wait.is_some() {
        latency(f, "wait for a full bundle", *bundle_wait)?;
    }
    if hiccup.is_some() {
        latency(f, "the machine's own hiccups", *hiccup)?;
    }

    writeln!(f)?;
    for (i, p) in report.placement.iter().enumerate() {
        writeln!(f, "  thread {}: {} ({}): {}", i + 1, p.stages.join(", "), p.wait.name(), p.why)?;
    }
    for stalls in report.stalls.iter().filter(|stalls| stalls.count > 0) {
        let (count, total, max) = (grouped(stalls.count), time(stalls.total_ns as f64), time(stalls.max_ns as f64));
        let share = 100.0 * stalls.total_ns as f64 / (*elapsed_ns).max(1) as f64;
        writeln!(f, "  stalls over 10 µs: {count}, {total} in all ({share:.2} % of the time), the longest {max}")?;
    }
    match &report.verified {
        Some(v) if v.checked > 0 => {
            write!(f, "  verified: {} of {} quotes agree with the book", grouped(v.agreed), grouped(v.checked))?;
            if let Some(first) = &v.first_disagreement {
                write!(f, "; {first}")?;
            }
        }
        Some(v) if v.quotes > 0 => {
            write!(f, "  unverified: {} quotes, and the book never stood where one of them did", grouped(v.quotes))?;
        }
        _ => write!(f, "  unverified: no quote to hold a book to")?,
    }
    if report.gaps > 0 {
        write!(f, "\n  gaps in the data: {}", grouped(report.gaps))?;
    }
    if report.left_out > 0 {
        let left_out = grouped(report.left_out);
        write!(f, "\n  left out: {left_out} messages of other kinds, repeated, or without a snapshot to follow")?;
    }
    for reason in &report.non_deterministic {
        write!(f, "\n  not repeatable: {reason}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{EdgeReport, StageReport};

    fn stats(errors: u64, conflated: u64, dropped: u64) -> Stats {
        let stage =
            StageReport { name: "map".into(), taken: 9_000, errors, conflated, busy: 0.25, ..Default::default() };
        let edge = EdgeReport { from: "in".into(), to: "map".into(), dropped, ..Default::default() };
        Stats { stages: vec![stage], edges: vec![edge], ..Default::default() }
    }

    #[test]
    fn what_was_lost_stands_in_the_line_and_at_the_top_of_the_report() {
        for (errors, dropped, lost) in [
            (0, 0, None),
            (1, 0, Some("1 error")),
            (2_000, 0, Some("2,000 errors")),
            (2, 12, Some("12 dropped, 2 errors")),
        ] {
            let stats = stats(errors, 0, dropped);
            let line = format!("   0.0 s  map 9,000{}", lost.map_or(String::new(), |lost| format!("  lost: {lost}")));
            assert_eq!(stats.to_string(), line);
            let report = Report { stats, balanced: true, ..Default::default() }.to_string();
            let first = lost.map_or("balanced".into(), |lost| format!("balanced, lost: {lost}"));
            assert!(report.lines().next().unwrap().ends_with(&format!("0 a second, {first}")), "{report}");
        }
    }

    #[test]
    fn the_table_says_how_busy_a_stage_was_and_what_was_conflated_where_anything_was() {
        let table = |conflated| Report { stats: stats(0, conflated, 0), ..Default::default() }.to_string();
        let row =
            |conflated| table(conflated).lines().find(|line| line.starts_with("  map ")).map(str::to_owned).unwrap();
        assert!(row(0).ends_with("   25.0 %") && !table(0).contains("conflated"), "{}", table(0));
        let words: Vec<_> = row(1_234).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["map", "9,000", "0", "0", "0", "1,234", "0", "0", "25.0", "%"]);
        let titles = table(1_234).lines().find(|line| line.contains("consumed")).map(str::to_owned).unwrap();
        assert_eq!(titles.chars().count(), row(1_234).chars().count());
    }
}
