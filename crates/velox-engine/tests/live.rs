//! A live market as a pipeline's source, against a server of one connection a test.

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tungstenite::Message;
use velox_engine::feed::Venue;
use velox_engine::live::{Live, LiveError, LiveOptions, LiveStats};
use velox_engine::pipeline::{EngineError, Pipeline, Run, RunError, StartOptions};
use velox_engine::stages::{Count, LiveSource};
use velox_engine::{Instrument, L2Book, book::Standing};

/// Speaks OKX: what the test says is sent, after the first subscription.
struct Server {
    say: Sender<String>,
    url: String,
    thread: JoinHandle<()>,
}

fn server() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (say, said): (_, Receiver<String>) = channel();
    let thread = std::thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        assert!(socket.read().unwrap().to_text().unwrap().contains("BTC-USDT"));
        for text in said {
            socket.send(Message::text(text)).unwrap();
        }
    });
    Server { say, url, thread }
}

const SNAPSHOT: &str = r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["100.2","1","0","1"]],"bids":[["100.1","2","0","1"]],"ts":"1","checksum":0,"seqId":5,"prevSeqId":-1}]}"#;
const UPDATE: &str = r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[["100.1","3","0","1"]],"ts":"2","checksum":0,"seqId":6,"prevSeqId":5}]}"#;
const AFTER_A_GAP: &str = r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[["100.1","4","0","1"]],"ts":"3","checksum":0,"seqId":9,"prevSeqId":8}]}"#;
const REFUSAL: &str =
    r#"{"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:BTC-USDT doesn't exist."}"#;

fn started(server: &Server) -> (Run, L2Book, LiveStats) {
    started_with(server, |_| ())
}

fn started_with(server: &Server, change: impl FnOnce(&mut LiveOptions)) -> (Run, L2Book, LiveStats) {
    let instrument = Instrument::new("BTC-USDT", "okx", "0.1", "1").unwrap();
    let mut options = LiveOptions::new(Venue::Okx, vec![instrument.clone()]);
    options.url = Some(server.url.clone());
    change(&mut options);
    let live = Live::new(options).unwrap();
    let (stats, book) = (live.stats(), L2Book::new(instrument));
    let pipeline = Pipeline::from("live", LiveSource::new(live)).book("book", &book, false).unwrap();
    (pipeline.to("count", Count::default()).start(StartOptions::default()).unwrap(), book, stats)
}

fn until(what: &str, stats: &LiveStats, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: {:#?}", stats.report());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_book_follows_a_live_market_and_goes_stale_with_it() {
    let server = server();
    let (run, book, stats) = started(&server);
    server.say.send(SNAPSHOT.into()).unwrap();
    server.say.send(UPDATE.into()).unwrap();
    until("the update", &stats, || book.top().is_some_and(|top| (top.bid_qty, top.sequence) == (3, 6)));
    server.say.send(AFTER_A_GAP.into()).unwrap();
    until("the gap", &stats, || book.standing() == Standing::Stale);
    run.stop();
    let report = run.wait().unwrap();
    assert!(report.balanced, "{report:#?}");
    assert!(report.gaps == 1 && book.standing() == Standing::Stale);
    assert!(report.non_deterministic.iter().any(|reason| reason.contains("live")));
    drop(server.say);
    server.thread.join().unwrap();
}

#[test]
fn a_stop_loses_nothing_of_what_was_received() {
    const LEVELS: usize = 20_000;
    let bids: Vec<_> = (1..=LEVELS).map(|at| format!(r#"["{}.1","2","0","1"]"#, LEVELS - at)).collect();
    let snapshot = SNAPSHOT.replace(r#"["100.1","2","0","1"]"#, &bids.join(",")).replace("100.2", "99999.2");
    let server = server();
    // A ring that holds next to nothing of the snapshot: the stop comes amid it.
    let (run, book, stats) = started_with(&server, |options| options.capacity = 64);
    server.say.send(snapshot).unwrap();
    until("the snapshot", &stats, || stats.report().messages > 0);
    run.stop();
    let report = run.wait().unwrap();
    assert!(report.balanced, "{report:#?}");
    assert_eq!(book.depth(2 * LEVELS).bids.len(), LEVELS);
    // And the one that says that the source has ended.
    assert_eq!((report.left_out, report.stats.stages[0].out), (0, stats.report().events + 1));
    drop(server.say);
    server.thread.join().unwrap();
}

#[test]
fn a_book_that_nobody_feeds_any_more_is_not_live() {
    let end = |end: fn(Run, &Server)| {
        let server = server();
        let (run, book, stats) = started(&server);
        server.say.send(SNAPSHOT.into()).unwrap();
        until("the snapshot", &stats, || book.top().is_some());
        end(run, &server);
        assert_eq!((book.standing(), book.top()), (Standing::Stale, None));
        assert_eq!(book.depth(1).bids.len(), 1, "its levels stay");
        drop(server.say);
        server.thread.join().unwrap();
    };
    end(|run, _| {
        run.stop();
        let report = run.wait().unwrap();
        assert!(report.balanced && report.gaps == 0, "no event is missing: {report:#?}");
    });
    end(|run, _| drop(run));
    end(|run, server| {
        server.say.send(REFUSAL.into()).unwrap();
        assert!(matches!(run.wait(), Err(RunError::Failed { .. })));
    });
}

#[test]
fn a_symbol_that_the_venue_refuses_fails_the_run_with_its_reason() {
    let server = server();
    let (run, ..) = started(&server);
    server.say.send(REFUSAL.into()).unwrap();
    match run.wait() {
        Err(RunError::Failed { stage, cause: EngineError::Live(LiveError::Feed(error)), .. }) => {
            assert!(stage == "live" && error.is_refusal() && error.to_string().contains("doesn't exist"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    drop(server.say);
    server.thread.join().unwrap();
}

#[test]
fn a_run_stops_at_once_while_nothing_comes() {
    let server = server();
    let (run, _, stats) = started(&server);
    until("the connection", &stats, || stats.report().connections == 1);
    let begun = Instant::now();
    run.stop();
    assert!(run.wait().unwrap().balanced && begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
    drop(server.say);
    server.thread.join().unwrap();
}
