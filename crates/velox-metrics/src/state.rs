//! How a run stands.

/// Whether a run goes, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// It goes, or is about to.
    #[default]
    Running,
    /// It came to its end, or was stopped.
    Done,
    /// It was ended where it was.
    Aborted,
    /// A stage failed.
    Failed {
        /// Its number.
        stage: usize,
    },
}

impl RunState {
    /// All names, in the order in which they are told.
    pub(crate) const NAMES: [&'static str; 4] = ["running", "done", "aborted", "failed"];

    /// As one word, so that nobody sees half of it.
    pub(crate) const fn word(self) -> u64 {
        match self {
            Self::Running => 0,
            Self::Done => 1,
            Self::Aborted => 2,
            Self::Failed { stage } => 3 + stage as u64,
        }
    }

    pub(crate) const fn of(word: u64) -> Self {
        match word {
            0 => Self::Running,
            1 => Self::Done,
            2 => Self::Aborted,
            stage => Self::Failed { stage: (stage - 3) as usize },
        }
    }

    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        let word = self.word();
        Self::NAMES[if word < 3 { word as usize } else { 3 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_one_word_and_comes_back_from_it() {
        let failed = |stage| RunState::Failed { stage };
        for (state, name) in [
            (RunState::Running, "running"),
            (RunState::Done, "done"),
            (RunState::Aborted, "aborted"),
            (failed(0), "failed"),
            (failed(7), "failed"),
        ] {
            assert_eq!((RunState::of(state.word()), state.name()), (state, name));
        }
        assert_eq!(RunState::of(u64::MAX).name(), "failed");
    }
}
