//! Books on their way to other threads: a number stands for a book as long as somebody holds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi_derive::napi;
use velox_engine::{L2Book, OrderBook, WeakL2Book};

use crate::errors::{Result, Thrown};
use crate::slots::{self, Object};

enum Shared {
    Order(Weak<OrderBook>),
    L2(WeakL2Book),
}

impl Shared {
    fn is_held(&self) -> bool {
        match self {
            Self::Order(book) => book.strong_count() > 0,
            Self::L2(book) => book.upgrade().is_some(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Order(one), Self::Order(other)) => one.ptr_eq(other),
            (Self::L2(one), Self::L2(other)) => one.is(other),
            _ => false,
        }
    }
}

#[derive(Default)]
struct Shelf {
    last: u32,
    books: HashMap<u32, Shared>,
}

static SHELF: Mutex<Option<Shelf>> = Mutex::new(None);

fn shelf() -> MutexGuard<'static, Option<Shelf>> {
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pick(object: &mut Object) -> Option<&mut Object> {
    matches!(object, Object::OrderBook(_) | Object::L2Book(_)).then_some(object)
}

/// Gives the number by which another thread can attach a book: the same one each time.
#[napi(catch_unwind)]
pub fn book_share(book: u32) -> Result<u32> {
    let shared = slots::with(book as usize, pick, |object| {
        Ok(match object {
            Object::OrderBook(book) => Shared::Order(Arc::downgrade(book)),
            Object::L2Book(handle) => Shared::L2(handle.book().downgrade()),
            _ => unreachable!("nothing else is picked"),
        })
    })?;
    let mut shelf = shelf();
    let shelf = shelf.get_or_insert_default();
    shelf.books.retain(|_, book| book.is_held());
    if let Some((known, _)) = shelf.books.iter().find(|(_, book)| book.is(&shared)) {
        return Ok(*known);
    }
    shelf.last = shelf.last.wrapping_add(1);
    shelf.books.insert(shelf.last, shared);
    Ok(shelf.last)
}

/// A book by its number, in a slot of this thread, and its instrument: 0 for a book without.
#[napi(object)]
pub struct Attached {
    /// Here.
    pub slot: u32,
    /// Its id.
    pub instrument: u32,
}

/// Attaches a book by its number; `one_writer` says of which kind it should be.
#[napi(catch_unwind)]
pub fn book_attach(token: u32, one_writer: bool) -> Result<Attached> {
    let held = |book: Option<L2Book>| book.map(|book| (u32::from(book.instrument().id()), Object::L2Book(book.into())));
    let found = match shelf().get_or_insert_default().books.get(&token) {
        Some(Shared::Order(book)) if !one_writer => book.upgrade().map(|book| (0, Object::OrderBook(book))),
        Some(Shared::L2(book)) if one_writer => held(book.upgrade()),
        _ => None,
    };
    let (instrument, object) = found.ok_or_else(|| {
        let expected = "what share() of such a book gave, while somebody holds the book";
        Thrown::value("shared", expected, "a book that there is not, or not any more")
    })?;
    Ok(Attached { slot: slots::put(object), instrument })
}
