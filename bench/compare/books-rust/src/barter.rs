//! barter-data's book, by `OrderBook::update` with its own events.

use barter_data::books::{Level, OrderBook};
use barter_data::subscription::book::OrderBookEvent;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::rival::{Bests, Rival};
use crate::stream::Stream;

pub struct Barter(OrderBook);

fn scaled(value: Decimal, decimals: u32) -> i64 {
    (value * Decimal::from(10_i64.pow(decimals))).to_i64().expect("within 64 bits")
}

impl Rival for Barter {
    const NAME: &'static str = "barter-data";
    type Input = Vec<OrderBookEvent>;

    fn prepare(stream: &Stream) -> Self::Input {
        let event = |event: &crate::stream::Event| {
            let side = |wanted| {
                let levels = stream.of(event).iter().filter(move |(side, ..)| *side == wanted);
                levels.map(|&(_, price, qty)| Level::new(Decimal::new(price, 1), Decimal::new(qty, 3)))
            };
            let book = OrderBook::new(event.sequence, None, side(0), side(1));
            if event.is_snapshot { OrderBookEvent::Snapshot(book) } else { OrderBookEvent::Update(book) }
        };
        stream.events.iter().map(event).collect()
    }

    fn new() -> Self {
        Self(OrderBook::default())
    }

    fn run(&mut self, input: &Self::Input) -> Bests {
        let mut bests = Bests::default();
        for event in input {
            self.0.update(event);
            let (bid, ask) = (self.0.bids().best(), self.0.asks().best());
            // The mantissa is the tick: its prices have one decimal each.
            let ticks = |level: Option<&Level>| level.map_or(0, |level| level.price.mantissa() as i64);
            bests.add(ticks(bid), ticks(ask));
        }
        bests
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        let mut levels = std::collections::HashMap::new();
        for (side, side_levels) in [(0, self.0.bids().levels()), (1, self.0.asks().levels())] {
            for level in side_levels {
                levels.insert((side, scaled(level.price, 1)), scaled(level.amount, 3));
            }
        }
        prices.iter().map(|at| Some(levels.get(at).copied().unwrap_or(0))).collect()
    }
}
