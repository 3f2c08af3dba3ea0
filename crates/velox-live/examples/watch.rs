//! Watches a live market, a line a second: how the connection stands, and each book's best prices.
//!
//! `cargo run -p velox-live --example watch -- kraken XBT/USD,ETH/USD [seconds] [url] [rest url]`

use std::error::Error;
use std::time::{Duration, Instant};

use velox_book::{L2Book, L2Writer};
use velox_feed::Venue;
use velox_live::{Live, LiveOptions};
use velox_record::{EventKind, MarketEvent, flags};

struct Kept {
    book: L2Book,
    writer: L2Writer,
    /// The levels of the exchange event under way.
    pending: Vec<MarketEvent>,
    trades: u64,
}

impl Kept {
    fn take(&mut self, event: MarketEvent) -> Result<(), Box<dyn Error>> {
        match event.kind {
            EventKind::STATUS => {
                self.pending.clear();
                self.writer.begin().mark_stale();
            }
            EventKind::TRADE => self.trades += 1,
            EventKind::LEVEL => {
                self.pending.push(event);
                if event.has(flags::LAST) {
                    let mut under_way = self.writer.begin();
                    if self.pending[0].has(flags::SNAPSHOT) {
                        under_way.clear();
                    }
                    for level in self.pending.drain(..) {
                        under_way.set(level.side, level.price, level.qty)?;
                    }
                    under_way.finish(event.sequence);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let venue = args.next().and_then(|name| Venue::from_name(&name)).ok_or("expected the name of a venue")?;
    let symbols = args.next().ok_or("expected symbols, with commas between")?;
    let seconds = args.next().map_or(Ok(10), |seconds| seconds.parse())?;
    let instruments: Vec<_> = symbols.split(',').map(|symbol| venue.instrument(symbol)).collect::<Result<_, _>>()?;
    let keep = |instrument: &std::sync::Arc<_>| -> Result<Kept, Box<dyn Error>> {
        let book = L2Book::new(std::sync::Arc::clone(instrument));
        Ok(Kept { writer: book.claim("watch")?, book, pending: Vec::new(), trades: 0 })
    };
    let mut kept: Vec<Kept> = instruments.iter().map(keep).collect::<Result<_, _>>()?;
    let options = LiveOptions { url: args.next(), rest_url: args.next(), ..LiveOptions::new(venue, instruments) };
    let mut events = Live::new(options)?.start(None)?;
    let (begun, mut told, mut batch) = (Instant::now(), 0, Vec::with_capacity(1024));
    while told < seconds {
        events.pop_into(&mut batch, 1024);
        if let Some(error) = events.failure() {
            return Err(error.into());
        }
        if batch.is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        for event in batch.drain(..) {
            let of_it = kept.iter_mut().find(|it| it.book.instrument().id() == event.instrument);
            of_it.map_or(Ok(()), |it| it.take(event))?;
        }
        if begun.elapsed().as_secs() > told {
            told += 1;
            tell(&events.stats().report(), &kept);
        }
    }
    Ok(())
}

fn tell(report: &velox_live::LiveReport, kept: &[Kept]) {
    println!(
        "{}: {} messages, {} connections, {} gaps, {} checksums, {} errors, {} overflows, {} REST errors; last error: {}",
        report.state.name(),
        report.messages,
        report.connections,
        report.gaps,
        report.checksums,
        report.errors,
        report.overflows,
        report.rest_errors,
        report.last_error.as_deref().unwrap_or("none"),
    );
    for Kept { book, trades, .. } in kept {
        let (tick, lot) = (book.instrument().tick(), book.instrument().lot());
        let top = book.top().map_or_else(String::new, |top| {
            let [bid, ask] = [(top.bid, top.bid_qty), (top.ask, top.ask_qty)]
                .map(|(price, qty)| format!("{} x {}", tick.format(price), lot.format(qty)));
            format!("{bid} | {ask} at {}", top.sequence)
        });
        println!("  {} {} {top}; {trades} trades", book.instrument().symbol(), book.standing().name());
    }
}
