//! Typed expressions over the columns of records: planned once, evaluated by column over batches of up to 256 rows.
//!
//! [`Expr`] is the tree as JSON has it, [`Plan`] what evaluates it, [`Mapper`] what makes whole records of several.
//! Planning checks types and allocates; evaluating allocates nothing. A plan's steps each fill one register of 256
//! values; a filter that is an `and` goes another way: its comparisons of a column with one number shorten a list of
//! rows, each looking only at what the one before left.
//!
//! [`Columns`] are those of a native record, known when compiled, or those that a script declared as fields of words.
//!
//! # The tree
//! A node is an object with its operator's name in `op`. Operators have their operands in `of`, in this order:
//!
//! | `op` | `of` | gives |
//! |---|---|---|
//! | `add` `sub` `mul` `div` `min` `max` | a, b | a number |
//! | `neg` `abs` | a | a number |
//! | `clamp` | x, lo, hi | min(max(x, lo), hi) |
//! | `mulDiv` | a, m, d | a × m / d of integers, exact in between |
//! | `toF64` | a | the nearest f64 |
//! | `eq` `ne` | a, b | a bool, of numbers, names or bools |
//! | `lt` `le` `gt` `ge` | a, b | a bool, of numbers |
//! | `between` | x, lo, hi | x ≥ lo and x ≤ hi |
//! | `in` | x, a, b, … | x = a or x = b … |
//! | `and` `or` | a, b, … | a bool |
//! | `not` | a | a bool |
//! | `when` | c, a, b | a where c holds, else b |
//! | `prev` | x | the last value of x on the rows before |
//! | `over`, with `maxKeys` | x, key | the same, among the rows with that key |
//!
//! and the leaves are
//!
//! | leaf | |
//! |---|---|
//! | `{"op":"column","name":"price"}` | a field of the record |
//! | `{"op":"i64","value":5}` | a whole number, or text of one |
//! | `{"op":"u64","value":"18446744073709551615"}` | a whole number as text |
//! | `{"op":"f64","value":0.5}` | a number, `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `{"op":"decimal","value":"61800.30"}` | a price or a quantity |
//! | `{"op":"name","value":"ask"}` | a value of an enumeration |
//! | `{"op":"bool","value":true}` | |
//! | `{"op":"param","index":0}` | a number that comes with each batch |
//! | `{"op":"given","index":0}` | a value that holds until another is given, such as the best bid, or none |
//!
//! # Types
//! - Columns are i64, u64, f64, bool or one of some names:
//!
//!   | a field of | is |
//!   |---|---|
//!   | u8, i8, u16, i16, u32, i32, i64 | i64 |
//!   | u64, nanos | u64 |
//!   | f32, f64 | f64 |
//!   | bool | bool: 0 is false, all else true |
//!   | side | one of bid, ask |
//!   | names | one of them; a number without a name equals none |
//! - A literal takes the type of the first typed operand beside it: a whole number beside f64 is one (up to 2^53), a
//!   whole f64 beside integers is one, a whole number beside u64 is u64 if it isn't negative. A fraction beside
//!   integers is refused: integers stay exact. `mulDiv` takes a share of one, `toF64` leaves the integers.
//! - A param is an f64; beside integers it must be whole, or every row of the batch fails and `prev` remembers nothing
//!   of it.
//! - A given value is an i64 or an f64, as its [`Given`] says, and the same for all rows of a batch: whoever gives it
//!   cuts the batch where it changes.
//! - i64 and u64 compare exactly. Their arithmetic gives i64, which must fit; u64 with u64 gives u64.
//! - Integers and f64 don't mix; `toF64` says where they should. It gives ticks or lots, not decimals.
//! - Decimal text counts in the tick of a price or the lot of a quantity beside it, whole numbers of it only. Sums,
//!   `min`, `max`, `clamp`, `when`, `prev` and `over` of a price are prices; so is a price times or divided by a plain
//!   integer. There is no decimal text in `mul`, `div` and `mulDiv`.
//!
//! # Rows without a value
//! - A row fails, not its batch: at an integer beyond its type, an integer divided by 0, a u64/i64 result that is no
//!   i64, more keys than `maxKeys`. [`Failures`] says which rows, and the reason of the first. f64 never fails: it goes
//!   by IEEE 754, division by 0 too.
//! - Whatever reads a failed row fails with it; of several reasons the last in [`Failure`] stands. Three operators don't
//!   evaluate a failure away, they just don't count what they don't select: `when` counts only its condition and the
//!   branch chosen; false and failed is false; true or failed is true, in either order.
//! - `prev` and `over` have no value until x had one, a given value has none where none is given. Arithmetic with no
//!   value has none; a comparison with it is false, `ne` too. `not`, `and`, `or` and `when` treat it as they treat a
//!   failure, and a failure beside it stands. A filter passes no row without a value, and in a [`Mapper`] no value is a
//!   failure.
//! - `prev` and `over` go by rows: they see each row of each batch, selected or not, and pass over rows on which x has
//!   no value. A key takes one of `maxKeys` places when it is first seen. How rows are cut into batches changes nothing.
//!
//! # Numbers
//! - Integer division truncates toward zero, in `mulDiv` too.
//! - A comparison with NaN is false, but `ne` is true. `min`, `max` and `clamp` with NaN are NaN. Of equals (0 and -0)
//!   `min` and `max` give the first.
//! - `toF64` rounds to the nearest, ties to even.
//!
//! ```
//! use velox_expr::{Expr, Plan, Scales};
//! use velox_record::Trade;
//! let expr: Expr = serde_json::from_str(r#"{"op":"and","of":[
//!     {"op":"eq","of":[{"op":"column","name":"side"},{"op":"name","value":"ask"}]},
//!     {"op":"gt","of":[{"op":"column","name":"price"},{"op":"prev","of":[{"op":"column","name":"price"}]}]}]}"#).unwrap();
//! let mut plan = Plan::<Trade>::new(&expr, &Scales::default(), 0).unwrap();
//! let rows = [(100, 1), (101, 1), (102, 0), (103, 1)].map(|(price, side)| Trade { price, side, ..Trade::default() });
//! let mut keep = Vec::with_capacity(velox_expr::BATCH);
//! let failures = plan.filter(&rows, &[], &mut keep);
//! assert_eq!((&keep[..], failures.count()), (&[1, 3][..], 0));
//! ```
#![forbid(unsafe_code)]

mod arith;
mod bounds;
mod column;
mod columns;
mod compare;
mod error;
mod expr;
mod failure;
mod field;
mod history;
mod holds;
mod inputs;
mod layout;
mod literal;
mod logic;
mod mapper;
mod mul_div;
mod operand;
mod param_rule;
mod plan;
mod planner;
mod program;
mod register;
mod step;
mod tables;
mod types;

pub use column::{Column, Gate, Load, Places, Scale, Stored, Table, Window};
pub use columns::Columns;
pub use error::ExprError;
pub use expr::Expr;
pub use failure::{Failure, Failures};
pub use field::{Bits, Kind, Names, OwnField};
pub use holds::Holds;
pub use inputs::{Given, Inputs};
pub use layout::Layout;
pub use literal::Scales;
pub use mapper::Mapper;
pub use param_rule::ParamRule;
pub use plan::Plan;
pub use types::Type;

/// The most rows of one batch.
pub const BATCH: usize = 256;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
