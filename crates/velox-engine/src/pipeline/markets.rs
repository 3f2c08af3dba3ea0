//! Where the numbers of a run's live markets lie.

use velox_live::Place;
use velox_metrics::{MarketOf, Metrics, Shape, SymbolOf};

use super::graph::Graph;

/// The live markets of a graph, and their symbols.
pub(super) fn of(graph: &Graph) -> (Vec<MarketOf>, Vec<SymbolOf>) {
    let (mut markets, mut symbols) = (Vec::new(), Vec::new());
    for (stage, node) in graph.nodes.iter().enumerate() {
        let Some((venue, names)) = &node.market else { continue };
        let market = markets.len();
        markets.push(MarketOf { stage, venue: (*venue).into() });
        symbols.extend(names.iter().map(|symbol| SymbolOf { market, symbol: symbol.clone() }));
    }
    (markets, symbols)
}

/// Where the live market of a stage counts, where it is one.
pub(super) fn place(metrics: &Metrics, shape: &Shape, stage: usize) -> Option<Place> {
    let at = shape.markets.iter().position(|market| market.stage == stage)?;
    let own = shape.symbols.iter().enumerate().filter(|(_, symbol)| symbol.market == at);
    Some(Place { market: metrics.market(at), symbols: own.map(|(i, _)| metrics.symbol(i)).collect() })
}

#[cfg(test)]
mod tests {
    use velox_feed::Venue;
    use velox_live::{Live, LiveOptions};
    use velox_metrics::layout::market;
    use velox_metrics::{Memory, SymbolState};

    use super::*;
    use crate::stages::LiveSource;

    fn live(venue: Venue, symbols: &[&str]) -> LiveSource {
        let instruments = symbols.iter().map(|symbol| venue.instrument(symbol).unwrap()).collect();
        LiveSource::new(Live::new(LiveOptions::new(venue, instruments)).unwrap())
    }

    #[test]
    fn each_market_counts_in_a_place_of_its_own() {
        let mut graph = Graph::new();
        graph.source("one", live(Venue::Kraken, &["XBT/USD", "ETH/USD"]));
        graph.source("other", live(Venue::Okx, &["BTC-USDT"]));
        let (markets, symbols) = of(&graph);
        let told: Vec<_> = symbols.iter().map(|symbol| (symbol.market, symbol.symbol.as_str())).collect();
        assert_eq!(told, [(0, "XBT/USD"), (0, "ETH/USD"), (1, "BTC-USDT")]);

        let shape = Shape { stages: graph.names(), markets, symbols, ..Shape::default() };
        let metrics = Metrics::new(shape.clone(), Memory::Heap);
        let (one, other) = (place(&metrics, &shape, 0).unwrap(), place(&metrics, &shape, 1).unwrap());
        assert!(place(&metrics, &shape, 2).is_none());
        one.market.add(market::GAPS, 2);
        other.market.add(market::GAPS, 5);
        other.symbols[0].stands(SymbolState::Live);
        let numbers = metrics.snapshot(velox_clock::now());
        assert_eq!(numbers.markets.iter().map(|market| market.gaps).collect::<Vec<_>>(), [2, 5]);
        let states: Vec<_> = numbers.symbols.iter().map(|symbol| symbol.state).collect();
        assert_eq!(states, [SymbolState::Syncing, SymbolState::Syncing, SymbolState::Live]);
    }
}
