//! Random rows, and random trees that the planner takes.

use proptest::prelude::*;
use velox_expr::Expr;

use crate::common::{NAMES, Row};

/// The first is an integer, so that it may stand beside integers.
pub const PARAMS: [f64; 2] = [2.0, 0.5];
const DEPTH: usize = 6;

pub fn i64s() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![
        6 => -3i64..4,
        3 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 53, (1 << 53) + 1]),
        1 => any::<i64>(),
    ]
}

fn u64s() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![
        6 => 0u64..4,
        3 => prop::sample::select(vec![u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1, (1 << 53) + 1]),
        1 => any::<u64>(),
    ]
}

pub fn f64s() -> impl Strategy<Value = f64> + Clone {
    let special = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE];
    prop_oneof![3 => (-3i32..4).prop_map(f64::from), 3 => prop::sample::select(special), 1 => -2.0..2.0f64]
}

prop_compose! {
    pub fn row()(a in i64s(), b in i64s(), u in u64s(), v in u64s(), x in f64s(), y in f64s(), t: bool, s in 0u8..4) -> Row {
        Row { a, b, u, v, x, y, t, s }
    }
}

type Tree = BoxedStrategy<Expr>;

/// Trees of each type, and integers that keep their type whatever they stand beside.
#[derive(Clone)]
struct Trees {
    i: Tree,
    u: Tree,
    f: Tree,
    b: Tree,
    fixed_i: Tree,
    fixed_u: Tree,
}

fn column(names: &'static [&'static str]) -> Tree {
    prop::sample::select(names).prop_map(|name| Expr::Column { name: name.into() }).boxed()
}

fn param(index: usize) -> Expr {
    Expr::Param { index }
}

fn one(a: &Tree) -> impl Strategy<Value = Box<[Expr; 1]>> + use<> {
    a.clone().prop_map(|a| Box::new([a]))
}

fn two(a: &Tree, b: &Tree) -> impl Strategy<Value = Box<[Expr; 2]>> + use<> {
    (a.clone(), b.clone()).prop_map(|(a, b)| Box::new([a, b]))
}

fn three(a: &Tree, b: &Tree, c: &Tree) -> impl Strategy<Value = Box<[Expr; 3]>> + use<> {
    (a.clone(), b.clone(), c.clone()).prop_map(|(a, b, c)| Box::new([a, b, c]))
}

/// min, max, add, sub, mul, div
fn arith(of: impl Strategy<Value = Box<[Expr; 2]>> + 'static) -> Tree {
    let make = |(of, op)| match op {
        0 => Expr::Add { of },
        1 => Expr::Sub { of },
        2 => Expr::Mul { of },
        3 => Expr::Div { of },
        4 => Expr::Min { of },
        _ => Expr::Max { of },
    };
    (of, 0..6).prop_map(make).boxed()
}

fn compared(of: impl Strategy<Value = Box<[Expr; 2]>> + 'static) -> Tree {
    let make = |(of, op)| match op {
        0 => Expr::Eq { of },
        1 => Expr::Ne { of },
        2 => Expr::Lt { of },
        3 => Expr::Le { of },
        4 => Expr::Gt { of },
        _ => Expr::Ge { of },
    };
    (of, 0..6).prop_map(make).boxed()
}

/// when, prev and over, which are there for every type
fn of_any_type(trees: &Trees, x: &Tree) -> Tree {
    let key = prop_oneof![trees.i.clone(), trees.u.clone(), trees.b.clone(), column(&["s"])].boxed();
    prop_oneof![
        three(&trees.b, x, x).prop_map(|of| Expr::When { of }),
        one(x).prop_map(|of| Expr::Prev { of }),
        (two(x, &key), 1usize..5).prop_map(|(of, max_keys)| Expr::Over { of, max_keys }),
    ]
    .boxed()
}

fn leaves() -> Trees {
    let given = |index| Just(Expr::Given { index });
    let fixed_i = prop_oneof![4 => column(&["a", "b"]), 1 => given(0)].boxed();
    let fixed_u = column(&["u", "v"]);
    let name = prop::sample::select(NAMES).prop_map(|name| Expr::Name { value: name.into() }).boxed();
    Trees {
        i: prop_oneof![2 => fixed_i.clone(), 1 => i64s().prop_map(|value| Expr::I64 { value })].boxed(),
        u: prop_oneof![2 => fixed_u.clone(), 1 => u64s().prop_map(|value| Expr::U64 { value })].boxed(),
        f: prop_oneof![
            4 => column(&["x", "y"]),
            1 => given(1),
            2 => f64s().prop_map(|value| Expr::F64 { value }),
            1 => (0usize..2).prop_map(param),
        ]
        .boxed(),
        b: prop_oneof![
            2 => column(&["t"]),
            1 => any::<bool>().prop_map(|value| Expr::Bool { value }),
            1 => two(&column(&["s"]), &name).prop_map(|of| Expr::Eq { of }),
        ]
        .boxed(),
        fixed_i,
        fixed_u,
    }
}

fn grow(under: &Trees) -> Trees {
    let Trees { i, u, f, b, fixed_i, fixed_u } = under;
    let mixed = prop_oneof![two(fixed_i, fixed_u), two(fixed_u, fixed_i)].boxed();
    let whole = Just(param(0)).boxed();
    let i_next = prop_oneof![
        3 => under.i.clone(),
        4 => arith(two(i, i)),
        2 => arith(mixed.clone()),
        1 => arith(prop_oneof![two(fixed_i, &whole), two(&whole, fixed_i)]),
        1 => three(i, i, i).prop_map(|of| Expr::MulDiv { of }),
        1 => three(fixed_i, fixed_u, fixed_u).prop_map(|of| Expr::MulDiv { of }),
        1 => three(i, i, i).prop_map(|of| Expr::Clamp { of }),
        1 => prop_oneof![one(i), one(fixed_u)].prop_map(|of| Expr::Neg { of }),
        1 => one(i).prop_map(|of| Expr::Abs { of }),
        2 => of_any_type(under, i),
    ];
    let u_next = prop_oneof![
        3 => under.u.clone(),
        4 => arith(two(u, u)),
        1 => three(u, u, u).prop_map(|of| Expr::MulDiv { of }),
        1 => three(u, u, u).prop_map(|of| Expr::Clamp { of }),
        1 => one(u).prop_map(|of| Expr::Abs { of }),
        2 => of_any_type(under, u),
    ];
    let f_next = prop_oneof![
        3 => under.f.clone(),
        4 => arith(two(f, f)),
        2 => prop_oneof![one(i), one(u), one(f)].prop_map(|of| Expr::ToF64 { of }),
        1 => three(f, f, f).prop_map(|of| Expr::Clamp { of }),
        1 => prop_oneof![one(f).prop_map(|of| Expr::Neg { of }), one(f).prop_map(|of| Expr::Abs { of })],
        2 => of_any_type(under, f),
    ];
    let many = prop::collection::vec(b.clone(), 1..4).boxed();
    let b_next = prop_oneof![
        2 => under.b.clone(),
        2 => compared(two(i, i)),
        1 => compared(two(u, u)),
        2 => compared(two(f, f)),
        1 => compared(mixed),
        1 => compared(prop_oneof![two(fixed_i, &whole), two(&whole, fixed_u)]),
        1 => prop_oneof![three(i, i, i), three(u, u, u), three(f, f, f)].prop_map(|of| Expr::Between { of }),
        1 => prop_oneof![prop::collection::vec(i.clone(), 2..5), prop::collection::vec(f.clone(), 2..5)]
            .prop_map(|of| Expr::In { of }),
        3 => many.clone().prop_map(|of| Expr::And { of }),
        2 => many.prop_map(|of| Expr::Or { of }),
        2 => one(b).prop_map(|of| Expr::Not { of }),
        2 => of_any_type(under, b),
    ];
    Trees {
        fixed_i: prop_oneof![fixed_i.clone(), one(i).prop_map(|of| Expr::Abs { of }), arith(two(fixed_i, i))].boxed(),
        fixed_u: prop_oneof![fixed_u.clone(), one(u).prop_map(|of| Expr::Abs { of }), arith(two(fixed_u, u))].boxed(),
        i: i_next.boxed(),
        u: u_next.boxed(),
        f: f_next.boxed(),
        b: b_next.boxed(),
    }
}

/// One of each type: i64, u64, f64, bool.
pub fn tree_of_each_type() -> impl Strategy<Value = [Expr; 4]> {
    let Trees { i, u, f, b, .. } = (1..DEPTH / 2).fold(leaves(), |trees, _| grow(&trees));
    [i, u, f, b]
}

pub fn tree() -> Tree {
    let trees = (1..DEPTH).fold(leaves(), |trees, _| grow(&trees));
    prop_oneof![1 => trees.i, 1 => trees.u, 1 => trees.f, 3 => trees.b].boxed()
}
