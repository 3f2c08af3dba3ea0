use std::cell::RefCell;
use std::rc::Rc;

use napi::sys;
use napi_derive::napi;
use velox_engine::ring::ForeignWords;
use velox_engine::{L2Book, L2Writer, Standing, Top};

use crate::books::{flat, side};
use crate::errors::{Result, Thrown};
use crate::instrument::instrument;
use crate::raw::{Call, Entry, SlotWork, Value, exact};
use crate::slots::{self, Object, of};

/// Cells, and the environment that they are of.
type Tops = (sys::napi_env, Rc<ForeignWords>);

thread_local! {
    /// Where tops are left, one for each copy of the package in this thread: making JavaScript values of them would cost
    /// more than all the rest of the call.
    static TOPS: RefCell<Vec<Option<Tops>>> = const { RefCell::new(Vec::new()) };
}

/// A script's hold on a book. It becomes the writer with its first change, until it is released, handed on to a pipeline,
/// collected, or its thread ends.
pub(crate) struct L2Handle {
    book: L2Book,
    writer: Option<L2Writer>,
    top: Option<Rc<ForeignWords>>,
}

impl From<L2Book> for L2Handle {
    fn from(book: L2Book) -> Self {
        Self { book, writer: None, top: None }
    }
}

impl L2Handle {
    pub(crate) fn book(&self) -> &L2Book {
        &self.book
    }

    /// The book for a pipeline that is to write it: what this handle claimed is free.
    pub(crate) fn hand_on(&mut self) -> L2Book {
        self.writer = None;
        self.book.clone()
    }

    fn writer(&mut self) -> Answer<&mut L2Writer> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.book.claim("another handle")?,
        };
        Ok(self.writer.insert(writer))
    }
}

/// The words of a top: its five numbers as doubles, and whether there is one.
const TOP_WORDS: usize = 6;

pub(crate) static FUNCTIONS: [Entry; 9] = [
    Entry { name: c"l2BookState", run: |call| on(call, |book| Ok(Value::Number(standing(book)))) },
    Entry { name: c"l2BookCrossed", run: |call| on(call, |book| Ok(Value::Bool(book.crossed()))) },
    Entry { name: c"l2BookTopCells", run: top_cells },
    Entry { name: c"l2BookBindTop", run: bind_top },
    Entry {
        name: c"l2BookQtyAt",
        run: |call| on(call, |book| Value::integer("qty", Some(book.qty_at(side(call, 1), call.integer(2))))),
    },
    Entry { name: c"l2BookVwap", run: |call| on(call, |book| Ok(book.vwap(side(call, 1), call.integer(2)).into())) },
    Entry { name: c"l2BookImbalance", run: |call| on(call, |book| Ok(book.imbalance(call.index(1)).into())) },
    Entry { name: c"l2BookApply", run: apply },
    Entry { name: c"l2BookRelease", run: release },
];

type Answer<T> = std::result::Result<T, Thrown>;

fn on(call: &Call, work: impl FnOnce(&L2Book) -> Answer<Value>) -> Answer<Value> {
    slots::with(call.index(0), of!(L2Book), |handle| work(&handle.book))
}

fn standing(book: &L2Book) -> f64 {
    match book.standing() {
        Standing::Empty => 0.0,
        Standing::Live => 1.0,
        Standing::Stale => 2.0,
    }
}

/// A `Uint8Array` over 48 shared bytes, where a copy of the package has tops left; gives their number.
fn top_cells(call: &Call) -> Answer<Value> {
    let cells = Some(call.hold(0, "cells")?.words()).filter(|cells| cells.len() == TOP_WORDS);
    let cells = cells.ok_or_else(|| Thrown::value("cells", "48 bytes", "another number of them"))?;
    TOPS.with_borrow_mut(|tops| {
        tops.push(Some((call.env(), Rc::new(cells))));
        Ok(Value::Number((tops.len() - 1) as f64))
    })
}

/// Forgets the cells of an environment, at its end; the others keep their numbers.
pub(crate) fn forget(env: sys::napi_env) {
    TOPS.with_borrow_mut(|tops| {
        for one in tops {
            *one = one.take().filter(|(of, _)| *of != env);
        }
    });
}

/// Book, number of the cells that its tops are left in.
fn bind_top(call: &Call) -> Answer<Value> {
    let cells = TOPS.with_borrow(|tops| tops.get(call.index(1))?.as_ref().map(|(_, cells)| Rc::clone(cells)));
    slots::with(call.index(0), of!(L2Book), |handle| {
        handle.top = cells;
        Ok(call.bound::<TopWork>(c"top", call.index(0)))
    })
}

struct TopWork;

impl SlotWork for TopWork {
    /// Leaves bid, its quantity, ask, its quantity, the sequence and 1 in the cells; only a 0 where there is no top.
    fn work(slot: usize) -> Answer<()> {
        slots::with(slot, of!(L2Book), |handle| Self::leave(handle))
    }
}

impl TopWork {
    fn leave(handle: &L2Handle) -> Answer<()> {
        let mut words = [0; TOP_WORDS];
        if let Some(Top { bid, bid_qty, ask, ask_qty, sequence }) = handle.book.top() {
            let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
            let numbers =
                [("bid", bid), ("bidQty", bid_qty), ("ask", ask), ("askQty", ask_qty), ("sequence", sequence)];
            for (word, (field, n)) in words.iter_mut().zip(numbers) {
                *word = exact(field, n)?.to_bits();
            }
            words[TOP_WORDS - 1] = 1.0f64.to_bits();
        }
        if let Some(cells) = &handle.top {
            cells.fill(0, words.into_iter());
        }
        Ok(())
    }
}

/// Book, triples of side, price and quantity, sequence (below 0: as it is), whether all levels are replaced.
fn apply(call: &Call) -> Answer<Value> {
    let flat = call.floats(1);
    let levels: Vec<_> = flat.chunks_exact(3).map(|l| (u8::from(l[0] != 0.0), l[1] as i64, l[2] as i64)).collect();
    slots::with(call.index(0), of!(L2Book), |handle| {
        let writer = handle.writer()?;
        let sequence = u64::try_from(call.integer(2)).unwrap_or_else(|_| writer.sequence());
        if call.bool(3) { writer.snapshot(&levels, sequence) } else { writer.apply(&levels, sequence) }?;
        Ok(Value::Undefined)
    })
}

/// Gives up what this handle claimed.
fn release(call: &Call) -> Answer<Value> {
    slots::with(call.index(0), of!(L2Book), |handle| {
        handle.writer = None;
        Ok(Value::Undefined)
    })
}

/// Makes a book of one writer.
#[napi(catch_unwind)]
pub fn l2_book_new(instrument_id: u32) -> Result<u32> {
    Ok(slots::put(Object::L2Book(L2Book::new(instrument(instrument_id)?).into())))
}

/// The best levels of both sides.
#[napi(catch_unwind)]
pub fn l2_book_depth(book: u32, levels: f64) -> Result<Vec<f64>> {
    Ok(slots::with(book as usize, of!(L2Book), |handle| flat(&handle.book.depth(levels as usize)))?)
}
