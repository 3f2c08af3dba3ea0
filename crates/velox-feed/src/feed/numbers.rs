//! The numbers of a connection's messages, each one more than the last.

use super::connection::Verdict;

#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Every number up to this one has been judged.
    before: u64,
    /// The number judged last; `None` before the first.
    last: Option<u64>,
    /// A higher one before it: either of the two may be the wrong one, or they came in the wrong order.
    higher: Option<u64>,
}

impl Numbers {
    pub(super) fn judge(&mut self, number: u64) -> Verdict {
        let Some(last) = self.last else {
            *self = Self { before: number.saturating_sub(1), last: Some(number), higher: None };
            return Verdict::Next;
        };
        if number == last || self.higher == Some(number) || number <= self.before {
            return Verdict::Old;
        }
        let follows = |other: u64| other.checked_add(1) == Some(number);
        if follows(last) || self.higher.is_some_and(follows) {
            *self = Self { before: number - 1, last: Some(number), higher: None };
            return Verdict::Next;
        }
        *self = if number < last {
            Self { before: self.before, last: Some(number), higher: Some(last) }
        } else {
            Self { before: last, last: Some(number), higher: None }
        };
        Verdict::Gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(numbers: &[u64]) -> Vec<Verdict> {
        let mut judge = Numbers::default();
        numbers.iter().map(|&number| judge.judge(number)).collect()
    }

    #[test]
    fn numbers_follow_repeat_and_miss() {
        use Verdict::{Gap, Next, Old};
        assert_eq!(verdicts(&[7, 8, 8, 7, 3, 9]), [Next, Next, Old, Old, Old, Next]);
        assert_eq!(verdicts(&[0, 1, 3, 4, 1]), [Next, Next, Gap, Next, Old]);
        assert_eq!(verdicts(&[0, u64::MAX, 0]), [Next, Gap, Old]);
    }

    #[test]
    fn after_two_in_the_wrong_order_or_one_wrong_number_the_count_goes_on() {
        use Verdict::{Gap, Next, Old};
        assert_eq!(verdicts(&[5, 7, 6, 8, 6, 7]), [Next, Gap, Gap, Next, Old, Old]);
        assert_eq!(verdicts(&[5, 9_000_000, 7, 8, 9]), [Next, Gap, Gap, Next, Next]);
        assert_eq!(verdicts(&[5, 2, 7, 8]), [Next, Old, Gap, Next]);
    }
}
