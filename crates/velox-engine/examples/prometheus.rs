//! The numbers of a run, and of transactions counted by hand, for Prometheus: served by a thread of its own.
//!
//! `cargo run --release --example prometheus`, and `curl http://127.0.0.1:9090/metrics` meanwhile.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::metrics::Labels;
use velox_engine::pipeline::{
    Batch, EngineError, Input, Pace, Paced, Pipeline, Report, RunMetrics, Stage, StartOptions, Tally,
};
use velox_engine::stages::Count;
use velox_engine::{PrometheusMetrics, Transaction, rdtsc, tsc_to_ns};

/// Passes on what is small enough, and counts what becomes of it.
struct Limited {
    metrics: Arc<PrometheusMetrics>,
    max_size: u32,
}

impl Stage for Limited {
    type In = Transaction;
    type Out = Transaction;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<Transaction>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while out.room() > 0 {
            let start = rdtsc();
            let Some((transaction, stamp)) = input.next() else { break };
            if transaction.size > self.max_size {
                tally.filtered += 1;
                self.metrics.record_drop();
                continue;
            }
            out.push(transaction, stamp);
            tally.consumed += 1;
            self.metrics.record_transaction(tsc_to_ns(rdtsc() - start));
        }
        Ok(())
    }
}

fn answer(mut stream: TcpStream, text: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    // Whatever it asks, it gets the metrics.
    let _ = stream.read(&mut [0; 4_096])?;
    let length = text.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{text}")
}

/// Serves transactions counted by hand, and what else the run counts, until the process ends.
fn start_metrics_server(listener: TcpListener, metrics: Arc<PrometheusMetrics>, run: RunMetrics) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Both have the document's names: of the run's, its stages alone.
            let run = run.prometheus(&Labels::default());
            let stages = run.split_inclusive('\n').filter(|line| line.contains("velox_stage_"));
            let text = metrics.export() + &stages.collect::<String>();
            // A client that went away is no error of the server.
            let _ = answer(stream, &text);
        }
    });
}

/// Made-up trades through a stage that counts for Prometheus; tells where it listens.
pub(crate) fn run(
    market: PoissonOptions,
    metrics: &Arc<PrometheusMetrics>,
    address: &str,
    listening: impl FnOnce(std::net::SocketAddr),
) -> Result<Report, Box<dyn Error>> {
    let listener = TcpListener::bind(address)?;
    let local = listener.local_addr()?;
    let source = Paced::new(Box::new(Poisson::new(market)?), Pace::Recorded, &[]);
    let run = Pipeline::from("poisson", source)
        .trades("trades")
        .transactions("transactions")
        .stage("limited", Limited { metrics: Arc::clone(metrics), max_size: 100 })
        .to("output", Count::default())
        .start(StartOptions::default())?;
    start_metrics_server(listener, Arc::clone(metrics), run.handle().metrics());
    listening(local);
    Ok(run.wait()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let metrics = Arc::new(PrometheusMetrics::new());
    let market = PoissonOptions { per_second: 10_000.0, count: Some(25_000), seed: 1 };
    run(market, &metrics, "127.0.0.1:9090", |at| println!("Metrics server listening on http://{at}/metrics"))?;
    println!("{}", metrics.export());
    Ok(())
}
