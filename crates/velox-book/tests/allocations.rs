//! No update of a book allocates: a global allocator counts.

use velox_book::L2Book;
use velox_record::{ASK, BID, Instrument};
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_update_allocates() {
    let book = L2Book::new(Instrument::new("BTCUSDT", "", "0.1", "0.001").unwrap());
    let mut writer = book.claim("the test").unwrap();
    // A best price that goes up and down by 4,000 ticks, with 100 levels behind it a side and one far away that comes and goes.
    let mut lap = || {
        for step in 0..8_000i64 {
            let best = 600_000 + (4_000 - step).abs();
            let qty = step % 3;
            let far = (BID, 5, qty);
            let levels = [(BID, best, 5), (BID, best + 1, 0), (BID, best - step % 100, qty), (ASK, best + 2, 7), far];
            writer.apply(&levels, step as u64).unwrap();
        }
    };
    let before = Counting::of_thread().allocations;
    lap();
    assert_eq!(Counting::of_thread().allocations, before);
}
