//! Who runs, and as whom.

/// The number of the user that this process acts as; `None` where the system has no such numbers.
pub fn user() -> Option<u32> {
    #[cfg(unix)]
    {
        // SAFETY: the call takes nothing and can't fail.
        Some(unsafe { libc::geteuid() })
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Whether a process of this number is there. A number is given anew after its process has gone: see [`process_start`].
/// One system call. `true` where the system can't be asked.
pub fn process_lives(pid: u32) -> bool {
    #[cfg(unix)]
    {
        // 0 and what is negative would mean groups of processes.
        let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 0) else { return false };
        // SAFETY: signal 0 is sent to nobody; the call only asks.
        let found = unsafe { libc::kill(pid, 0) } == 0;
        found || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

/// When a process began, in the system's ticks since it was started: with its number it names one process for good.
/// `None` where there is no such process, or no `/proc` to ask. Reads a file.
///
/// Source: proc_pid_stat(5), field 22.
pub fn process_start(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold any of both.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_began_once() {
        let own = std::process::id();
        assert!(process_lives(own));
        if cfg!(target_os = "linux") {
            assert!(process_start(own).is_some_and(|ticks| ticks > 0));
            assert_eq!(process_start(own), process_start(own));
        }
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_process_does_not_live() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(!process_lives(pid) && process_start(pid).is_none());
        assert!(!process_lives(0) && !process_lives(u32::MAX));
    }
}
