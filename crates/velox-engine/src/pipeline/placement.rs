//! Which stages run on which threads and cores, and why.

use super::error::StartError;

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
    /// between cores. More threads pay when a stage is dearer than that hop; say so by number or by name.
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

/// Places a chain of stages on a machine of `cores` cores. Pure: nothing is started or pinned here.
pub(crate) fn place(
    names: &[String],
    threads: &Threads,
    wait: Wait,
    cores: usize,
) -> Result<Vec<Placement>, StartError> {
    let placed = match threads {
        Threads::Auto => vec![auto(names, wait, cores)],
        Threads::Count(n) => count(names, *n, wait, cores)?,
        Threads::Named(specs) => named(names, specs, wait, cores)?,
    };
    let spinners = placed.iter().filter(|p| p.wait == Wait::Spin).count();
    if spinners > cores {
        return refuse(
            format!("at most {cores} spinning threads on {cores} cores"),
            format!("{spinners}: pollers that share a core fall from nanoseconds to milliseconds"),
        );
    }
    Ok(placed)
}

/// The last core: the event loop and the OS prefer the first ones.
fn last(cores: usize) -> usize {
    cores.saturating_sub(1)
}

fn auto(names: &[String], wait: Wait, cores: usize) -> Placement {
    let fused = "all stages fused: a batch by reference costs less than a hop between cores";
    let (core, why) = match (wait, cores) {
        (Wait::Spin, 2..) => {
            let core = last(cores);
            (Some(core), format!("{fused}; spins on core {core} of {cores}, the rest is the event loop's"))
        }
        (Wait::Spin, _) => (None, format!("{fused}; spins on the only core, so the event loop shares it")),
        _ => (None, format!("{fused}; not pinned: a thread that sleeps does better where the OS puts it")),
    };
    Placement { core, stages: names.to_vec(), wait, why }
}

fn count(names: &[String], n: usize, wait: Wait, cores: usize) -> Result<Vec<Placement>, StartError> {
    if n == 0 || n > names.len() {
        return refuse(format!("1 to {} threads, a stage each at most", names.len()), n.to_string());
    }
    let mut placed = Vec::with_capacity(n);
    for i in 0..n {
        let stages = names[i * names.len() / n..(i + 1) * names.len() / n].to_vec();
        let core = (wait == Wait::Spin && n <= cores).then(|| last(cores) - i);
        let pinned = core.map_or("not pinned".into(), |core| format!("pinned to core {core} of {cores}"));
        placed.push(Placement { core, stages, wait, why: format!("thread {} of {n}, as asked; {pinned}", i + 1) });
    }
    Ok(placed)
}

fn named(names: &[String], specs: &[ThreadSpec], wait: Wait, cores: usize) -> Result<Vec<Placement>, StartError> {
    let asked: Vec<&String> = specs.iter().flat_map(|spec| &spec.stages).collect();
    if asked.len() != names.len()
        || asked.iter().zip(names).any(|(a, b)| *a != b)
        || specs.iter().any(|s| s.stages.is_empty())
    {
        return refuse(
            format!("every stage once, in order, at least one a thread: {}", names.join(", ")),
            specs.iter().map(|s| format!("[{}]", s.stages.join(", "))).collect::<Vec<_>>().join(" "),
        );
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

    #[test]
    fn auto_spins_on_one_core_and_leaves_the_event_loop_the_others() {
        let placed = place(&names(), &Threads::Auto, Wait::Spin, 2).unwrap();
        assert_eq!((placed.len(), placed[0].core), (1, Some(1)));
        assert_eq!(place(&names(), &Threads::Auto, Wait::Backoff, 2).unwrap()[0].core, None);
    }

    #[test]
    fn a_number_cuts_the_chain_evenly() {
        let placed = place(&names(), &Threads::Count(2), Wait::Spin, 2).unwrap();
        assert_eq!(placed[0].stages, ["source", "book"]);
        assert_eq!(placed[1].stages, ["bundle", "output"]);
        assert_eq!((placed[0].core, placed[1].core), (Some(1), Some(0)));
    }

    #[test]
    fn four_spinning_threads_on_two_cores_are_refused() {
        let error = place(&names(), &Threads::Count(4), Wait::Spin, 2).unwrap_err();
        assert!(error.to_string().starts_with("expected at most 2 spinning threads on 2 cores, got 4"), "{error}");
    }

    #[test]
    fn a_list_names_every_stage_once_in_order() {
        let spec = |stages: &[&str], core| ThreadSpec {
            stages: stages.iter().map(ToString::to_string).collect(),
            core,
            wait: None,
        };
        let good = Threads::Named(vec![spec(&["source", "book"], Some(0)), spec(&["bundle", "output"], None)]);
        assert_eq!(place(&names(), &good, Wait::Block, 2).unwrap()[0].core, Some(0));
        for bad in [
            vec![spec(&["source", "book"], None)],
            vec![spec(&["book", "source", "bundle", "output"], None)],
            vec![spec(&["source", "book", "bundle", "output"], Some(2))],
            vec![spec(&["source", "book", "bundle", "output"], None), spec(&[], None)],
        ] {
            assert!(place(&names(), &Threads::Named(bad), Wait::Block, 2).is_err());
        }
        assert!(place(&names(), &Threads::Count(0), Wait::Block, 2).is_err());
        assert!(place(&names(), &Threads::Count(5), Wait::Block, 2).is_err());
    }
}
