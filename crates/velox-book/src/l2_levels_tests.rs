use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ladder::WINDOW;

#[derive(Debug, Default)]
struct Model([BTreeMap<i64, i64>; 2]);

impl Model {
    fn set(&mut self, side: u8, price: i64, qty: i64) {
        let levels = &mut self.0[usize::from(side)];
        if qty == 0 {
            levels.remove(&price)
        } else {
            levels.insert(price, qty)
        };
    }

    fn side(&self, side: u8) -> Vec<Level> {
        let mut levels: Vec<Level> =
            self.0[usize::from(side)].iter().map(|(&price, &qty)| Level { price, qty }).collect();
        if side == BID {
            levels.reverse();
        }
        levels
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Side, distance from the market, quantity.
    Near(u8, i64, i64),
    /// Side, price, quantity.
    Far(u8, i64, i64),
    /// The market jumps by so many ticks, and so many levels a side are set there.
    Move(i64, u8),
    /// The best level goes.
    TakeBest(u8),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let qty = || prop_oneof![3 => Just(0), 5 => 1i64..100, 1 => Just(i64::MAX)];
    let window = WINDOW as i64;
    let far = prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        i64::MIN..i64::MIN + 200,
        i64::MAX - 200..i64::MAX,
        -3 * window..3 * window,
    ];
    prop_oneof![
        20 => (0u8..2, -50i64..50, qty()).prop_map(|(side, at, qty)| Step::Near(side, at, qty)),
        5 => (0u8..2, far, qty()).prop_map(|(side, price, qty)| Step::Far(side, price, qty)),
        3 => (prop_oneof![-window..window, any::<i64>()], 0u8..40).prop_map(|(by, levels)| Step::Move(by, levels)),
        6 => (0u8..2).prop_map(Step::TakeBest),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn it_holds_what_a_map_holds_at_any_price_and_wherever_the_market_goes(steps in prop::collection::vec(step(), 0..400)) {
        let (mut levels, mut model, mut market) = (L2Levels::new(), Model::default(), 0i64);
        for step in steps {
            let mut set = |side, price, qty| {
                levels.set(side, price, qty);
                model.set(side, price, qty);
                assert_eq!(levels.qty_at(side, price), qty);
            };
            match step {
                Step::Near(side, at, qty) => set(side, market.saturating_add(at), qty),
                Step::Far(side, price, qty) => set(side, price, qty),
                Step::Move(by, count) => {
                    market = market.saturating_add(by);
                    for at in 1..=i64::from(count) {
                        set(BID, market.saturating_sub(at * 7), at);
                        set(ASK, market.saturating_add(at * 7), at);
                    }
                }
                Step::TakeBest(side) => {
                    if let Some(level) = levels.best(side) {
                        levels.set(side, level.price, 0);
                        model.set(side, level.price, 0);
                    }
                }
                Step::Clear => {
                    levels.clear();
                    model = Model::default();
                }
            }
            for side in [BID, ASK] {
                let of_model = &model.0[usize::from(side)];
                let best = if side == BID { of_model.last_key_value() } else { of_model.first_key_value() };
                prop_assert_eq!(levels.best(side), best.map(|(&price, &qty)| Level { price, qty }));
            }
        }
        let whole = Depth { bids: model.side(BID), asks: model.side(ASK) };
        prop_assert_eq!(levels.depth(3).bids, &whole.bids[..whole.bids.len().min(3)]);
        prop_assert_eq!(levels.depth(usize::MAX), whole);
    }
}

/// A market that walks through many windows, each way, with a book of 2,000 levels a side.
#[test]
fn a_market_that_moves_on_stays_exact() {
    let (mut levels, mut model) = (L2Levels::new(), Model::default());
    let mut seed = 1u64;
    let mut below = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % n
    };
    let mut market = -300_000i64;
    for turn in 0..200_000i64 {
        market += if turn < 120_000 { 6 } else { -6 };
        let side = below(2) as u8;
        let away = 1 + below(3_000) as i64;
        let price = if side == BID { market - away } else { market + away };
        let qty = below(3) as i64;
        levels.set(side, price, qty);
        model.set(side, price, qty);
        // What the market went through is gone.
        for side in [BID, ASK] {
            while let Some(best) = levels.best(side).filter(|best| (best.price >= market) == (side == BID)) {
                levels.set(side, best.price, 0);
                model.set(side, best.price, 0);
            }
            let of_model = &model.0[usize::from(side)];
            let best = if side == BID { of_model.last_key_value() } else { of_model.first_key_value() };
            assert_eq!(levels.best(side), best.map(|(&price, &qty)| Level { price, qty }));
        }
    }
    assert_eq!(levels.depth(usize::MAX), Depth { bids: model.side(BID), asks: model.side(ASK) });
    assert!(model.side(BID).len() > 500 && model.side(ASK).len() > 500);
}

#[test]
fn groups_show_no_better_price_than_there_is() {
    let mut levels = L2Levels::new();
    for (side, price, qty) in [
        (BID, 99, 1),
        (BID, 97, 2),
        (BID, 96, 4),
        (BID, -1, 8),
        (BID, i64::MIN, 1),
        (ASK, 100, 1),
        (ASK, 101, i64::MAX),
        (ASK, 104, 2),
        (ASK, 105, 1),
        (ASK, i64::MAX, 7),
    ] {
        levels.set(side, price, qty);
    }
    let level = |(price, qty)| Level { price, qty };
    let bids = [(96, 7), (-4, 8), (i64::MIN, 1)].map(level).to_vec();
    let asks = [(100, 1), (104, i64::MAX), (108, 1), (i64::MAX, 7)].map(level).to_vec();
    assert_eq!(levels.depth_grouped(9, 2), Depth { bids: bids.clone(), asks: asks.clone() });
    assert_eq!(levels.depth_grouped(1, 2), Depth { bids: bids[..1].to_vec(), asks: asks[..1].to_vec() });
    assert_eq!(levels.depth_grouped(9, 0), levels.depth(9));
    let all = Depth { bids: [(0, 7), (i64::MIN, 9)].map(level).to_vec(), asks: vec![level((i64::MAX, i64::MAX))] };
    assert_eq!(levels.depth_grouped(9, 200), all);
}

#[test]
fn an_average_price_takes_level_after_level() {
    let mut levels = L2Levels::new();
    levels.set(ASK, 100, 2);
    levels.set(ASK, 103, 1);
    assert_eq!(levels.vwap(ASK, 2), Some(100.0));
    assert_eq!(levels.vwap(ASK, 3), Some(101.0));
    assert_eq!((levels.vwap(ASK, 4), levels.vwap(ASK, 0), levels.vwap(BID, 1)), (None, None, None));
}

#[test]
fn imbalance_is_within_one_of_zero() {
    let mut levels = L2Levels::new();
    assert_eq!(levels.imbalance(5), None);
    levels.set(BID, 99, 3);
    assert_eq!(levels.imbalance(5), Some(1.0));
    levels.set(ASK, 100, 1);
    levels.set(ASK, 101, 8);
    assert_eq!((levels.imbalance(1), levels.imbalance(2)), (Some(0.5), Some(-0.5)));
}
