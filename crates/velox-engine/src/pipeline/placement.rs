//! Which stages run on which threads and cores, and why.

use std::ops::Range;

use super::error::StartError;
use super::machine::Machine;

/// How a thread waits for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// Never sleeps: the lowest latency, and a core of its own.
    Spin,
    /// Gives the core away between looks.
    Yield,
    /// Spins a little, yields a little, then sleeps, up to 1 ms at a time; wakes ahead of a scheduled arrival.
    #[default]
    Backoff,
    /// Sleeps until it is woken, or for 50 ms.
    Block,
}

impl Wait {
    /// It asks for a core all the time.
    pub(crate) const fn never_sleeps(self) -> bool {
        matches!(self, Self::Spin | Self::Yield)
    }

    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Yield => "yield",
            Self::Backoff => "backoff",
            Self::Block => "block",
        }
    }
}

/// What the user asks of placement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Threads {
    /// All stages fused on one thread: between two of them a batch passes by reference, which costs less than a hop
    /// between cores. More threads pay when a stage is dearer than that hop; say so by number or by name. Never asks for
    /// the last core that is free: where it would, it waits by [`Wait::Backoff`].
    #[default]
    Auto,
    /// So many threads, the chain cut evenly.
    Count(usize),
    /// Each thread by its stages, in order.
    Named(Vec<ThreadSpec>),
}

/// One thread, as the user asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadSpec {
    /// Names of neighbouring stages.
    pub stages: Vec<String>,
    /// The core to stay on, counted from 0.
    pub core: Option<usize>,
    /// How it waits, where it differs from the run's.
    pub wait: Option<Wait>,
}

/// One thread, as it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The core it stays on; none where the OS moves it as it likes.
    pub core: Option<usize>,
    /// Its stages.
    pub stages: Vec<String>,
    /// How it waits.
    pub wait: Wait,
    /// In words.
    pub why: String,
}

fn refuse<T>(expected: String, got: String) -> Result<T, StartError> {
    Err(StartError::Placement { expected, got })
}

/// The steps that are on one thread, as ranges of numbers, in order: of each step, the first one before it that it has to be
/// with, such as the first book that it looks at.
///
/// ```
/// use velox_engine::pipeline::units;
///
/// // A source, a book, a step between, one that looks at the book, a sink.
/// assert_eq!(units([None, None, None, Some(1), None]), [0..1, 1..4, 4..5]);
/// ```
pub fn units(with: impl IntoIterator<Item = Option<usize>>) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (at, first) in with.into_iter().enumerate() {
        let first = first.unwrap_or(at);
        let mut start = at;
        while let Some(unit) = units.pop_if(|unit| unit.end > first) {
            start = unit.start;
        }
        units.push(start..at + 1);
    }
    units
}

/// Places a chain of stages on a machine. Pure: nothing is started, pinned or counted here.
///
/// `units` are the stages that must be on one thread, as ranges of their numbers, in order.
///
/// # Errors
/// [`StartError::Placement`]: threads or cores that can't be had.
pub fn place(
    names: &[String],
    units: &[Range<usize>],
    threads: &Threads,
    wait: Wait,
    machine: &Machine,
) -> Result<Vec<Placement>, StartError> {
    let cores = machine.cores;
    let placed = match threads {
        Threads::Auto => vec![auto(names, wait, machine)],
        Threads::Count(n) => count(names, units, *n, wait, cores)?,
        Threads::Named(specs) => named(names, units, specs, wait, cores)?,
    };
    let spinners = placed.iter().filter(|p| p.wait == Wait::Spin).count();
    if spinners > cores {
        return refuse(
            format!("at most {cores} spinning threads on {cores} cores"),
            format!("{spinners}: pollers that share a core fall from nanoseconds to milliseconds"),
        );
    }
    let pinned = |core| placed.iter().filter(move |p: &&Placement| p.core == Some(core));
    if let Some(core) = (0..cores).find(|core| pinned(*core).count() > 1 && pinned(*core).any(|p| p.wait == Wait::Spin))
    {
        let expected = format!("core {core} for a thread that spins alone");
        return refuse(expected, format!("{} threads on it", pinned(core).count()));
    }
    Ok(placed)
}

/// The last core: the event loop and the OS prefer the first ones.
fn last(cores: usize) -> usize {
    cores.saturating_sub(1)
}

fn auto(names: &[String], wait: Wait, machine: &Machine) -> Placement {
    let fused = "all stages fused: a batch by reference costs less than a hop between cores";
    let Machine { cores, sleepless } = machine;
    let others = sleepless.len();
    // One core is left to the event loop, over all runs of the process.
    if wait.never_sleeps() && others + 2 > *cores {
        let left = match others {
            0 => "the only core is the event loop's too".into(),
            _ => format!("of {cores} cores one is the event loop's, and other threads here that never sleep: {others}"),
        };
        let why = format!("{fused}; waits by backoff, not pinned: {left}");
        return Placement { core: None, stages: names.to_vec(), wait: Wait::Backoff, why };
    }
    let is_free = |core: &usize| !sleepless.contains(&Some(*core));
    let (core, why) = match (0..*cores).rev().find(is_free) {
        Some(core) if wait == Wait::Spin => {
            (Some(core), format!("{fused}; spins on core {core} of {cores}, and leaves the event loop one at least"))
        }
        _ => (None, format!("{fused}; not pinned: a thread that sleeps does better where the OS puts it")),
    };
    Placement { core, stages: names.to_vec(), wait, why }
}

fn count(
    names: &[String],
    units: &[Range<usize>],
    n: usize,
    wait: Wait,
    cores: usize,
) -> Result<Vec<Placement>, StartError> {
    if n == 0 || n > units.len() {
        let together = if units.len() < names.len() { "; a book and what looks at it stay together" } else { "" };
        return refuse(format!("1 to {} threads, a stage each at most{together}", units.len()), n.to_string());
    }
    let mut placed = Vec::with_capacity(n);
    for i in 0..n {
        let own = &units[i * units.len() / n..(i + 1) * units.len() / n];
        let stages = own.iter().flat_map(|unit| &names[unit.clone()]).cloned().collect();
        let core = (wait == Wait::Spin && n <= cores).then(|| last(cores) - i);
        let pinned = core.map_or("not pinned".into(), |core| format!("pinned to core {core} of {cores}"));
        placed.push(Placement { core, stages, wait, why: format!("thread {} of {n}, as asked; {pinned}", i + 1) });
    }
    Ok(placed)
}

fn named(
    names: &[String],
    units: &[Range<usize>],
    specs: &[ThreadSpec],
    wait: Wait,
    cores: usize,
) -> Result<Vec<Placement>, StartError> {
    let got = || specs.iter().map(|s| format!("[{}]", s.stages.join(", "))).collect::<Vec<_>>().join(" ");
    if specs.is_empty() {
        return refuse("a thread at least".into(), "an empty list".into());
    }
    let number = |stage: &String| names.iter().position(|name| name == stage);
    let mut thread_of = vec![None; names.len()];
    for (thread, spec) in specs.iter().enumerate() {
        let numbers: Vec<_> = spec.stages.iter().map(number).collect();
        let is_sorted = numbers.iter().all(Option::is_some) && numbers.is_sorted();
        let is_free = is_sorted && numbers.iter().flatten().all(|at| thread_of[*at].replace(thread).is_none());
        if !is_free || numbers.is_empty() {
            let expected = format!("every stage once, in order, at least one a thread: {}", names.join(", "));
            return refuse(expected, got());
        }
    }
    if thread_of.iter().any(Option::is_none) {
        return refuse(format!("every stage once: {}", names.join(", ")), got());
    }
    if let Some(unit) = units.iter().find(|unit| thread_of[(*unit).clone()].windows(2).any(|pair| pair[0] != pair[1])) {
        let expected = format!("{} on one thread: a book and what looks at it", names[unit.clone()].join(", "));
        return refuse(expected, got());
    }
    if let Some(core) = specs.iter().filter_map(|s| s.core).find(|core| *core >= cores) {
        return refuse(format!("a core from 0 to {}", last(cores)), core.to_string());
    }
    Ok(specs
        .iter()
        .map(|spec| Placement {
            core: spec.core,
            stages: spec.stages.clone(),
            wait: spec.wait.unwrap_or(wait),
            why: spec.core.map_or("as asked; not pinned".into(), |core| format!("as asked; pinned to core {core}")),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["source", "book", "bundle", "output"].map(String::from).to_vec()
    }

    const UNITS: [Range<usize>; 4] = [0..1, 1..2, 2..3, 3..4];
    const TWO_CORES: Machine = Machine { cores: 2, sleepless: Vec::new() };

    fn place(threads: &Threads, wait: Wait) -> Result<Vec<Placement>, StartError> {
        super::place(&names(), &UNITS, threads, wait, &TWO_CORES)
    }

    #[test]
    fn auto_spins_on_one_core_and_leaves_the_event_loop_the_others() {
        let placed = place(&Threads::Auto, Wait::Spin).unwrap();
        assert_eq!((placed.len(), placed[0].core), (1, Some(1)));
        assert_eq!(place(&Threads::Auto, Wait::Backoff).unwrap()[0].core, None);
    }

    #[test]
    fn auto_never_takes_the_last_core_that_is_free() {
        let auto = |cores, sleepless: &[Option<usize>], wait| {
            let machine = Machine { cores, sleepless: sleepless.to_vec() };
            let [placed] = super::place(&names(), &UNITS, &Threads::Auto, wait, &machine).unwrap().try_into().unwrap();
            (placed.wait, placed.core, placed.why)
        };
        for (cores, sleepless) in [(1, &[][..]), (2, &[Some(1)]), (2, &[None]), (4, &[Some(3), None, Some(2)])] {
            for wait in [Wait::Spin, Wait::Yield] {
                let (waits, core, why) = auto(cores, sleepless, wait);
                assert_eq!((waits, core), (Wait::Backoff, None), "{wait:?} beside {sleepless:?} on {cores}");
                let left = if cores == 1 { "the only core is" } else { "and other threads here that never sleep: " };
                assert!(why.contains("waits by backoff, not pinned: ") && why.contains(left), "{why}");
            }
            assert_eq!(auto(cores, sleepless, Wait::Block).0, Wait::Block);
        }
        for (sleepless, core) in [(&[][..], 3), (&[Some(3)], 2), (&[Some(2)], 3), (&[Some(2), Some(3)], 1)] {
            let (waits, on, why) = auto(4, sleepless, Wait::Spin);
            assert_eq!((waits, on), (Wait::Spin, Some(core)), "{why}");
            assert!(why.contains(&format!("spins on core {core} of 4")), "{why}");
            assert_eq!(auto(4, sleepless, Wait::Yield).0, Wait::Yield);
        }
    }

    #[test]
    fn what_the_user_places_stays_as_asked_beside_other_runs() {
        let machine = Machine { cores: 2, sleepless: vec![Some(0), Some(1)] };
        let spec = ThreadSpec { stages: names(), core: Some(1), wait: Some(Wait::Spin) };
        for threads in [Threads::Count(1), Threads::Named(vec![spec])] {
            let placed = super::place(&names(), &UNITS, &threads, Wait::Spin, &machine).unwrap();
            assert_eq!((placed[0].wait, placed[0].core), (Wait::Spin, Some(1)));
        }
    }

    #[test]
    fn a_number_cuts_the_chain_evenly() {
        let placed = place(&Threads::Count(2), Wait::Spin).unwrap();
        assert_eq!(placed[0].stages, ["source", "book"]);
        assert_eq!(placed[1].stages, ["bundle", "output"]);
        assert_eq!((placed[0].core, placed[1].core), (Some(1), Some(0)));
    }

    #[test]
    fn four_spinning_threads_on_two_cores_are_refused() {
        let error = place(&Threads::Count(4), Wait::Spin).unwrap_err();
        assert!(error.to_string().starts_with("expected at most 2 spinning threads on 2 cores, got 4"), "{error}");
    }

    #[test]
    fn a_thread_that_spins_has_its_core_for_itself() {
        let spec = |stages: &[&str], core, wait| ThreadSpec {
            stages: stages.iter().map(ToString::to_string).collect(),
            core: Some(core),
            wait: Some(wait),
        };
        let on = |core, wait| {
            let threads = vec![spec(&["source", "book"], 1, Wait::Spin), spec(&["bundle", "output"], core, wait)];
            place(&Threads::Named(threads), Wait::Block)
        };
        assert!(on(0, Wait::Spin).is_ok());
        for wait in [Wait::Spin, Wait::Block] {
            let error = on(1, wait).unwrap_err().to_string();
            assert_eq!(error, "expected core 1 for a thread that spins alone, got 2 threads on it");
        }
        let none = place(&Threads::Named(vec![]), Wait::Block).unwrap_err().to_string();
        assert_eq!(none, "expected a thread at least, got an empty list");
    }

    #[test]
    fn a_list_names_every_stage_once_in_order() {
        let spec = |stages: &[&str], core| ThreadSpec {
            stages: stages.iter().map(ToString::to_string).collect(),
            core,
            wait: None,
        };
        let good = Threads::Named(vec![spec(&["source", "book"], Some(0)), spec(&["bundle", "output"], None)]);
        assert_eq!(place(&good, Wait::Block).unwrap()[0].core, Some(0));
        for bad in [
            vec![spec(&["source", "book"], None)],
            vec![spec(&["book", "source", "bundle", "output"], None)],
            vec![spec(&["source", "book", "bundle", "output"], Some(2))],
            vec![spec(&["source", "book", "bundle", "output"], None), spec(&[], None)],
        ] {
            assert!(place(&Threads::Named(bad), Wait::Block).is_err());
        }
        assert!(place(&Threads::Count(0), Wait::Block).is_err());
        assert!(place(&Threads::Count(5), Wait::Block).is_err());
    }

    #[test]
    fn a_book_and_what_looks_at_it_stay_together() {
        let place = |threads| super::place(&names(), &[0..1, 1..3, 3..4], &threads, Wait::Block, &TWO_CORES);
        assert_eq!(place(Threads::Count(3)).unwrap()[1].stages, ["book", "bundle"]);
        assert!(place(Threads::Count(4)).unwrap_err().to_string().contains("stay together"));
        let spec = |stages: &[&str]| ThreadSpec {
            stages: stages.iter().map(ToString::to_string).collect(),
            ..ThreadSpec::default()
        };
        assert!(place(Threads::Named(vec![spec(&["source", "output"]), spec(&["book", "bundle"])])).is_ok());
        let error = place(Threads::Named(vec![spec(&["source", "book"]), spec(&["bundle", "output"])])).unwrap_err();
        assert!(error.to_string().contains("book, bundle on one thread"), "{error}");
    }
}
