//! The synthetic market: the same again, as often as asked, and a book that holds together.

mod common;

use common::Model;
use velox_feed::{Arrivals, Poisson, PoissonOptions};
use velox_record::{EventKind, MarketEvent, flags};

fn market(per_second: f64, count: Option<u64>, seed: u64) -> Poisson {
    Poisson::new(PoissonOptions { per_second, count, seed }).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_events_and_another_makes_others() {
    let events = |seed| {
        let (mut market, mut out) = (market(100_000.0, Some(10_000), seed), Vec::new());
        while market.next(&mut out).unwrap().is_some() {}
        out
    };
    assert_eq!(events(5).len(), 20_000);
    assert!(events(5) == events(5) && events(5) != events(6));
}

#[test]
fn arrivals_come_at_the_rate_asked_with_gaps_of_chance() {
    for rate in [1_000.0, 100_000.0, 3_000_000.0] {
        let (mut market, mut out, mut last) = (market(rate, Some(1_000_000), 1), Vec::new(), 0);
        let (mut short, mut squares) = (0u32, 0.0);
        while let Some(now) = market.next(&mut out).unwrap() {
            let gap = (now - last) as f64 * rate / 1e9;
            short += u32::from(gap < std::f64::consts::LN_2);
            squares += gap * gap;
            last = now;
            out.clear();
        }
        let got = 1e6 / (last as f64 / 1e9);
        assert!((got / rate - 1.0).abs() < 0.01, "{got} arrivals a second");
        // Of an exponential distribution with mean 1 the median is ln 2 and the mean square 2. Whole nanoseconds are
        // coarse at the highest rate: 3 thousandths of a gap.
        assert!((f64::from(short) / 5e5 - 1.0).abs() < 0.01, "{short} short gaps");
        assert!((squares / 2e6 - 1.0).abs() < 0.02, "mean square {}", squares / 1e6);
    }
}

/// Runs a market through the naive book, checking every event.
fn run(seed: u64, count: u64) -> (Model, u64, [i64; 2], usize) {
    let mut market = market(100_000.0, Some(count), seed);
    let id = market.instruments()[0].id();
    let (mut model, mut out, mut arrived, mut removals) = (Model::default(), Vec::new(), 0, 0);
    let (mut range, mut deepest) = ([i64::MAX, i64::MIN], 0);
    while let Some(now) = market.next(&mut out).unwrap() {
        arrived += 1;
        let [level, trade]: [MarketEvent; 2] = out[..].try_into().unwrap();
        out.clear();
        for event in [level, trade] {
            assert_eq!((event.sequence, event.instrument), (arrived, id));
            assert_eq!((event.receive_ts, event.exchange_ts), (now, now));
        }
        assert_eq!((level.kind, level.flags, trade.kind), (EventKind::LEVEL, flags::LAST, EventKind::TRADE));
        if level.qty == 0 {
            assert!(model.holds(level.side, level.price), "a level was removed that is not there");
            removals += 1;
        }
        model.apply(&level);
        let best = model.best();
        if let [Some((bid, _)), Some((ask, _))] = best {
            assert!(bid < ask, "crossed at {arrived}");
            range = [range[0].min(bid), range[1].max(ask)];
        }
        if let Some((price, _)) = best[usize::from(1 - trade.side)] {
            assert_eq!(trade.price, price, "a trade beside the best price");
        }
        assert!(trade.qty > 0 && trade.price > 0);
        deepest = deepest.max(model.depth());
    }
    assert_eq!(arrived, count);
    (model, removals, range, deepest)
}

#[test]
fn the_book_moves_far_removes_much_and_never_crosses() {
    for seed in [0, 1, 42] {
        let (_, removals, range, deepest) = run(seed, 1_000_000);
        assert!(removals >= 300_000, "{removals} removals");
        assert!(range[0] <= 1_000_000 - 1_000 && range[1] >= 1_000_000 + 1_000, "best prices within {range:?}");
        assert!((500..=3_128).contains(&deepest), "{deepest} levels");
    }
}

#[test]
fn short_runs_of_any_seed_hold_together_too() {
    for seed in 2..40 {
        let (_, removals, ..) = run(seed, 10_000);
        assert!(removals >= 3_000, "seed {seed}: {removals} removals");
    }
}

#[test]
fn a_rate_out_of_range_is_refused() {
    for per_second in [0.0, -1.0, 1e-4, f64::NAN, f64::INFINITY, 2e9] {
        let error = Poisson::new(PoissonOptions { per_second, count: None, seed: 0 }).err().unwrap();
        assert_eq!(error.code(), "VELOX_INVALID_VALUE");
    }
    assert!(market(1e-3, None, 0).next(&mut Vec::new()).is_ok());
}
