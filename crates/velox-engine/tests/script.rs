//! Stages that a script runs: here the script is Rust, and the memory an array of atomics.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::metrics::Labels;
use velox_engine::pipeline::{
    Answer, BATCH, Flow, Nothing, Pace, Paced, Pipeline, Run, RunError, SCRIPT_OUT, ScriptLoop, ScriptMemory,
    StartOptions, Step, ThreadSpec, Threads, Wait,
};
use velox_engine::ring::ForeignWords;
use velox_engine::stages::Count;
use velox_engine::{MarketEvent, Trade, Words};

type Shared = Arc<Vec<AtomicU64>>;

fn memory(words: usize) -> (Shared, ForeignWords) {
    let memory: Shared = Arc::new((0..words).map(|_| AtomicU64::new(0)).collect());
    let at = NonNull::new(memory.as_ptr().cast_mut().cast::<u64>()).unwrap();
    // SAFETY: aligned words of atomics, as many as said, alive as long as their handle.
    let words = unsafe { ForeignWords::new(at, words, Arc::clone(&memory) as Arc<_>) };
    (memory, words)
}

fn source(count: u64, pace: Pace) -> Pipeline<Trade> {
    let market = Poisson::new(PoissonOptions { per_second: 1e5, count: Some(count), seed: 1 }).unwrap();
    let id = market.instrument().id();
    Pipeline::<MarketEvent>::from("poisson", Paced::new(Box::new(market), pace, &[id])).trades("trades")
}

fn open<I: Flow, O: Flow>(own: &mut ScriptLoop, stage: usize) -> (Shared, Shared) {
    let ((input, i), (output, o)) = (memory(BATCH * I::WORDS), memory(SCRIPT_OUT * O::WORDS));
    own.open_stage(stage, ScriptMemory { input: i, output: o }).unwrap();
    (input, output)
}

fn start(pipeline: Pipeline<Nothing>, options: StartOptions) -> (Run, ScriptLoop) {
    let mut run = pipeline.start(options).unwrap();
    let [hosted] = <[_; 1]>::try_from(run.take_hosted()).ok().expect("one thread with scripts");
    (run, hosted.open())
}

/// Runs a script to the end of the run.
fn drive(run: &Run, own: &mut ScriptLoop, mut script: impl FnMut(&mut ScriptLoop, usize) -> Answer) {
    run.handle().go();
    let mut answer = None;
    loop {
        answer = match own.step(answer) {
            Step::Read { count, .. } => Some(script(own, count)),
            Step::Rest => None,
            Step::Ended => return,
        };
    }
}

fn threads() -> [StartOptions; 3] {
    [(Threads::Auto, Wait::Backoff), (Threads::Count(2), Wait::Block), (Threads::Count(4), Wait::Yield)]
        .map(|(threads, wait)| StartOptions { threads, wait, ..StartOptions::default() })
}

#[test]
fn a_script_reads_in_place_and_writes_up_to_four_records_for_each() {
    for options in threads() {
        for pace in [Pace::Max, Pace::Recorded] {
            let pipeline = source(3_000, pace).script::<Words<2>>("script").to("output", Count::default());
            let (run, mut own) = start(pipeline, options.clone());
            let (input, output) = open::<Trade, Words<2>>(&mut own, 2);
            let mut seen = 0;
            drive(&run, &mut own, |own, count| {
                // The first word of a trade is its id. Asked for once, it is there until it is forgotten.
                if seen % 100 == 0 {
                    own.forget(2).unwrap();
                }
                own.lay_out(2, Some(0)).unwrap();
                for i in 0..count {
                    seen += 1;
                    assert_eq!(input[i].load(Ordering::Relaxed), seen);
                    for copy in 0..4 {
                        output[(4 * i + copy) * 2].store(seen, Ordering::Relaxed);
                    }
                }
                Answer::Wrote(4 * count)
            });
            let report = run.wait().unwrap();
            assert!(report.balanced && seen == 3_000, "{report}");
            assert_eq!((report.stats.stages[2].consumed, report.stats.stages[3].consumed), (3_000, 12_000));
        }
    }
}

#[test]
fn a_script_keeps_records_by_their_indices() {
    let pipeline = source(3_000, Pace::Max).script::<Trade>("script").to("output", Count::default());
    let (run, mut own) = start(pipeline, StartOptions::default());
    let (_, output) = open::<Trade, Trade>(&mut own, 2);
    drive(&run, &mut own, |_, count| {
        // Every second record: two indices to a word.
        let kept: Vec<u64> = (0..count as u64).step_by(2).collect();
        for pair in kept.chunks(2).enumerate() {
            output[pair.0].store(pair.1[0] | pair.1.get(1).copied().unwrap_or(0) << 32, Ordering::Relaxed);
        }
        Answer::Kept(kept.len())
    });
    let report = run.wait().unwrap();
    let script = &report.stats.stages[2];
    assert!(report.balanced && script.taken == 3_000 && script.consumed + script.filtered == 3_000, "{report}");
    assert!(script.filtered > 1_400 && script.out == script.consumed);
}

#[test]
fn what_a_script_gets_wrong_fails_the_run_by_its_stage() {
    type Fault = fn(&mut ScriptLoop, &Shared) -> Option<Answer>;
    let faults: [(Fault, &str); 3] = [
        (
            |own, _| {
                own.fail(2, "a bug of the script".into());
                None
            },
            "a bug of the script",
        ),
        (|_, _| Some(Answer::Kept(2)), "ascending indices"),
        (
            |_, output| {
                // A trade's side is the third byte of its second word.
                output[1].store(7 << 16, Ordering::Relaxed);
                Some(Answer::Wrote(1))
            },
            "Trade.side",
        ),
    ];
    for (fault, text) in faults {
        let pipeline = source(3_000, Pace::Max).script::<Trade>("script").to("output", Count::default());
        let (run, mut own) = start(pipeline, StartOptions::default());
        let (_, output) = open::<Trade, Trade>(&mut own, 2);
        run.handle().go();
        while !matches!(own.step(None), Step::Read { .. }) {}
        let answer = fault(&mut own, &output);
        while own.step(answer) != Step::Ended {}
        let Err(RunError::Failed { stage, cause, report }) = run.wait() else { panic!("expected a failed run") };
        assert!(stage == "script" && cause.to_string().contains(text), "{stage}: {cause}");
        assert!(report.balanced, "{report}");
    }
}

#[test]
fn a_refused_pin_of_a_scripts_thread_is_told() {
    let Some(cores) = core_affinity::get_core_ids().filter(|cores| cores.len() > 1) else { return };
    let last = cores.len() - 1;
    let stages = ["poisson", "trades", "script", "output"].map(String::from).to_vec();
    let on_last = Threads::Named(vec![ThreadSpec { stages, core: Some(last), wait: Some(Wait::Backoff) }]);
    let options = StartOptions { threads: on_last, ..StartOptions::default() };
    let pipeline = source(100, Pace::Max).script::<Trade>("script").to("output", Count::default());
    let mut run = pipeline.start(options).unwrap();
    let hosted = run.take_hosted().pop().unwrap();
    assert_eq!(run.handle().placement()[0].core, Some(last));
    // A thread that may use the first core only, on which there is no other.
    let report = std::thread::spawn(move || {
        assert!(core_affinity::set_for_current(cores[0]));
        let mut own = hosted.open();
        open::<Trade, Trade>(&mut own, 2);
        drive(&run, &mut own, |_, _| Answer::Kept(0));
        let handle = run.handle();
        let threads = [handle.placement(), run.wait().unwrap().placement];
        (threads, handle.metrics())
    });
    let (threads, metrics) = report.join().unwrap();
    for placed in threads {
        assert_eq!((placed[0].core, placed[0].why.ends_with("; the OS refused the pin")), (None, true), "{placed:?}");
    }
    assert!(!metrics.prometheus(&Labels::default()).contains(&format!("core=\"{last}\"")));
}

#[test]
fn a_script_that_goes_away_fails_the_run_and_holds_nobody() {
    let pipeline = || source(3_000, Pace::Recorded).script::<Trade>("script").to("output", Count::default());
    let options = || StartOptions { threads: Threads::Count(2), ..StartOptions::default() };
    let (run, own) = start(pipeline(), options());
    run.handle().go();
    drop(own);
    assert!(matches!(run.wait(), Err(RunError::Failed { .. })));
    let run = pipeline().start(options()).unwrap();
    run.handle().abort();
    assert!(matches!(run.wait(), Err(RunError::Failed { .. } | RunError::Aborted { .. })));
}

#[test]
fn a_script_that_nobody_runs_fails_the_run_and_holds_nobody() {
    for threads in [Threads::Auto, Threads::Count(2), Threads::Count(4)] {
        for is_taken in [false, true] {
            let pipeline = source(3_000, Pace::Max).script::<Trade>("script").to("output", Count::default());
            let mut run = pipeline.start(StartOptions { threads: threads.clone(), ..StartOptions::default() }).unwrap();
            if is_taken {
                drop(run.take_hosted());
            }
            let Err(RunError::Failed { cause, report, .. }) = run.wait() else { panic!("expected a failed run") };
            assert!(cause.to_string().contains("ended before it began") && report.balanced, "{cause}: {report}");
        }
    }
}

#[test]
fn a_failure_of_a_stage_that_there_is_not_fails_the_run_all_the_same() {
    let pipeline = source(3_000, Pace::Max).script::<Trade>("script").to("output", Count::default());
    let (run, mut own) = start(pipeline, StartOptions::default());
    own.fail(99, "a bug of the script".into());
    let Err(RunError::Failed { stage, cause, .. }) = run.wait() else { panic!("expected a failed run") };
    assert!(stage.is_empty() && cause.to_string().contains("a bug of the script"), "{stage}: {cause}");
}

#[test]
fn a_script_gets_the_words_that_it_asks_for() {
    let pipeline = source(3_000, Pace::Max).script::<Trade>("script").to("output", Count::default());
    let (run, mut own) = start(pipeline, StartOptions::default());
    let (input, _) = open::<Trade, Trade>(&mut own, 2);
    assert!(own.lay_out(2, None).is_err(), "nothing is offered yet");
    let at = |word: usize, i: usize| input[word * BATCH + i].load(Ordering::Relaxed);
    let mut batches = 0;
    drive(&run, &mut own, |own, count| {
        for word in &*input {
            word.store(u64::MAX, Ordering::Relaxed);
        }
        if batches == 0 {
            own.lay_out(2, Some(0)).unwrap();
            assert!(own.lay_out(2, Some(6)).is_err() && own.lay_out(1, Some(0)).is_err());
            assert!((0..count).all(|i| at(0, i) == i as u64 + 1 && at(2, i) == u64::MAX));
        }
        own.lay_out(2, None).unwrap();
        // Price, quantity and times are positive, and the ids go on by one.
        assert!((0..count).all(|i| (2..6).all(|word| (1..1 << 62).contains(&at(word, i)))), "batch {batches}");
        batches += 1;
        own.forget(2).unwrap();
        Answer::Wrote(0)
    });
    assert!(run.wait().unwrap().balanced && batches > 3);
}

#[test]
fn turns_of_the_event_loop_that_are_long_leave_the_records_their_steps() {
    // A turn as long as the time between two, and longer: each is followed by a step that does something.
    for turn in [50, 120].map(Duration::from_millis) {
        let pipeline = source(30_000, Pace::Recorded).script::<Trade>("script").to("output", Count::default());
        let (run, mut own) = start(pipeline, StartOptions::default());
        open::<Trade, Trade>(&mut own, 2);
        run.handle().go();
        let (mut seen, mut turns, mut answer) = (0, 0, None);
        loop {
            answer = match own.step(answer) {
                Step::Read { count, .. } => {
                    seen += count;
                    Some(Answer::Kept(0))
                }
                Step::Rest => {
                    turns += 1;
                    assert!(turns < 200, "after {turns} turns the script has had {seen} records");
                    std::thread::sleep(turn);
                    None
                }
                Step::Ended => break,
            };
        }
        let report = run.wait().unwrap();
        assert!(report.balanced && turns > 1, "{turns} turns; {report}");
        assert_eq!((seen, report.stage("script").unwrap().filtered), (30_000, 30_000));
    }
}

#[test]
fn the_wait_at_the_gate_is_no_stall_and_nobody_is_stuck_at_it() {
    let wait = Duration::from_millis(1_200);
    let options = StartOptions { threads: Threads::Count(2), wait: Wait::Spin, ..StartOptions::default() };
    let pipeline = source(1_000, Pace::Recorded).script::<Trade>("script").to("output", Count::default());
    let (run, mut own) = start(pipeline, options);
    open::<Trade, Trade>(&mut own, 2);
    // A worker that takes its time to be ready, and turns over meanwhile.
    let (opened, handle) = (Instant::now(), run.handle());
    while opened.elapsed() < wait {
        assert_eq!(own.step(None), Step::Rest);
        assert_eq!(handle.stuck(), [""; 0]);
    }
    drive(&run, &mut own, |_, _| Answer::Kept(0));
    let report = run.wait().unwrap();
    assert_eq!(report.stage("script").unwrap().taken, 1_000);
    let longest = report.stalls.iter().map(|stalls| Duration::from_nanos(stalls.max_ns)).max().unwrap();
    assert!(longest < wait / 2, "a stall of {longest:?}");
}
