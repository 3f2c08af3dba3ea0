//! Native objects of one JavaScript thread, each in a numbered slot.
//!
//! A slot number is all that a warm call has to carry. TypeScript frees a slot when the object that owns it is
//! collected; what is left goes when the environment ends.

use std::cell::RefCell;
use std::fs::File;
use std::sync::Arc;

use velox_engine::solana::{Keypair, TransactionTemplate};
use velox_engine::stages::Doorbell;
use velox_engine::{BundleBuilder, OrderBook, PrometheusMetrics, StageMetrics};

use crate::builder::Sending;
use crate::errors::Thrown;
use crate::feed::FeedEntry;
use crate::host::Host;
use crate::l2_book::L2Handle;
use crate::memory::SharedMemory;
use crate::metrics::Follower;
use crate::pipeline::RunEntry;
use crate::scrape::Scraped;

#[expect(clippy::large_enum_variant, reason = "a slot is made once and looked at for long")]
pub(crate) enum Object {
    OrderBook(Arc<OrderBook>),
    L2Book(L2Handle),
    Ring(Arc<SharedMemory>),
    Builder((BundleBuilder, Option<Sending>)),
    Metrics(Arc<StageMetrics>),
    Transactions(PrometheusMetrics),
    Scraped(Scraped),
    Run(RunEntry),
    Host(Box<Host>),
    Doorbell(Arc<Doorbell>),
    Feed(Box<FeedEntry>),
    Attached(Box<Follower>),
    #[expect(dead_code, reason = "its lock is held as long as it is here")]
    Lock(File),
    Signer(Arc<Keypair>),
    Template(Arc<TransactionTemplate>),
}

#[derive(Default)]
struct Slots {
    objects: Vec<Option<Object>>,
    free: Vec<usize>,
}

/// Where `process.exit()` comes here, Windows has already ended every other thread: none can be joined any more, and a lock that one of
/// them held is never given back. What is left goes with the process.
#[cfg(windows)]
impl Drop for Slots {
    fn drop(&mut self) {
        std::mem::forget(std::mem::take(&mut self.objects));
    }
}

thread_local! {
    static SLOTS: RefCell<Slots> = RefCell::default();
}

pub(crate) fn put(object: Object) -> u32 {
    SLOTS.with_borrow_mut(|slots| {
        let slot = slots.free.pop().unwrap_or_else(|| {
            slots.objects.push(None);
            slots.objects.len() - 1
        });
        slots.objects[slot] = Some(object);
        slot as u32
    })
}

/// Takes the object out; gives `None` for a slot that is free.
pub(crate) fn take(slot: usize) -> Option<Object> {
    SLOTS.with_borrow_mut(|slots| {
        let object = slots.objects.get_mut(slot)?.take()?;
        slots.free.push(slot);
        Some(object)
    })
}

/// Everything, for the end of the environment.
pub(crate) fn take_all() -> Vec<Object> {
    let objects = SLOTS.with_borrow_mut(|slots| {
        slots.free.clear();
        std::mem::take(&mut slots.objects)
    });
    objects.into_iter().flatten().collect()
}

/// Works on the object in a slot, where `pick` finds what it wants there.
pub(crate) fn with<O: ?Sized, R>(
    slot: usize,
    pick: impl FnOnce(&mut Object) -> Option<&mut O>,
    work: impl FnOnce(&mut O) -> Result<R, Thrown>,
) -> Result<R, Thrown> {
    SLOTS.with_borrow_mut(|slots| {
        let object = slots.objects.get_mut(slot).and_then(Option::as_mut).and_then(pick);
        work(object.ok_or_else(|| Thrown::value("handle", "a live native object", slot as u64))?)
    })
}

/// Picks one kind of [`Object`].
macro_rules! of {
    ($kind:ident) => {
        |object: &mut $crate::slots::Object| match object {
            $crate::slots::Object::$kind(inner) => Some(inner),
            _ => None,
        }
    };
}
pub(crate) use of;
