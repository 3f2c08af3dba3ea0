//! The book of many writers beside a map, by one thread.
#![cfg(not(loom))]

use std::collections::BTreeMap;

use proptest::prelude::*;
use velox_book::{BookError, Depth, Level, OrderBook};
use velox_record::{ASK, BID};

fn prices() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 10_000i64..10_100,
        2 => -70_000i64..70_000,
        1 => any::<i64>(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)],
    ]
}

fn quantities() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0), 8 => -5i64..10, 1 => any::<i64>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn it_holds_what_a_map_holds(
        steps in prop::collection::vec((0u8..2, any::<bool>(), prices(), quantities()), 0..300),
        shift in 0u32..70,
    ) {
        let book = OrderBook::new();
        let mut model = [BTreeMap::<i64, i64>::new(), BTreeMap::new()];
        for (side, is_set, price, qty) in steps {
            let levels = &mut model[usize::from(side)];
            let have = levels.get(&price).copied().unwrap_or(0);
            let expected = if is_set { Some(qty) } else { have.checked_add(qty) };
            let done = match (side, is_set) {
                (BID, true) => book.set_bid(price, qty, 1),
                (BID, false) => book.update_bid(price, qty, 1),
                (_, true) => book.set_ask(price, qty, 1),
                (_, false) => book.update_ask(price, qty, 1),
            };
            let refused = Err(BookError::Overflow { price, have, delta: qty });
            prop_assert_eq!(done, expected.map_or(refused, |_| Ok(())));
            levels.insert(price, expected.unwrap_or(have));
            prop_assert_eq!(book.qty_at(side, price), expected.unwrap_or(have));
            let mut shown = levels.iter().filter(|(_, qty)| **qty > 0).map(|(&price, _)| price);
            if side == BID {
                prop_assert_eq!(book.bid(), shown.next_back());
            } else {
                prop_assert_eq!(book.ask(), shown.next());
            }
        }
        let shown = |levels: &BTreeMap<i64, i64>| -> Vec<Level> {
            levels.iter().filter(|(_, qty)| **qty > 0).map(|(&price, &qty)| Level { price, qty }).collect()
        };
        let whole = Depth { bids: shown(&model[0]).into_iter().rev().collect(), asks: shown(&model[1]) };
        let first = |levels: &[Level]| levels[..levels.len().min(4)].to_vec();
        prop_assert_eq!(book.depth(4), Depth { bids: first(&whole.bids), asks: first(&whole.asks) });
        let grouped = book.depth_grouped(usize::MAX, shift);
        prop_assert!(grouped.bids.windows(2).all(|pair| pair[0].price > pair[1].price));
        prop_assert!(grouped.asks.windows(2).all(|pair| pair[0].price < pair[1].price));
        let sum = |levels: &[Level]| levels.iter().map(|level| i128::from(level.qty)).sum::<i128>();
        for (groups, levels) in [(&grouped.bids, &whole.bids), (&grouped.asks, &whole.asks)] {
            prop_assert!(groups.len() <= levels.len() && (sum(groups) == sum(levels) || sum(levels) > i128::from(i64::MAX)));
        }
        prop_assert_eq!(book.depth(usize::MAX), whole);
    }
}

#[test]
fn sides_do_not_mix_and_a_crossed_book_is_shown_as_it_is() {
    let book = OrderBook::new();
    book.set_bid(105, 1, 1).unwrap();
    book.set_ask(100, 2, 2).unwrap();
    assert_eq!((book.best_bid(), book.best_ask(), book.spread()), (105, 100, -5));
    assert_eq!((book.qty_at(BID, 100), book.qty_at(ASK, 105), book.last_update()), (0, 0, 2));
}
