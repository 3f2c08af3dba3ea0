//! Every interleaving of the seqlock, at a small size:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p velox-book --test loom`.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use velox_book::Seqlock;

#[test]
fn what_is_read_was_written_together() {
    loom::model(|| {
        let words = Arc::new(Seqlock::<2>::new());
        let writing = Arc::clone(&words);
        let thread = thread::spawn(move || {
            writing.write([1, 1]);
            writing.write([2, 2]);
        });
        if let Some([a, b]) = words.try_pick([0, 1]) {
            assert_eq!(a, b);
        }
        thread.join().unwrap();
        assert_eq!(words.try_pick([0, 1]), Some([2, 2]));
    });
}
