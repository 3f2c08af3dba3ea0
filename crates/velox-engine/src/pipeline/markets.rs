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
