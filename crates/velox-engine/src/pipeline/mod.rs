//! Pipelines: what is declared once runs natively.
//!
//! A stage is an agent that does a bounded bit of work on a batch and says how much; a thread is a list of agents, a
//! wait strategy and a core. How many threads there are is placement, not program: between two stages of one thread
//! the batch passes by reference, where threads meet there is a ring.

mod agent;
mod batch;
mod control;
mod crossing;
mod error;
mod flow;
mod gauges;
mod graph;
mod latency;
mod machine;
mod map;
mod markets;
mod merge;
mod params;
mod placement;
mod plan;
mod report;
mod run;
mod script;
mod source;
mod span;
mod split;
mod stage;
mod stats;
mod text;
mod thread;
mod timeline;
mod topology;

pub use batch::{BATCH, Batch, Input};
pub use error::{EngineError, StartError};
pub use flow::{BundleStamp, Flow, Nothing, Stamp};
pub use graph::{EdgeOptions, Graph, NewPort, Output, Port, WhenFull};
pub use machine::Machine;
pub use map::{Make, Maker};
pub use merge::{Late, Merge, Times};
pub use params::Param;
pub(crate) use params::Params;
pub use placement::{Placement, ThreadSpec, Threads, Wait, place, units};
pub use plan::Pipeline;
pub use report::{Report, Verified};
pub use run::{Run, RunError, RunHandle, RunMetrics, StartOptions};
pub use script::{Answer, HostedThread, SCRIPT_OUT, ScriptLoop, ScriptMemory, Step};
pub use source::{Feed, Pace, Paced, Source};
pub use split::{Choose, Route, Way};
pub use stage::{Notes, ParamChange, Stage, Tally};
pub use stats::{BookReport, EdgeReport, HopBuckets, StageReport, Stats, ThreadReport};
pub use thread::{STALL_NS, Stalls, panic_text};
pub use timeline::Timeline;
pub use topology::{Link, Topology};
