//! A venue that sends snapshots on the connection: a stale book is asked for there, and the connection stands.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tungstenite::{Message, WebSocket};
use velox_feed::{FeedState, Venue};
use velox_live::{Live, LiveOptions};
use velox_record::{EventKind, Instrument, MarketEvent, flags};

fn book(action: &str, bid_qty: u64, previous: i64, sequence: u64) -> Message {
    Message::text(format!(
        r#"{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"action":"{action}","data":[{{"asks":[["100.2","1","0","1"]],"bids":[["100.1","{bid_qty}","0","1"]],"ts":"1","checksum":0,"seqId":{sequence},"prevSeqId":{previous}}}]}}"#
    ))
}

/// Reads until a text says this.
fn hear(socket: &mut WebSocket<std::net::TcpStream>, what: &str) {
    loop {
        if let Message::Text(text) = socket.read().unwrap()
            && text.contains(what)
        {
            return;
        }
    }
}

#[test]
fn a_gap_is_mended_on_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        hear(&mut socket, r#""subscribe""#);
        for message in [book("snapshot", 1, -1, 5), book("update", 2, 5, 6), book("update", 9, 8, 9)] {
            socket.send(message).unwrap();
        }
        hear(&mut socket, r#""unsubscribe""#);
        hear(&mut socket, r#""subscribe""#);
        // Sent before the request was seen: no part of the new book.
        socket.send(book("update", 9, 9, 10)).unwrap();
        socket.send(book("snapshot", 3, -1, 11)).unwrap();
        socket.send(book("update", 4, 11, 12)).unwrap();
        while socket.read().is_ok() {}
    });
    let instrument = Instrument::new("BTC-USDT", "okx", "0.1", "1").unwrap();
    let options = LiveOptions { url: Some(url), ..LiveOptions::new(Venue::Okx, vec![instrument]) };
    let mut events = Live::new(options).unwrap().start(None).unwrap();
    let (mut all, begun) = (Vec::new(), Instant::now());
    while !all.last().is_some_and(|event: &MarketEvent| event.sequence == 12 && event.has(flags::LAST)) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{all:?} {:#?}", events.stats().report());
        events.pop_into(&mut all, 64);
        std::thread::sleep(Duration::from_millis(1));
    }
    let report = events.stats().report();
    assert_eq!((report.connections, report.gaps, report.symbols[0].state), (1, 1, FeedState::Live));
    let bids: Vec<_> = all.iter().filter(|it| it.kind == EventKind::LEVEL && it.side == 0).map(|it| it.qty).collect();
    assert_eq!(bids, [1, 2, 3, 4]);
    let gap = all.iter().position(|event| event.kind == EventKind::STATUS).unwrap();
    assert!(all[gap].has(flags::GAP) && all[gap + 1].has(flags::SNAPSHOT));
    drop(events);
    server.join().unwrap();
}

#[test]
fn a_venue_that_wants_a_heartbeat_hears_it_and_its_answer_is_no_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        hear(&mut socket, r#""subscribe""#);
        socket.send(book("snapshot", 1, -1, 5)).unwrap();
        for _ in 0..3 {
            hear(&mut socket, "ping");
            socket.send(Message::text("pong")).unwrap();
        }
        socket.send(book("update", 2, 5, 6)).unwrap();
        while socket.read().is_ok() {}
    });
    let instrument = Instrument::new("BTC-USDT", "okx", "0.1", "1").unwrap();
    let beat_every = Some(Duration::from_millis(50));
    let options = LiveOptions { url: Some(url), beat_every, ..LiveOptions::new(Venue::Okx, vec![instrument]) };
    let mut events = Live::new(options).unwrap().start(None).unwrap();
    let (mut all, begun) = (Vec::<MarketEvent>::new(), Instant::now());
    while !all.iter().any(|event| event.sequence == 6) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{all:?} {:#?}", events.stats().report());
        events.pop_into(&mut all, 64);
        std::thread::sleep(Duration::from_millis(1));
    }
    let report = events.stats().report();
    assert_eq!((report.connections, report.errors, report.gaps), (1, 0, 0));
    assert_eq!(report.symbols[0].state, FeedState::Live);
    drop(events);
    server.join().unwrap();
}

/// No number tells what was in it, and a checksum covers the best levels alone.
#[test]
fn a_message_that_cannot_be_decoded_costs_the_connection_where_only_a_checksum_tells() {
    let kraken =
        |qty| format!(r#"[0,{{"as":[["100.2","1","1.0"]],"bs":[["100.1","{qty}","1.0"]]}},"book-100","AB-CD"]"#);
    let bitget = |qty| {
        format!(
            r#"{{"action":"snapshot","arg":{{"instType":"SPOT","channel":"books","instId":"AB-CD"}},"data":[{{"asks":[["100.2","1"]],"bids":[["100.1","{qty}"]],"checksum":0,"seq":{qty},"ts":"1"}}],"ts":1}}"#
        )
    };
    let venues: [(_, &(dyn Fn(u32) -> String + Sync)); 2] = [(Venue::Kraken, &kraken), (Venue::Bitget, &bitget)];
    for (venue, snapshot) in venues {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
                hear(&mut socket, "subscribe");
                socket.send(Message::text(snapshot(1))).unwrap();
                socket.send(Message::text("[0,{\"b\":[[")).unwrap();
                let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
                hear(&mut socket, "subscribe");
                socket.send(Message::text(snapshot(2))).unwrap();
                while socket.read().is_ok() {}
            });
            let instrument = Instrument::new("AB-CD", venue.name(), "0.1", "1").unwrap();
            let options = LiveOptions { url: Some(url), ..LiveOptions::new(venue, vec![instrument]) };
            let mut events = Live::new(options).unwrap().start(None).unwrap();
            let (mut all, begun) = (Vec::<MarketEvent>::new(), Instant::now());
            while !all.iter().any(|event| event.kind == EventKind::LEVEL && event.qty == 2) {
                assert!(begun.elapsed() < Duration::from_secs(5), "{venue}: {all:?} {:#?}", events.stats().report());
                events.pop_into(&mut all, 64);
                std::thread::sleep(Duration::from_millis(1));
            }
            let report = events.stats().report();
            assert_eq!(
                (report.connections, report.errors, report.symbols[0].state),
                (2, 1, FeedState::Live),
                "{venue}"
            );
            let gap = all.iter().position(|event| event.kind == EventKind::STATUS).unwrap();
            assert!(all[gap].has(flags::GAP) && all[gap + 1].has(flags::SNAPSHOT), "{venue}: {all:?}");
            drop(events);
            server.join().unwrap();
        });
    }
}
