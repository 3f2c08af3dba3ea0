//! Accounts as the JSON that `src/pipeline/report.ts` reads.

use serde_json::{Map, Value as Json, json};
use velox_engine::clock;
use velox_engine::live::{LiveReport, LiveStats, SymbolReport};
use velox_engine::metrics::{Attached, EdgeOf, MarketWords, Percentiles, RunState, Shape, Snapshot, ThreadOf};
use velox_engine::pipeline::{
    BookReport, EdgeReport, HopBuckets, Link, Placement, Report, RunHandle, StageReport, Stats, ThreadReport, WhenFull,
};

/// An object without its empty fields: what is not known is absent, not null.
fn object(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            Json::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn percentiles(p: Option<Percentiles>) -> Json {
    p.map_or(Json::Null, |p| {
        json!({
            "min": p.min, "p50": p.p50, "p90": p.p90, "p99": p.p99, "p999": p.p999, "max": p.max, "mean": p.mean,
            "count": p.count,
        })
    })
}

fn stage(s: &StageReport) -> Json {
    object(json!({
        "name": s.name, "in": s.taken, "out": s.out, "consumed": s.consumed, "filtered": s.filtered,
        "conflated": s.conflated, "errors": s.errors, "held": s.held, "firstError": s.first_error,
        "late": (s.late > 0).then_some(s.late), "stuck": s.stuck.then_some(true),
        "busy": s.busy, "latencyNanos": percentiles(s.latency),
    }))
}

fn thread(t: &ThreadReport) -> Json {
    object(json!({
        "stages": t.stages, "busy": t.busy, "beatAgeNanos": t.beat_age_ns, "asleep": t.asleep,
        "stalls": { "count": t.stalls, "totalNanos": t.stall_total_ns, "maxNanos": t.stall_max_ns },
    }))
}

fn book(b: &BookReport) -> Json {
    object(json!({
        "name": b.name, "symbol": b.symbol, "state": b.state.name(), "ageNanos": b.age_ns, "sequence": b.sequence,
    }))
}

/// Whole histograms: of each filled bucket its largest value in ns, and how many it holds.
pub(crate) fn histograms(all: &[HopBuckets]) -> Json {
    let one = |of: &HopBuckets| {
        object(json!({
            "stage": of.stage, "hop": of.hop.name(), "buckets": of.buckets.filled().collect::<Vec<_>>(),
            "sum": of.buckets.sum(), "count": of.buckets.count(),
        }))
    };
    all.iter().map(one).collect()
}

fn edge(e: &EdgeReport) -> Json {
    json!({
        "from": e.from, "to": e.to, "offered": e.offered, "pushed": e.pushed, "popped": e.popped,
        "dropped": e.dropped, "inFlight": e.in_flight, "highWater": e.high_water,
    })
}

pub(crate) fn placement(all: &[Placement]) -> Json {
    let one =
        |p: &Placement| object(json!({ "core": p.core, "stages": p.stages, "wait": p.wait.name(), "why": p.why }));
    all.iter().map(one).collect()
}

pub(crate) fn topology(handle: &RunHandle) -> Json {
    let link = |link: &Link| {
        let when_full = if link.options.when_full == WhenFull::Drop { "drop" } else { "block" };
        object(json!({
            "from": handle.names()[link.from], "to": handle.names()[link.to], "whenFull": when_full,
            "capacity": link.options.holds(handle.crosses(link)), "crossesThreads": handle.crosses(link),
        }))
    };
    json!({ "stages": handle.names(), "edges": handle.topology().links.iter().map(link).collect::<Json>() })
}

pub(crate) fn stats(stats: &Stats, text: String) -> Json {
    object(json!({
        "text": text,
        "elapsedNanos": stats.elapsed_ns,
        "stages": stats.stages.iter().map(stage).collect::<Json>(),
        "edges": stats.edges.iter().map(edge).collect::<Json>(),
        "threads": stats.threads.iter().map(thread).collect::<Json>(),
        "books": stats.books.iter().map(book).collect::<Json>(),
        "endToEndNanos": percentiles(stats.end_to_end),
        "bundleWaitNanos": percentiles(stats.bundle_wait),
        "hiccupNanos": percentiles(stats.hiccup),
    }))
}

fn attached_topology(shape: &Shape) -> Json {
    let edge = |edge: &EdgeOf| {
        json!({
            "from": shape.stages[edge.from], "to": shape.stages[edge.to], "whenFull": if edge.drops { "drop" } else { "block" },
            "capacity": edge.capacity, "crossesThreads": edge.crosses,
        })
    };
    json!({ "stages": shape.stages, "edges": shape.edges.iter().map(edge).collect::<Json>() })
}

/// What a run of another process says now: as stats, with whose it is, and latencies since `before` (of the first look: since
/// the start).
pub(crate) fn attached(run: &Attached, numbers: &Snapshot, before: Option<&Snapshot>) -> Json {
    let shape = run.shape();
    let read = Stats::of(shape, numbers);
    let mut json = stats(&read, read.to_string());
    let now = before.map_or(read, |before| Stats::of(shape, &numbers.since(before)));
    for (at, of) in now.stages.iter().enumerate().filter(|(_, stage)| stage.latency.is_some()) {
        json["stages"][at]["latencyNowNanos"] = percentiles(of.latency);
    }
    let whole =
        [("endToEndNowNanos", now.end_to_end), ("bundleWaitNowNanos", now.bundle_wait), ("hiccupNowNanos", now.hiccup)];
    for (name, latency) in whole.into_iter().filter(|(_, latency)| latency.is_some()) {
        json[name] = percentiles(latency);
    }
    for (at, (market, words)) in shape.markets.iter().zip(&numbers.markets).enumerate() {
        json["stages"][market.stage]["live"] = attached_market(shape, numbers, at, words);
    }
    json["topology"] = attached_topology(shape);
    json["run"] = run.shape().run.clone().into();
    json["pid"] = run.pid().into();
    json["startedMillis"] = (run.made_epoch_ns() / 1_000_000).into();
    json["state"] = numbers.state.name().into();
    if let RunState::Failed { stage } = numbers.state {
        json["failedStage"] = shape.stages.get(stage).cloned().into();
    }
    let one = |t: &ThreadOf| object(json!({ "core": t.core, "stages": t.stages, "wait": t.wait, "why": t.why }));
    json["placement"] = run.shape().threads.iter().map(one).collect();
    json
}

pub(crate) fn report(report: &Report) -> Json {
    let mut json = stats(&report.stats, report.to_string());
    let verified = report.verified.as_ref().map(|v| {
        object(json!({ "quotes": v.quotes, "checked": v.checked, "agreed": v.agreed, "firstDisagreement": v.first_disagreement }))
    });
    let sum = |of: fn(&velox_engine::pipeline::Stalls) -> u64| report.stalls.iter().map(of).sum::<u64>();
    let rest = object(json!({
        "balanced": report.balanced,
        "perSecond": report.per_second,
        "verified": verified,
        "gaps": report.gaps,
        "leftOut": report.left_out,
        "stalls": {
            "count": sum(|s| s.count),
            "totalNanos": sum(|s| s.total_ns),
            "maxNanos": report.stalls.iter().map(|s| s.max_ns).max(),
        },
        "placement": placement(&report.placement),
        "paramChanges": report.changes.iter().map(|(stage, change)| json!({
            "stage": stage, "param": change.name, "value": change.value, "atRecord": change.at,
        })).collect::<Json>(),
        "nonDeterministic": report.non_deterministic,
    }));
    if let (Json::Object(all), Json::Object(rest)) = (&mut json, rest) {
        all.extend(rest);
    }
    json
}

/// Adds what live markets have been through to the stages that they are the sources of, and to the text.
pub(crate) fn add_live(stats: &mut Json, live: &[(String, LiveStats)]) {
    for (name, market) in live {
        let market = market.report();
        if let Some(text) = stats.get("text").and_then(Json::as_str) {
            stats["text"] = format!("{text}\n{name}: {market}").into();
        }
        let stages = stats.get_mut("stages").and_then(Json::as_array_mut);
        if let Some(stage) = stages.into_iter().flatten().find(|stage| stage["name"] == name.as_str()) {
            stage["live"] = live_report(&market);
        }
    }
}

/// The numbers of a live market, by the names that its report and its words share.
macro_rules! live {
    ($market:expr) => {
        json!({
            "state": $market.state.name(), "messages": $market.messages, "bytes": $market.bytes, "events": $market.events,
            "connections": $market.connections, "connectionErrors": $market.failures, "gaps": $market.gaps, "checksums": $market.checksums,
            "errors": $market.errors, "overflows": $market.overflows, "dropped": $market.dropped,
            "snapshots": $market.snapshots, "restErrors": $market.rest_errors, "recordedBytes": $market.recorded,
        })
    };
}

fn millis(nanos: Option<u64>) -> Option<f64> {
    nanos.map(|nanos| nanos as f64 / 1e6)
}

fn attached_market(shape: &Shape, numbers: &Snapshot, at: usize, words: &MarketWords) -> Json {
    let own = shape.symbols.iter().zip(&numbers.symbols).filter(|(of, _)| of.market == at);
    let symbols = own.map(|(of, words)| {
        object(json!({ "symbol": of.symbol, "state": words.state.name(), "ageMillis": millis(words.age_ns) }))
    });
    let mut json = live!(words);
    json["venue"] = shape.markets[at].venue.clone().into();
    json["symbols"] = symbols.collect();
    if let Some(age) = millis(words.age_ns) {
        json["ageMillis"] = age.into();
    }
    json
}

fn live_report(market: &LiveReport) -> Json {
    let now = clock::to_epoch_nanos(clock::now());
    let symbol = |symbol: &SymbolReport| {
        let age = millis(symbol.age(now));
        object(json!({ "symbol": symbol.instrument.symbol(), "state": symbol.state.name(), "ageMillis": age }))
    };
    let age = (market.last_message > 0).then(|| now.saturating_sub(market.last_message));
    let mut json = live!(market);
    json["venue"] = market.venue.name().into();
    json["symbols"] = market.symbols.iter().map(symbol).collect();
    if let Some(age) = millis(age) {
        json["ageMillis"] = age.into();
    }
    if let Some(error) = &market.last_error {
        json["lastError"] = error.clone().into();
    }
    json
}
