//! The numbers of a run as families for Prometheus.

use std::borrow::Cow;

use crate::buckets::Buckets;
use crate::exposition::{Family, Kind, Label, LabelName, Sample};
use crate::market::{LiveState, SymbolState};
use crate::shape::{Hop, Shape};
use crate::snapshot::{BookState, MarketWords, Snapshot};
use crate::state::RunState;
use crate::transactions;

/// Upper bounds of the buckets, in ns and as labels in seconds: 100 ns to 10 s in steps of 1, 2 and 5.
const BOUNDS: [(u64, &str); 25] = [
    (100, "0.0000001"),
    (200, "0.0000002"),
    (500, "0.0000005"),
    (1_000, "0.000001"),
    (2_000, "0.000002"),
    (5_000, "0.000005"),
    (10_000, "0.00001"),
    (20_000, "0.00002"),
    (50_000, "0.00005"),
    (100_000, "0.0001"),
    (200_000, "0.0002"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_000_000, "0.002"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (20_000_000, "0.02"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (200_000_000, "0.2"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1"),
    (2_000_000_000, "2"),
    (5_000_000_000, "5"),
    (10_000_000_000, "10"),
];

/// A thread that has not come back for so long is stuck, in ns.
const STUCK_NS: u64 = 1_000_000_000;

const NS: f64 = 1e-9;

/// The samples of one histogram: 25 bounds, a sum and a count, under these labels. A bucket of it that lies on both sides of a bound counts above it, which is at most 1/128 off.
fn histogram<'a>(labels: &[Label<'a>], of: &Buckets, into: &mut Vec<Sample<'a>>) {
    let mut filled = of.filled().peekable();
    let mut counted = 0;
    let mut bucket = |le: &'static str, counted: u64| {
        let labels = labels.iter().cloned().chain([(LabelName::Le, le.into())]).collect();
        into.push(Sample { suffix: "_bucket", labels, value: counted as f64 });
    };
    for (bound, le) in BOUNDS {
        while let Some((_, count)) = filled.next_if(|(most, _)| *most <= bound) {
            counted += count;
        }
        bucket(le, counted);
    }
    counted += filled.map(|(_, count)| count).sum::<u64>();
    bucket("+Inf", counted);
    for (suffix, value) in [("_sum", of.sum() as f64 / 1e9), ("_count", counted as f64)] {
        into.push(Sample { suffix, labels: labels.to_vec(), value });
    }
}

impl<'a> Family<'a> {
    /// A family of plain numbers.
    pub fn plain(
        name: &'static str,
        help: &'static str,
        kind: Kind,
        samples: impl IntoIterator<Item = (Vec<Label<'a>>, f64)>,
    ) -> Self {
        let samples = samples.into_iter().map(|(labels, value)| Sample { suffix: "", labels, value });
        Self { name, help, kind, samples: samples.collect() }
    }

    /// A family of histograms of ns, in seconds as its name says: 25 bounds each, 100 ns to 10 s.
    pub fn histograms(
        name: &'static str,
        help: &'static str,
        all: impl IntoIterator<Item = (Vec<Label<'a>>, Buckets)>,
    ) -> Self {
        let mut samples = Vec::new();
        for (labels, buckets) in all {
            histogram(&labels, &buckets, &mut samples);
        }
        Self { name, help, kind: Kind::Histogram, samples }
    }
}

#[derive(Default)]
struct Families<'a>(Vec<Family<'a>>);

impl<'a> Families<'a> {
    fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        samples: impl IntoIterator<Item = (Vec<Label<'a>>, f64)>,
    ) {
        self.0.push(Family::plain(name, help, kind, samples));
    }

    fn one(&mut self, name: &'static str, help: &'static str, kind: Kind, value: f64) {
        self.add(name, help, kind, [(Vec::new(), value)]);
    }

    /// The document's names, and what the run is.
    fn whole_run(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        let ends = |stage: &usize| !shape.edges.iter().any(|edge| edge.from == *stage);
        let consumed = (0..shape.stages.len()).filter(ends).filter_map(|stage| numbers.stages.get(stage));
        let dropped: u64 = numbers.edges.iter().fold(0, |sum, edge| sum.saturating_add(edge.dropped));
        let hops = shape.histograms.iter().zip(&numbers.histograms).filter(|(of, _)| of.hops.contains(&Hop::EndToEnd));
        let (sum, count) = hops.fold((0_u64, 0_u64), |(sum, count), (_, of)| {
            (sum.saturating_add(of.sum()), count.saturating_add(of.count()))
        });
        let average = sum.checked_div(count).unwrap_or(0);
        // The end of a pipeline of bundles takes bundles; its latencies are those of their transactions.
        let consumed = consumed.fold(0_u64, |sum, stage| sum.saturating_add(stage.consumed)).max(count);
        self.0.extend(transactions::families(consumed, dropped, average));
        self.add(
            "velox_run_info",
            "The run that this is of.",
            Kind::Gauge,
            [(vec![(LabelName::Run, Cow::from(&*shape.run))], 1.0)],
        );
        let running = u8::from(!numbers.ended());
        self.one("velox_run_running", "Whether the run goes: 1, and 0 after its end.", Kind::Gauge, running.into());
        let states = RunState::NAMES
            .map(|name| (vec![(LabelName::State, Cow::from(name))], f64::from(u8::from(numbers.state.name() == name))));
        self.add("velox_run_state", "1 for the state that the run is in.", Kind::Gauge, states);
        let elapsed = numbers.elapsed_ns as f64 * NS;
        self.one("velox_run_elapsed_seconds", "Since the sources were let go, up to the end.", Kind::Gauge, elapsed);
    }

    fn stages(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        use Kind::{Counter, Gauge};
        let stuck: Vec<usize> = numbers.stuck(STUCK_NS).filter(|_| !numbers.ended()).collect();
        let mut each = |name, help, kind, value: &dyn Fn(usize, &crate::StageWords) -> f64| {
            let all = shape.stages.iter().zip(&numbers.stages).enumerate();
            self.add(
                name,
                help,
                kind,
                all.map(|(i, (name, words))| (vec![(LabelName::Stage, name.into())], value(i, words))),
            );
        };
        each("velox_stage_in_total", "Records that the stage took.", Counter, &|_, s| s.taken as f64);
        each("velox_stage_out_total", "Records that the stage gave.", Counter, &|_, s| s.out as f64);
        each("velox_stage_consumed_total", "Records that the stage used.", Counter, &|_, s| s.consumed as f64);
        each("velox_stage_filtered_total", "Records left out on purpose.", Counter, &|_, s| s.filtered as f64);
        each("velox_stage_conflated_total", "Records replaced by later ones.", Counter, &|_, s| s.conflated as f64);
        each("velox_stage_errors_total", "Records that the stage refused.", Counter, &|_, s| s.errors as f64);
        each("velox_stage_held", "Records still inside the stage.", Gauge, &|_, s| s.held as f64);
        each("velox_stage_busy_seconds_total", "Time at work.", Counter, &|_, s| s.busy_ns as f64 * NS);
        each("velox_stage_stuck", "Whether the stage has not come back from its work for a second.", Gauge, &|i, _| {
            f64::from(u8::from(stuck.contains(&i)))
        });
    }

    fn edges(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        use Kind::{Counter, Gauge};
        let name = |stage: usize| shape.stages.get(stage).map_or("", |name| name);
        let mut each = |name_of, help, kind, value: &dyn Fn(usize, &crate::EdgeWords) -> Option<f64>| {
            let all = shape.edges.iter().zip(&numbers.edges).enumerate();
            let samples = all.filter_map(|(i, (edge, words))| {
                // Two edges may lead from the same stage to the same.
                let labels = vec![
                    (LabelName::Edge, i.to_string().into()),
                    (LabelName::From, name(edge.from).into()),
                    (LabelName::To, name(edge.to).into()),
                ];
                Some((labels, value(i, words)?))
            });
            self.add(name_of, help, kind, samples);
        };
        each("velox_edge_offered_total", "Records given to the edge, dropped ones too.", Counter, &|_, e| {
            Some(e.offered as f64)
        });
        each("velox_edge_dropped_total", "Records that found no room, or that nobody read.", Counter, &|_, e| {
            Some(e.dropped as f64)
        });
        each("velox_edge_popped_total", "Records taken from the edge.", Counter, &|_, e| Some(e.popped as f64));
        each("velox_edge_in_flight", "Records on the edge.", Gauge, &|_, e| {
            Some(e.offered.saturating_sub(e.dropped).saturating_sub(e.popped) as f64)
        });
        each("velox_edge_high_water", "The most records that were ever on the edge.", Gauge, &|_, e| {
            Some(e.high_water as f64)
        });
        each("velox_edge_capacity", "Records that the edge holds at most.", Gauge, &|i, _| {
            Some(shape.edges[i].capacity as f64)
        });
    }

    fn books(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        let labels = |book: &'a crate::BookOf| {
            let stage = shape.stages.get(book.stage).map_or("", |name| name);
            vec![(LabelName::Book, Cow::from(stage)), (LabelName::Symbol, Cow::from(&*book.symbol))]
        };
        let all = || shape.books.iter().zip(&numbers.books);
        let states = all().flat_map(|(book, words)| {
            [BookState::Empty, BookState::Live, BookState::Stale].map(|state| {
                let mut labels = labels(book);
                labels.push((LabelName::State, state.name().into()));
                (labels, f64::from(u8::from(words.state == state)))
            })
        });
        self.add("velox_book_state", "1 for the state that the book is in.", Kind::Gauge, states);
        let sequences = all().map(|(book, words)| (labels(book), words.sequence as f64));
        self.add("velox_book_sequence", "The number of the book's last event.", Kind::Gauge, sequences);
        let ages = all().filter_map(|(book, words)| Some((labels(book), words.age_ns? as f64 * NS)));
        self.add("velox_book_age_seconds", "Since the book changed.", Kind::Gauge, ages);
    }

    fn markets(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        use Kind::{Counter, Gauge};
        let name = |market: usize| {
            let stage = shape.markets.get(market).and_then(|market| shape.stages.get(market.stage));
            (LabelName::Market, Cow::from(stage.map_or("", |name| name)))
        };
        let info = shape.markets.iter().enumerate();
        let info = info.map(|(i, market)| (vec![name(i), (LabelName::Venue, (&*market.venue).into())], 1.0));
        self.add("velox_market_info", "The live markets of the run.", Gauge, info);
        let states = numbers.markets.iter().enumerate().flat_map(|(i, words)| {
            LiveState::ALL.map(|state| {
                let is_so = f64::from(u8::from(words.state == state));
                (vec![name(i), (LabelName::State, state.name().into())], is_so)
            })
        });
        self.add("velox_market_state", "1 for the state that the connection is in.", Gauge, states);
        let mut each = |name_of, help, value: fn(&MarketWords) -> u64| {
            let samples = numbers.markets.iter().enumerate();
            self.add(name_of, help, Counter, samples.map(|(i, words)| (vec![name(i)], value(words) as f64)));
        };
        each("velox_market_messages_total", "Messages received.", |m| m.messages);
        each("velox_market_received_bytes_total", "Their bytes.", |m| m.bytes);
        each("velox_market_events_total", "Events given to the pipeline.", |m| m.events);
        each("velox_market_connections_total", "Connections made, the first one too.", |m| m.connections);
        each("velox_market_connection_errors_total", "Connections that could not be made, or broke.", |m| m.failures);
        each("velox_market_gaps_total", "How often events of a book were missing.", |m| m.gaps);
        each("velox_market_wrong_checksums_total", "How often a book was not the venue's.", |m| m.checksums);
        each("velox_market_bad_messages_total", "Messages that could not be decoded.", |m| m.errors);
        each("velox_market_overflows_total", "Connections given up for a pipeline too far behind.", |m| m.overflows);
        each("velox_market_dropped_messages_total", "Messages that found no room.", |m| m.dropped);
        each("velox_market_snapshots_total", "REST snapshots fetched.", |m| m.snapshots);
        each("velox_market_rest_errors_total", "REST calls that failed.", |m| m.rest_errors);
        each("velox_market_recorded_bytes_total", "Bytes handed on for the recording.", |m| m.recorded);
        let ages = numbers.markets.iter().enumerate();
        let ages = ages.filter_map(|(i, words)| Some((vec![name(i)], words.age_ns? as f64 * NS)));
        self.add("velox_market_message_age_seconds", "Since the last message was received.", Gauge, ages);

        let all = || shape.symbols.iter().zip(&numbers.symbols);
        let labels = |of: &'a crate::SymbolOf| vec![name(of.market), (LabelName::Symbol, Cow::from(&*of.symbol))];
        let states = all().flat_map(|(of, words)| {
            SymbolState::ALL.map(|state| {
                let mut labels = labels(of);
                labels.push((LabelName::State, state.name().into()));
                (labels, f64::from(u8::from(words.state == state)))
            })
        });
        self.add("velox_market_book_state", "1 for the state that the symbol's book is in.", Gauge, states);
        let ages = all().filter_map(|(of, words)| Some((labels(of), words.age_ns? as f64 * NS)));
        self.add("velox_market_book_age_seconds", "Since the symbol's last event was received.", Gauge, ages);
    }

    fn threads(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        let info = shape.threads.iter().enumerate().map(|(i, thread)| {
            let core = thread.core.map_or(String::new(), |core| core.to_string());
            let stages = thread.stages.join(", ");
            let thread_of = (LabelName::Thread, i.to_string().into());
            (
                vec![
                    thread_of,
                    (LabelName::Core, core.into()),
                    (LabelName::Stages, stages.into()),
                    (LabelName::Wait, (&*thread.wait).into()),
                ],
                1.0,
            )
        });
        self.add("velox_thread_info", "The threads of the run.", Kind::Gauge, info);
        let mut each = |name, help, kind, value: &dyn Fn(&crate::ThreadWords) -> Option<f64>| {
            let samples = numbers.threads.iter().enumerate();
            let samples =
                samples.filter_map(|(i, words)| Some((vec![(LabelName::Thread, i.to_string().into())], value(words)?)));
            self.add(name, help, kind, samples);
        };
        each("velox_thread_asleep", "Whether the thread sleeps.", Kind::Gauge, &|t| Some(u8::from(t.asleep).into()));
        each("velox_thread_beat_age_seconds", "Since its round began.", Kind::Gauge, &|t| {
            Some(t.beat_age_ns? as f64 * NS)
        });
        each("velox_thread_stalls_total", "Pauses over 10 µs while it spun.", Kind::Counter, &|t| {
            Some(t.stalls as f64)
        });
        each("velox_thread_stall_seconds_total", "What they took together.", Kind::Counter, &|t| {
            Some(t.stall_total_ns as f64 * NS)
        });
    }

    fn latencies(&mut self, shape: &'a Shape, numbers: &Snapshot) {
        for (hop, name, help) in [
            (Hop::EndToEnd, "velox_latency_seconds", "From the scheduled arrival to the end of the pipeline."),
            (Hop::Stage, "velox_stage_latency_seconds", "From the scheduled arrival until the stage was through."),
            (Hop::BundleWait, "velox_bundle_wait_seconds", "What transactions waited in an open bundle."),
            (Hop::Hiccup, "velox_hiccup_seconds", "By how much a sleep of 1 ms was late: what the machine takes."),
        ] {
            let mut samples = Vec::new();
            let all = shape.histograms.iter().zip(&numbers.histograms);
            for (of, buckets) in all.filter(|(of, _)| of.hops.contains(&hop)) {
                let stage =
                    of.stage.and_then(|stage| shape.stages.get(stage)).map(|name| (LabelName::Stage, Cow::from(name)));
                histogram(&Vec::from_iter(stage), buckets, &mut samples);
            }
            self.0.push(Family { name, help, kind: Kind::Histogram, samples });
        }
    }
}

/// What a run of this or another process says, as families; [`text`](crate::text()) writes them.
///
/// `velox_transactions_total` counts what the ends of the pipeline took in (of a bundle its transactions), `velox_transactions_dropped` what its edges dropped,
/// and `velox_latency_avg_ns` is the mean from the scheduled arrival to the ends. Times are seconds, but in that one name.
/// A histogram has 25 bounds. The families of all runs are the same, in the same order; some may be without samples. Allocates; a thousand samples take less than a millisecond.
///
/// ```
/// use velox_metrics::{Labels, Memory, Metrics, Shape, families, text};
///
/// let shape = Shape { run: "example".into(), stages: vec!["sink".into()], ..Shape::default() };
/// let metrics = Metrics::new(shape.clone(), Memory::Heap);
/// metrics.stage(0).publish([3, 0, 3, 0, 0, 0, 0, 120]);
/// let text = text(&families(&shape, &metrics.snapshot(0)), &Labels::default());
/// assert!(text.contains("\nvelox_transactions_total 3\n"));
/// assert!(text.contains("\nvelox_stage_in_total{stage=\"sink\"} 3\n"));
/// ```
pub fn families<'a>(shape: &'a Shape, numbers: &Snapshot) -> Vec<Family<'a>> {
    let mut all = Families::default();
    all.whole_run(shape, numbers);
    all.latencies(shape, numbers);
    all.stages(shape, numbers);
    all.edges(shape, numbers);
    all.books(shape, numbers);
    all.markets(shape, numbers);
    all.threads(shape, numbers);
    all.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_in_steps_and_their_labels_are_theirs() {
        for (i, (bound, le)) in BOUNDS.into_iter().enumerate() {
            assert_eq!(bound, [100, 200, 500][i % 3] * 10_u64.pow(i as u32 / 3));
            assert_eq!(le, (bound as f64 / 1e9).to_string());
        }
    }
}
