//! From a server's send stamp to the book, over loopback. The server is a process of its own: it stamps each message right
//! before it writes it, in the quantity of a level, and a sink behind the book looks at the same clock when the book has
//! taken it.
//!
//! `cargo bench -p velox_engine --bench live -- [messages a second] [seconds]`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use tungstenite::Message;
use velox_engine::feed::Venue;
use velox_engine::live::{Live, LiveOptions};
use velox_engine::pipeline::{Batch, EngineError, Input, Nothing, Pipeline, Stage, StartOptions, Tally, Threads, Wait};
use velox_engine::stages::LiveSource;
use velox_engine::{Instrument, L2Book, MarketEvent};

/// Messages before the first one that counts.
const WARM_UP: u64 = 20_000;

fn epoch_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (rate, seconds) = (numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(10));
    if std::env::args().any(|arg| arg == "serve") {
        return serve(rate);
    }
    for wait in [Wait::Backoff, Wait::Block, Wait::Yield, Wait::Spin] {
        measure(rate, seconds, wait);
    }
}

/// Answers one REST call, then talks to one client until it goes.
fn serve(rate: u64) {
    let (rest, ws) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    println!("{} {}", rest.local_addr().unwrap(), ws.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in rest.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), [0; 1024]);
            let _ = stream.read(&mut request).unwrap();
            let body = r#"{"lastUpdateId":0,"bids":[["61800.00","1"]],"asks":[["61900.00","1"]]}"#;
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    let stream = ws.accept().unwrap().0;
    stream.set_nodelay(true).unwrap();
    let mut socket = tungstenite::accept(stream).unwrap();
    socket.read().unwrap();
    let begun = Instant::now();
    for u in 1u64.. {
        let due = Duration::from_nanos(u * 1_000_000_000 / rate);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let price = u % 1000;
        let text = format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1723100000000,"s":"BTCUSDT","U":{u},"u":{u},"b":[["61801.{:02}","{}"]],"a":[["61{}.00","125"]]}}}}"#,
            price % 100,
            epoch_ns(),
            803 + price / 100,
        );
        if socket.send(Message::text(text)).is_err() {
            return;
        }
    }
}

/// Compares each stamp with the clock.
struct Latency {
    seen: u64,
    histogram: Arc<Mutex<Histogram<u64>>>,
}

impl Stage for Latency {
    type In = MarketEvent;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let now = epoch_ns();
        let mut histogram = self.histogram.lock().unwrap();
        while let Some((event, _)) = input.next() {
            tally.consumed += 1;
            if event.side == 0 && event.qty > 1_000_000 {
                self.seen += 1;
                if self.seen > WARM_UP {
                    histogram.saturating_record(now.saturating_sub(event.qty as u64));
                }
            }
        }
        Ok(())
    }
}

fn measure(rate: u64, seconds: u64, wait: Wait) {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve", &rate.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (rest, ws) = line.trim().split_once(' ').unwrap();
    let instrument = Instrument::new("BTCUSDT", "binance-spot", "0.01", "1").unwrap();
    let live = Live::new(LiveOptions {
        url: Some(format!("ws://{ws}/stream")),
        rest_url: Some(format!("http://{rest}")),
        ..LiveOptions::new(Venue::BinanceSpot, vec![Arc::clone(&instrument)])
    });
    let live = live.unwrap();
    let (stats, book) = (live.stats(), L2Book::new(instrument));
    let histogram = Arc::new(Mutex::new(Histogram::new_with_bounds(1, 10_000_000_000, 3).unwrap()));
    let run = Pipeline::from("live", LiveSource::new(live))
        .book("book", &book, false)
        .unwrap()
        .to("latency", Latency { seen: 0, histogram: Arc::clone(&histogram) })
        .start(StartOptions { threads: Threads::Auto, wait, ..StartOptions::default() })
        .unwrap();
    std::thread::sleep(Duration::from_secs(seconds) + Duration::from_nanos(WARM_UP * 1_000_000_000 / rate));
    run.stop();
    let (report, stalls) = (stats.report(), run.wait().unwrap().stalls);
    server.kill().unwrap();
    server.wait().unwrap();
    let histogram = histogram.lock().unwrap();
    let us = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
    println!(
        "{wait:?}: {} messages, µs: p50 {:.1} p90 {:.1} p99 {:.1} p99.9 {:.1} max {:.0}; gaps {} errors {} stalls {:?} ms",
        histogram.len(),
        us(0.5),
        us(0.9),
        us(0.99),
        us(0.999),
        histogram.max() as f64 / 1e3,
        report.gaps,
        report.errors,
        stalls.iter().map(|it| it.total_ns / 1_000_000).collect::<Vec<_>>(),
    );
}
