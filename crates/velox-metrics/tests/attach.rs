//! One process writes, another reads: what is found, what is told, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;
use velox_metrics::layout::{HEADER, header, market};
use velox_metrics::{
    AttachError, Attached, BookOf, BookState, Buckets, EdgeOf, HistogramOf, Hop, LiveState, MarketOf, Memory, Metrics,
    RunState, Shape, SymbolOf, SymbolState, ThreadOf, running_in,
};

/// A folder of a test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("velox-metrics-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn thread() -> ThreadOf {
    ThreadOf { stages: vec!["source".into(), "sink".into()], core: None, wait: "spin".into(), why: "auto".into() }
}

fn shape() -> Shape {
    Shape {
        run: "tést".into(),
        stages: vec!["source".into(), "sink".into()],
        edges: vec![EdgeOf { from: 0, to: 1, drops: false, crosses: false, capacity: 256 }],
        threads: vec![thread()],
        books: vec![BookOf { stage: 1, symbol: "BTCUSDT".into() }],
        markets: vec![MarketOf { stage: 0, venue: "kraken".into() }],
        symbols: ["XBT/USD", "ETH/USD"].map(|symbol| SymbolOf { market: 0, symbol: symbol.into() }).into(),
        histograms: vec![
            HistogramOf { stage: Some(1), hops: vec![Hop::Stage] },
            HistogramOf { stage: None, hops: vec![Hop::Hiccup] },
        ],
    }
}

fn run(folder: &Folder) -> Arc<Metrics> {
    let metrics = Metrics::new(shape(), Memory::In(folder.0.clone()));
    metrics.started(velox_clock::now());
    metrics.stage(0).publish([10, 10, 10, 0, 0, 0, 0, 500]);
    metrics.stage(1).publish([7, 0, 5, 1, 0, 1, 0, 700]);
    metrics.edge(0).offered(10);
    metrics.edge(0).fill(6);
    metrics.edge(0).fill(4);
    metrics.edge(0).popped(7);
    metrics.thread(0).stalls(2, 40_000, 25_000);
    metrics.book(0).changed(BookState::Live, 99, velox_clock::now());
    metrics.market(0).stands(LiveState::Connected);
    metrics.market(0).received(300, velox_clock::to_epoch_nanos(velox_clock::now()));
    metrics.market(0).add(market::GAPS, 2);
    metrics.symbol(1).stands(SymbolState::Stale);
    metrics.histogram(0).unwrap().record(1_000, 7);
    metrics.publish(vec![ThreadOf { why: "auto; the OS refused the pin".into(), ..thread() }]);
    metrics
}

fn path(metrics: &Metrics) -> PathBuf {
    metrics.path().expect("a file, on a system that has folders of one user")
}

#[test]
fn another_process_reads_what_this_one_counts() {
    const CHILD: &str = "VELOX_METRICS_READ";
    if let Some(folder) = std::env::var_os(CHILD) {
        let found = running_in(Path::new(&folder));
        let attached = found[0].run.as_ref().unwrap();
        let s = attached.read().unwrap();
        println!("read: {} {} {} {:?}", attached.shape().run, found.len(), attached.pid(), s.stages[1]);
        assert!(s.elapsed_ns < 60_000_000_000 && s.books[0].age_ns.unwrap() < 60_000_000_000, "{s:?}");
        return;
    }
    let folder = Folder::new("other");
    let metrics = run(&folder);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_reads_what_this_one_counts", "--nocapture"])
        .env(CHILD, &folder.0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    let own = metrics.snapshot(velox_clock::now());
    let expected = format!("read: tést 1 {} {:?}", std::process::id(), own.stages[1]);
    assert!(text.contains(&expected) && child.status.success(), "{expected}\n{text}");
}

#[test]
fn both_sides_say_the_same() {
    let folder = Folder::new("same");
    let metrics = run(&folder);
    let attached = Attached::open(&path(&metrics)).unwrap();
    assert_eq!(attached.shape().threads[0].why, "auto; the OS refused the pin");
    assert_eq!(*attached.shape(), metrics.shape());
    metrics.placed(vec![ThreadOf { why: "the OS refused a worker's pin".into(), ..thread() }]);
    let again = Attached::open(&path(&metrics)).unwrap();
    assert_eq!(again.shape().threads[0].why, "the OS refused a worker's pin");
    assert_eq!(again.made_epoch_ns(), attached.made_epoch_ns());
    let (theirs, ours) = (attached.read().unwrap(), metrics.snapshot(velox_clock::now()));
    assert_eq!(
        (&theirs.stages, &theirs.edges, &theirs.histograms, theirs.threads[0].stalls),
        (&ours.stages, &ours.edges, &ours.histograms, 2)
    );
    assert_eq!((theirs.edges[0].high_water, theirs.books[0].state, theirs.books[0].sequence), (6, BookState::Live, 99));
    assert_eq!(theirs.histograms[0].percentiles().unwrap().p999, 1_000);
    let market = theirs.markets[0];
    assert_eq!((market.state, market.messages, market.bytes, market.gaps), (LiveState::Connected, 1, 300, 2));
    assert!(market.age_ns.unwrap() < 60_000_000_000, "{market:?}");
    let symbols: Vec<_> = theirs.symbols.iter().map(|symbol| (symbol.state, symbol.age_ns)).collect();
    assert_eq!(symbols, [(SymbolState::Syncing, None), (SymbolState::Stale, None)]);
    assert!(theirs.histograms[1].percentiles().is_none() && !theirs.ended());
}

#[test]
fn what_was_recorded_between_two_looks_is_told_apart() {
    let folder = Folder::new("since");
    let metrics = run(&folder);
    let attached = Attached::open(&path(&metrics)).unwrap();
    let before = attached.read().unwrap();
    assert!(before.since(&before).histograms[0].percentiles().is_none());
    metrics.histogram(0).unwrap().record(50, 3);
    let now = attached.read().unwrap();
    let since = now.since(&before).histograms[0].percentiles().unwrap();
    assert_eq!((since.count, since.p50, since.max), (3, 50, 50));
    let all = now.histograms[0].percentiles().unwrap();
    assert_eq!((all.count, all.p50, all.max), (10, 1_000, 1_000));
}

#[test]
fn a_run_that_has_ended_is_seen_by_who_is_attached_and_found_by_nobody() {
    let folder = Folder::new("ended");
    let metrics = run(&folder);
    let path = path(&metrics);
    let attached = Attached::open(&path).unwrap();
    let copy = path.with_extension("copy");
    metrics.end(RunState::Failed { stage: 1 });
    let last = attached.read().unwrap();
    assert!(last.state == RunState::Failed { stage: 1 } && last.stages[1].taken == 7, "{last:?}");
    assert!(running_in(&folder.0).is_empty() && !path.exists() && metrics.path().is_none());
    assert!(matches!(Attached::open(&path), Err(AttachError::Unreadable { .. })));
    // As one that could not be removed would be.
    let again = run(&folder);
    fs::copy(again.path().unwrap(), &copy).unwrap();
    write(&copy, header::STATE, 1);
    let ended = AttachError::Ended { path: copy.clone(), pid: std::process::id() };
    assert_eq!(Attached::open(&copy).unwrap_err(), ended);
}

/// Sets a word of a file.
fn write(path: &Path, word: usize, value: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[word * 8..word * 8 + 8].copy_from_slice(&value.to_ne_bytes());
    fs::write(path, bytes).unwrap();
}

fn copied(folder: &Folder, name: &str) -> PathBuf {
    let metrics = run(folder);
    let copy = folder.0.join(format!("{name}.metrics"));
    fs::copy(path(&metrics), &copy).unwrap();
    copy
}

#[test]
fn what_is_no_running_engine_is_refused_with_its_reason() {
    let folder = Folder::new("refused");
    let open = |path: &Path| Attached::open(path).map(|_| ()).unwrap_err();

    let other = copied(&folder, "version");
    write(&other, header::VERSION, 1);
    assert_eq!(open(&other), AttachError::OtherVersion { path: other.clone(), expected: 3, got: 1 });

    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let stale = copied(&folder, "stale");
    write(&stale, header::PID, u64::from(child.id()));
    assert_eq!(open(&stale), AttachError::Stale { path: stale.clone(), pid: child.id() });

    // A process that has this number, and began at another time.
    let reused = copied(&folder, "reused");
    write(&reused, header::PROCESS_START, 1);
    if cfg!(target_os = "linux") {
        assert!(matches!(open(&reused), AttachError::Stale { .. }));
    }

    let foreign = folder.0.join("foreign.metrics");
    fs::write(&foreign, "a text that is none of the engine's, by far").unwrap();
    assert!(matches!(open(&foreign), AttachError::Foreign { .. }));
    fs::write(&foreign, "").unwrap();
    assert!(matches!(open(&foreign), AttachError::Foreign { .. }));
    assert!(matches!(open(&folder.0), AttachError::Foreign { .. }));

    let cut = copied(&folder, "cut");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let said = open(&cut);
    assert!(matches!(said, AttachError::Damaged { .. }), "{said}");
    assert_eq!(running_in(&folder.0).len(), 5);
}

#[test]
fn a_file_that_is_cut_while_attached_is_an_error() {
    let folder = Folder::new("shorter");
    let copy = copied(&folder, "shorter");
    let attached = Attached::open(&copy).unwrap();
    fs::OpenOptions::new().write(true).open(&copy).unwrap().set_len(100).unwrap();
    assert!(matches!(attached.read(), Err(AttachError::Damaged { .. })));
}

#[test]
fn the_next_run_removes_what_the_dead_left() {
    let folder = Folder::new("swept");
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let (fresh, old) = (copied(&folder, "fresh"), copied(&folder, "old"));
    for path in [&fresh, &old] {
        write(path, header::PID, u64::from(child.id()));
    }
    write(&old, header::BEAT_EPOCH, 1);
    drop(run(&folder));
    assert!(fresh.exists() && !old.exists(), "one that has just beaten may live where this process can't see it");
}

#[test]
fn a_folder_of_somebody_else_leaves_the_metrics_on_the_heap() {
    let folder = Folder::new("heap");
    fs::create_dir(&folder.0).unwrap();
    let link = folder.0.join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&folder.0, &link).unwrap();
    let metrics = Metrics::new(shape(), Memory::In(link));
    metrics.stage(0).publish([1; 8]);
    metrics.publish(vec![thread()]);
    assert_eq!((metrics.path(), metrics.snapshot(0).stages[0].taken), (None, 1));
}

fn mutations() -> impl Strategy<Value = Vec<(usize, u64)>> {
    let value = prop_oneof![any::<u64>(), 0..100u64, Just(u64::MAX), (0..64u32).prop_map(|bit| 1 << bit)];
    prop::collection::vec((0..HEADER + 160, value), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3_000), magic: bool) {
        let folder = Folder::new("bytes");
        let _ = fs::create_dir(&folder.0);
        let path = folder.0.join("any.metrics");
        fs::write(&path, &bytes).unwrap();
        if magic && bytes.len() >= 16 {
            write(&path, header::MAGIC, velox_metrics::layout::MAGIC);
            write(&path, header::VERSION, velox_metrics::layout::VERSION);
        }
        prop_assert!(Attached::open(&path).is_err());
    }

    #[test]
    fn a_file_with_any_words_changed_is_read_or_refused(changes in mutations(), cut in 0..70_000usize) {
        let folder = Folder::new("changed");
        let path = copied(&folder, "changed");
        let attached = Attached::open(&path).unwrap();
        for (word, value) in changes {
            write(&path, word, value);
        }
        // One that is mapped already, and one that is opened anew.
        for attached in [Ok(attached), Attached::open(&path)].into_iter().flatten() {
            if let Ok(snapshot) = attached.read() {
                for p in snapshot.histograms.iter().filter_map(Buckets::percentiles) {
                    prop_assert!(p.min <= p.p50 && p.p50 <= p.max, "{p:?}");
                }
            }
        }
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..cut.min(bytes.len())]).unwrap();
        if let Ok(attached) = Attached::open(&path) {
            prop_assert!(cut >= bytes.len() && attached.read().is_ok());
        }
    }
}
