//! Work on prepared data, in blocks of [`BLOCK`] operations: the same instructions each time.

use std::hint::black_box;
use std::sync::Arc;

use serde_json::json;
use velox_book::{L2Book, L2Writer, OrderBook};
use velox_expr::{BATCH, Columns, Expr, Inputs, Plan};
use velox_record::{ASK, BID, Instrument, Transaction};
use velox_ring::{Consumer, Producer, ring};

/// Operations of a block.
pub const BLOCK: usize = 256;

/// The names that [`Work::named`] knows.
pub const WORKS: [&str; 7] = ["ring", "ringBatched", "book", "orderBook", "expression", "byHand", "clock"];

/// Blocks of prepared data, after which it begins again.
const BLOCKS: usize = 256;

/// One kind of work, and what it works on.
pub struct Work {
    kind: Kind,
    /// The block of the data that is next.
    at: usize,
}

enum Kind {
    Ring(Box<(Producer<Transaction>, Consumer<Transaction>)>, Rows),
    RingBatched(Box<(Producer<Transaction>, Consumer<Transaction>)>, Rows, Vec<Transaction>),
    Book(L2Writer, Vec<(u8, i64, i64)>),
    OrderBook(Box<OrderBook>, Vec<(u8, i64, i64)>),
    Expression(Box<Plan<Transaction>>, Rows, Vec<u16>),
    ByHand(Rows, Vec<u16>),
    Clock,
}

type Rows = Arc<Vec<Transaction>>;

impl Work {
    /// The work of this name; `None` where there is none of it.
    ///
    /// # Panics
    /// Never: what it is made of is valid.
    pub fn named(name: &str) -> Option<Self> {
        let sides = || Box::new(ring(1024).expect("a power of two"));
        let kind = match name {
            "ring" => Kind::Ring(sides(), rows()),
            "ringBatched" => Kind::RingBatched(sides(), rows(), Vec::with_capacity(BLOCK)),
            "book" => {
                let instrument = Instrument::new("BENCH", "bench", "0.01", "1").expect("an instrument");
                Kind::Book(L2Book::new(instrument).claim("a benchmark").expect("nobody else"), levels())
            }
            "orderBook" => Kind::OrderBook(Box::default(), levels()),
            "expression" => Kind::Expression(Box::new(plan()), rows(), Vec::with_capacity(BATCH)),
            "byHand" => Kind::ByHand(rows(), Vec::with_capacity(BATCH)),
            "clock" => {
                velox_clock::init_tsc();
                Kind::Clock
            }
            _ => return None,
        };
        Some(Self { kind, at: 0 })
    }

    /// Does the next [`BLOCK`] operations. Allocates nothing once each block was done once.
    ///
    /// # Panics
    /// What is measured is wrong: a ring that is full, a level that is refused.
    pub fn block(&mut self) {
        let (from, to) = (self.at * BLOCK, (self.at + 1) * BLOCK);
        self.at = (self.at + 1) % BLOCKS;
        match &mut self.kind {
            Kind::Ring(sides, rows) => {
                let (producer, consumer) = &mut **sides;
                for row in &rows[from..to] {
                    assert!(producer.push(*row).is_ok() && black_box(consumer.pop()).is_some());
                }
            }
            Kind::RingBatched(sides, rows, out) => {
                let (producer, consumer) = &mut **sides;
                out.clear();
                assert_eq!(producer.push_slice(&rows[from..to]), BLOCK);
                assert_eq!(consumer.pop_into(black_box(out), BLOCK), BLOCK);
            }
            Kind::Book(writer, levels) => {
                for (i, &(side, price, qty)) in levels[from..to].iter().enumerate() {
                    let mut event = writer.begin();
                    event.set(side, price, qty).expect("a valid level");
                    event.finish((from + i) as u64);
                }
            }
            Kind::OrderBook(book, levels) => {
                for (i, &(side, price, qty)) in levels[from..to].iter().enumerate() {
                    let time = (from + i) as u64;
                    let set = if side == BID { book.set_bid(price, qty, time) } else { book.set_ask(price, qty, time) };
                    set.expect("no other writer");
                }
            }
            Kind::Expression(plan, rows, keep) => {
                assert_eq!(plan.filter(black_box(&rows[from..to]), &[], keep).count(), 0);
                black_box(keep);
            }
            Kind::ByHand(rows, keep) => by_hand(black_box(&rows[from..to]), keep),
            Kind::Clock => (from..to).for_each(|_| {
                black_box(velox_clock::now());
            }),
        }
    }
}

/// Numbers that are the same each time and follow no pattern (xorshift, Marsaglia 2003).
fn numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

fn rows() -> Rows {
    let mut next = numbers();
    let row = |id: u64| {
        Transaction::new(id, next(1_000) as i64, next(1_000) as u32, next(2) as u8, id * 1_000)
            .with_instrument(next(4) as u16)
    };
    Arc::new((0..(BLOCK * BLOCKS) as u64).map(row).collect())
}

/// A market that walks: levels within 50 ticks of the middle, most near it, three of ten removed.
fn levels() -> Vec<(u8, i64, i64)> {
    let (mut next, mut middle) = (numbers(), 1_000_000i64);
    let level = |_| {
        middle += next(3) as i64 - 1;
        let away = 1 + next(8).min(next(50)) as i64;
        let (side, price) = if next(2) == 0 { (BID, middle - away) } else { (ASK, middle + away) };
        (side, price, if next(10) < 3 { 0 } else { 1 + next(500) as i64 })
    };
    (0..BLOCK * BLOCKS).map(level).collect()
}

/// price > 500 and size < 500 and side = ask.
fn plan() -> Plan<Transaction> {
    let column = |name: &str| json!({ "op": "column", "name": name });
    let number = |value: i64| json!({ "op": "i64", "value": value });
    let term = |op: &str, name: &str, value| json!({ "op": op, "of": [column(name), value] });
    let side = json!({ "op": "name", "value": "ask" });
    let terms = [term("gt", "price", number(500)), term("lt", "size", number(500)), term("eq", "side", side)];
    let expr: Expr = serde_json::from_value(json!({ "op": "and", "of": terms })).expect("an expression");
    Plan::over(&Columns::native(), &expr, &Inputs::default()).expect("a plan")
}

/// The same by a loop without branches, as one writes it by hand.
#[expect(clippy::needless_bitwise_bool, reason = "the loop must not branch")]
fn by_hand(rows: &[Transaction], keep: &mut Vec<u16>) {
    let [price, size] = black_box([500i64, 500]);
    let (mut places, mut count) = ([0; BATCH], 0);
    for (place, row) in rows.iter().take(BATCH).enumerate() {
        places[count % BATCH] = place as u16;
        count += usize::from((row.price > price) & (i64::from(row.size) < size) & (row.side == ASK));
    }
    keep.clear();
    keep.extend_from_slice(&places[..count]);
    black_box(keep);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_work_can_be_done_again_and_again() {
        for name in WORKS {
            let mut work = Work::named(name).expect(name);
            for _ in 0..=2 * BLOCKS {
                work.block();
            }
        }
        assert!(Work::named("nothing").is_none());
    }

    #[test]
    fn the_plan_and_the_loop_by_hand_keep_the_same_rows() {
        let (rows, mut plan, mut kept) = (rows(), plan(), [Vec::new(), Vec::new()]);
        for batch in rows.chunks(BATCH) {
            let _ = plan.filter(batch, &[], &mut kept[0]);
            by_hand(batch, &mut kept[1]);
            assert_eq!(kept[0], kept[1]);
        }
        assert!(!kept[0].is_empty());
    }

    #[test]
    fn the_market_has_both_sides_at_the_end() {
        let mut work = Work::named("book").unwrap();
        (0..BLOCKS).for_each(|_| work.block());
        let Kind::Book(writer, _) = &mut work.kind else { unreachable!() };
        assert!(writer.begin().top().is_some());
    }
}
