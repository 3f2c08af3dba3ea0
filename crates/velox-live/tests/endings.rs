//! How a live market ends: at once when told to, and by itself when trying again is of no use.

mod common;

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::exchange::{Exchange, Fault, RestFault};
use common::{Keeper, options};
use velox_live::{Live, LiveError, LiveEvents, LiveOptions, LiveState};

/// As promised, with room for a busy machine.
const AT_ONCE: Duration = Duration::from_millis(100);

fn stops_at_once(mut events: LiveEvents) {
    let begun = Instant::now();
    events.stop();
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!((events.stats().report().state, events.failure()), (LiveState::Ended, None));
}

fn failure(events: &LiveEvents) -> LiveError {
    let begun = Instant::now();
    loop {
        if let Some(error) = events.failure() {
            return error;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:#?}", events.stats().report());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn it_stops_while_it_reads_waits_or_fetches() {
    let exchange = Exchange::start();
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until_right(&exchange, 50);
    stops_at_once(keeper.events);

    exchange.rest_fault(RestFault::Slow(Duration::from_secs(60)));
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until(&exchange, "the call", |_| exchange.shared.rest_faults.lock().unwrap().is_empty());
    std::thread::sleep(Duration::from_millis(30));
    stops_at_once(keeper.events);

    exchange.fault(Fault::Stall);
    let keeper = Keeper::new(options(&exchange));
    std::thread::sleep(Duration::from_millis(100));
    stops_at_once(keeper.events);
}

/// Accepts, says `first`, and then a byte every few milliseconds, for ever.
fn trickle(first: &'static [u8], drip: u8) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let _ = tcp.write_all(first);
        while tcp.write_all(&[drip]).is_ok() {
            std::thread::sleep(Duration::from_millis(4));
        }
    });
    address
}

#[test]
fn it_stops_while_a_message_or_an_answer_trickles_in() {
    let exchange = Exchange::start();
    for first in [&b"HTTP/1.1 101 X\r\nX-Long: "[..], b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"] {
        let url = Some(format!("ws://{}/", trickle(first, b'a')));
        let events = Live::new(LiveOptions { url, ..options(&exchange) }).unwrap().start(None).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        stops_at_once(events);
    }
    let rest_url = Some(format!("http://{}", trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b'1')));
    let events = Live::new(LiveOptions { rest_url, ..options(&exchange) }).unwrap().start(None).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    stops_at_once(events);

    exchange.fault(Fault::Trickle);
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until(&exchange, "the fault", |_| exchange.shared.faults.lock().unwrap().is_empty());
    std::thread::sleep(Duration::from_millis(60));
    stops_at_once(keeper.events);
}

#[test]
fn it_stops_while_it_connects() {
    let exchange = Exchange::start();
    // Nobody accepts: the handshake is never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    // Nobody answers a SYN either, where packets to this address (RFC 5737) go nowhere.
    for url in [format!("ws://127.0.0.1:{port}/"), format!("wss://127.0.0.1:{port}/"), "ws://192.0.2.1:9/".into()] {
        let options = LiveOptions { url: Some(url), ..options(&exchange) };
        let events = Live::new(options).unwrap().start(None).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        stops_at_once(events);
    }
}

#[test]
fn it_stops_while_it_waits_for_the_next_try() {
    let exchange = Exchange::start();
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let patient = velox_live::BackoffOptions { first: Duration::from_secs(60), most: Duration::from_secs(60) };
    let url = Some(format!("ws://127.0.0.1:{refused}/"));
    let options = LiveOptions { url, backoff: patient, ..options(&exchange) };
    let events = Live::new(options).unwrap().start(None).unwrap();
    let begun = Instant::now();
    while events.stats().report().last_error.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(events.failure(), None, "a server that isn't there may come");
    stops_at_once(events);
}

#[test]
fn a_server_that_refuses_the_request_ends_it_with_the_reason() {
    let exchange = Exchange::start();
    // The REST server knows no WebSocket: it says 404.
    exchange.rest_fault(RestFault::Status(404, ""));
    let url = Some(exchange.rest_url.replacen("http", "ws", 1));
    let events = Live::new(LiveOptions { url, ..options(&exchange) }).unwrap().start(None).unwrap();
    let error = failure(&events);
    assert!(matches!(error, LiveError::Refused { status: 404, .. }) && error.code() == "VELOX_LIVE_REFUSED", "{error}");

    // A symbol that the venue doesn't have.
    exchange.rest_fault(RestFault::Status(400, ""));
    let events = Live::new(options(&exchange)).unwrap().start(None).unwrap();
    let error = failure(&events);
    assert!(matches!(&error, LiveError::Refused { status: 400, url, .. } if url.contains("BTCUSDT")), "{error}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let exchange = Exchange::start();
    let code = |options: LiveOptions| Live::new(options).unwrap_err().code();
    let url = Some("http://a".to_owned());
    assert_eq!(code(LiveOptions { url: url.clone(), ..options(&exchange) }), "VELOX_INVALID_VALUE");
    assert_eq!(code(LiveOptions { rest_url: Some("ws://a".into()), ..options(&exchange) }), "VELOX_INVALID_VALUE");
    assert_eq!(code(LiveOptions { instruments: Vec::new(), ..options(&exchange) }), "VELOX_INVALID_VALUE");
    let live = Live::new(LiveOptions { capacity: 3, ..options(&exchange) }).unwrap();
    assert_eq!(live.start(None).unwrap_err().code(), "VELOX_INVALID_VALUE");
}
