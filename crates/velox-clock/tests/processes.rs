//! Fresh processes must agree about the counter's rate: each calibrates by itself, at once.

use std::process::Command;

use velox_clock::{calibration, rdtsc, tsc_to_ns};

const TICKS: u64 = 3_000_000_000_000;
const CHILD: &str = "VELOX_CLOCK_TEST_CHILD";

/// What a fresh process thinks a long time is, in ns.
fn ask_a_fresh_process(ticks: u64, clock: &str) -> u64 {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ten_fresh_processes_agree_within_one_ppm", "--nocapture"])
        .env(CHILD, ticks.to_string())
        .env("VELOX_CLOCK", clock)
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    let answer = text.lines().find_map(|line| line.split_once("answer ")).expect("an answer").1;
    answer.parse().unwrap()
}

#[test]
fn ten_fresh_processes_agree_within_one_ppm() {
    if let Ok(ticks) = std::env::var(CHILD) {
        println!("answer {}", tsc_to_ns(ticks.parse().unwrap()));
        std::process::exit(0);
    }
    let answers: Vec<u64> = (0..10).map(|_| ask_a_fresh_process(TICKS, "")).collect();
    let (least, most) = (*answers.iter().min().unwrap(), *answers.iter().max().unwrap());
    let ppm = (most - least) as f64 / least as f64 * 1e6;
    assert!(ppm < 1.0, "{ppm} ppm between {answers:?}");
    assert_eq!(ask_a_fresh_process(TICKS, "os"), TICKS);
}

#[test]
fn a_conversion_agrees_with_the_system_over_a_second() {
    calibration();
    let (start, ticks) = (std::time::Instant::now(), rdtsc());
    std::thread::sleep(std::time::Duration::from_secs(1));
    let (theirs, ours) = (start.elapsed().as_nanos() as u64, tsc_to_ns(rdtsc() - ticks));
    // A preemption between the two reads of an end is all that may stand between them.
    assert!(ours.abs_diff(theirs) < 20_000_000, "{ours} {theirs}");
}
