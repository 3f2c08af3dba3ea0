//! Which counter the clock stands on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use velox_sys::{Counter, counter, read_counter};

/// What the clock counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The time-stamp counter of x86-64.
    Tsc,
    /// The virtual counter of AArch64.
    Cntvct,
    /// The operating system's monotonic clock, because the counter is missing, not invariant, or not trusted by the
    /// kernel, or because the environment says `VELOX_CLOCK=os`.
    Os,
}

impl Source {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tsc => "tsc",
            Self::Cntvct => "cntvct",
            Self::Os => "os",
        }
    }
}

static SOURCE: OnceLock<Source> = OnceLock::new();
/// [`SOURCE`] as a byte: 0 not known yet, 1 a counter, 2 the operating system.
static KIND: AtomicU8 = AtomicU8::new(0);
static OS_ORIGIN: OnceLock<Instant> = OnceLock::new();

pub(crate) fn source() -> Source {
    *SOURCE.get_or_init(|| {
        let source = choose();
        // Relaxed: whoever still reads 0 takes the slow way to the same answer.
        KIND.store(if source == Source::Os { 2 } else { 1 }, Ordering::Relaxed);
        source
    })
}

#[inline]
pub(crate) fn read() -> u64 {
    match KIND.load(Ordering::Relaxed) {
        1 => read_counter(),
        _ => read_slow(),
    }
}

#[cold]
fn read_slow() -> u64 {
    match source() {
        Source::Os => OS_ORIGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64,
        Source::Tsc | Source::Cntvct => read_counter(),
    }
}

fn choose() -> Source {
    if velox_sys::variable("VELOX_CLOCK").is_some_and(|clock| clock == "os") {
        return Source::Os;
    }
    let list = |name: &str| {
        std::fs::read_to_string(format!("/sys/devices/system/clocksource/clocksource0/{name}_clocksource")).ok()
    };
    match counter() {
        Some(Counter::Cntvct) => Source::Cntvct,
        Some(Counter::Tsc) if kernel_trusts(list("available").as_deref(), list("current").as_deref()) => Source::Tsc,
        _ => Source::Os,
    }
}

/// Whether the kernel trusts the counter: Linux strikes an unstable TSC from its list; the clocks of hypervisors named
/// here are scaled TSCs. A system that says nothing leaves it to the processor's own word.
fn kernel_trusts(available: Option<&str>, current: Option<&str>) -> bool {
    let is_tsc = |name| matches!(name, "tsc" | "kvm-clock" | "hyperv_clocksource_tsc_page");
    match (available, current) {
        (None, None) => true,
        (available, current) => {
            available.is_some_and(|all| all.split_whitespace().any(|name| name == "tsc"))
                || current.is_some_and(|name| is_tsc(name.trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unstable_counter_is_not_trusted() {
        assert!(kernel_trusts(Some("tsc kvm-clock acpi_pm\n"), Some("acpi_pm\n")));
        assert!(kernel_trusts(Some("kvm-clock acpi_pm\n"), Some("kvm-clock\n")));
        assert!(!kernel_trusts(Some("hpet acpi_pm\n"), Some("hpet\n")));
        assert!(kernel_trusts(None, None));
    }

    #[test]
    fn reads_never_go_back() {
        let mut last = read();
        for _ in 0..100_000 {
            let next = read();
            assert!(next >= last, "{next} after {last}");
            last = next;
        }
    }
}
