//! Comparisons of an integer with one number, as windows.

use crate::column::Window;
use crate::compare::Cmp;
use crate::types::Type;

/// The integers from `lo` to `hi`, or all the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    lo: i128,
    hi: i128,
    outside: bool,
}

impl Bounds {
    pub(crate) fn of(cmp: Cmp, value: i128) -> Self {
        let (lo, hi) = match cmp {
            Cmp::Eq | Cmp::Ne => (value, value),
            Cmp::Lt => (i128::MIN, value - 1),
            Cmp::Le => (i128::MIN, value),
            Cmp::Gt => (value + 1, i128::MAX),
            Cmp::Ge => (value, i128::MAX),
        };
        Self { lo, hi, outside: cmp == Cmp::Ne }
    }

    /// The integers of a range.
    pub(crate) const fn within(lo: i128, hi: i128) -> Self {
        Self { lo, hi, outside: false }
    }

    /// Both of two, where that is one pair of bounds.
    pub(crate) fn both(self, other: Self) -> Option<Self> {
        let one = !self.outside && !other.outside;
        one.then(|| Self { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi), outside: false })
    }

    /// The window over a column of this type; none where it holds nothing.
    pub(crate) fn window(self, kind: &Type) -> Option<Window> {
        let (least, most) = match kind {
            Type::U64 => (0, i128::from(u64::MAX)),
            _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        let (lo, hi) = (self.lo.max(least), self.hi.min(most));
        let inside = (lo <= hi).then(|| Window::new(lo as u64, (hi - lo) as u64));
        if !self.outside {
            return inside;
        }
        let Some(_) = inside else { return Some(Window::new(0, u64::MAX)) };
        // The rest of the circle of 2^64, from behind `hi` round to before `lo`.
        let rest = (1i128 << 64) - (hi - lo + 1);
        (rest > 0).then(|| Window::new((hi + 1) as u64, (rest - 1) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];

    fn says(cmp: Cmp, a: i128, b: i128) -> bool {
        match cmp {
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::Lt => a < b,
            Cmp::Le => a <= b,
            Cmp::Gt => a > b,
            Cmp::Ge => a >= b,
        }
    }

    #[test]
    fn a_window_says_what_the_comparison_says() {
        let (least, most) = (i128::from(i64::MIN), i128::from(u64::MAX));
        let values = [least, least + 1, -1, 0, 1, i128::from(i64::MAX), i128::from(i64::MAX) + 1, most - 1, most];
        for cmp in ALL {
            for bound in values {
                for value in values {
                    let bounds = Bounds::of(cmp, bound);
                    if let Ok(value) = i64::try_from(value) {
                        let has = bounds.window(&Type::I64).is_some_and(|window| window.has(value as u64));
                        assert_eq!(has, says(cmp, value.into(), bound), "{value} {cmp:?} {bound}");
                    }
                    if let Ok(value) = u64::try_from(value) {
                        let has = bounds.window(&Type::U64).is_some_and(|window| window.has(value));
                        assert_eq!(has, says(cmp, value.into(), bound), "{value} {cmp:?} {bound}");
                    }
                }
            }
        }
    }

    #[test]
    fn bounds_meet_where_both_hold() {
        let both = Bounds::of(Cmp::Gt, 5).both(Bounds::of(Cmp::Le, 7)).unwrap().window(&Type::I64).unwrap();
        assert_eq!([5, 6, 7, 8].map(|value| both.has(value)), [false, true, true, false]);
        assert_eq!(Bounds::of(Cmp::Gt, 5).both(Bounds::of(Cmp::Lt, 6)).unwrap().window(&Type::I64), None);
        assert_eq!(Bounds::of(Cmp::Gt, 5).both(Bounds::of(Cmp::Ne, 6)), None);
    }
}
