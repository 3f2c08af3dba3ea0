//! nautilus-model's book of price levels, by `apply_delta`, as its data engine feeds it.

use std::collections::HashMap;

use nautilus_core::UnixNanos;
use nautilus_model::data::{BookOrder, OrderBookDelta};
use nautilus_model::enums::{BookAction, BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price, Quantity};

use crate::rival::{Bests, Rival, decimal, lots};
use crate::stream::Stream;

pub struct Nautilus(OrderBook);

fn instrument() -> InstrumentId {
    InstrumentId::from("BTCUSDT-PERP.BINANCE")
}

fn ticks(price: Option<Price>) -> i64 {
    price.map_or(0, |price| (price.as_f64() * 10.0).round() as i64)
}

impl Rival for Nautilus {
    const NAME: &'static str = "nautilus-model";
    type Input = Vec<Vec<OrderBookDelta>>;

    fn prepare(stream: &Stream) -> Self::Input {
        let delta = |sequence: u64, &(side, price, qty): &(u8, i64, i64)| {
            let side = if side == 0 { OrderSide::Buy } else { OrderSide::Sell };
            let action = if qty == 0 { BookAction::Delete } else { BookAction::Update };
            let (price, qty) = decimal(price, qty);
            let order = BookOrder::new(side, Price::new(price, 1), Quantity::new(qty, 3), 0);
            OrderBookDelta::new(instrument(), action, order, 0, sequence, UnixNanos::default(), UnixNanos::default())
        };
        let events = stream.events.iter();
        events.map(|event| stream.of(event).iter().map(|level| delta(event.sequence, level)).collect()).collect()
    }

    fn new() -> Self {
        Self(OrderBook::new(instrument(), BookType::L2_MBP))
    }

    fn run(&mut self, input: &Self::Input) -> Bests {
        let mut bests = Bests::default();
        for deltas in input {
            for delta in deltas {
                self.0.apply_delta(delta);
            }
            bests.add(ticks(self.0.best_bid_price()), ticks(self.0.best_ask_price()));
        }
        bests
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        let mut levels = HashMap::new();
        for (side, level) in self.0.bids(None).map(|level| (0, level)).chain(self.0.asks(None).map(|level| (1, level)))
        {
            levels.insert((side, ticks(Some(level.price.value))), lots(level.size()));
        }
        prices.iter().map(|at| Some(levels.get(at).copied().unwrap_or(0))).collect()
    }
}
