//! What leads where, as data.

use super::graph::{EdgeOptions, Fan, Graph};

/// One edge of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The number of the stage that it comes from.
    pub from: usize,
    /// The number of the stage that it leads to.
    pub to: usize,
    /// How it behaves.
    pub options: EdgeOptions,
}

/// The stages of a run by number, and the edges between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Every edge.
    pub links: Vec<Link>,
    /// The stages that give records without taking any.
    pub sources: Vec<usize>,
    /// Of each stage, whether each edge behind it gets every record that it gives.
    pub(crate) every: Vec<bool>,
}

impl Topology {
    pub(crate) fn of(graph: &Graph) -> Self {
        let links = graph.edges.iter().map(|edge| Link { from: edge.from, to: edge.to, options: edge.options });
        let is_source = |at: &usize| graph.nodes[*at].inputs.is_empty();
        Self {
            links: links.collect(),
            sources: (0..graph.nodes.len()).filter(is_source).collect(),
            every: graph.nodes.iter().map(|node| node.fan == Fan::Every).collect(),
        }
    }
}
