//! Memory that a script shares: a SharedArrayBuffer, held so that native threads may use it.
//!
//! A reference belongs to its environment and goes on its JavaScript thread only. So each thread keeps its own table of
//! what it holds; native threads have counted handles, and [`sweep`] lets go of memory that only the table still has.

use std::cell::RefCell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use napi::sys;
use velox_engine::record::Record;
use velox_engine::ring::{ForeignConsumer, ForeignError, ForeignProducer, ForeignRing, ForeignWords};

use crate::errors::Thrown;

/// The memory of a ring, and what TypeScript said that it holds.
pub(crate) struct SharedMemory {
    at: NonNull<u64>,
    bytes: usize,
    pub record: String,
    pub capacity: u32,
}

// SAFETY: the address stays valid on any thread until `sweep` finds no other handle, or the environment ends, which ends its
// runs before; what stands there is read and written by atomics alone, as rings, words and a clock's cell do, and not believed.
unsafe impl Send for SharedMemory {}
// SAFETY: as above; `SharedMemory` itself is never changed after it was made.
unsafe impl Sync for SharedMemory {}

struct Held {
    memory: Arc<SharedMemory>,
    reference: sys::napi_ref,
    env: sys::napi_env,
}

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// Holds the memory behind a `Uint8Array` over a SharedArrayBuffer.
pub(crate) fn hold(
    env: sys::napi_env,
    array: sys::napi_value,
    record: String,
    capacity: u32,
) -> Result<Arc<SharedMemory>, Thrown> {
    sweep();
    let refused = || Thrown::value("ring", "a Uint8Array over a SharedArrayBuffer, 8-byte aligned", "something else");
    let (mut kind, mut bytes, mut data, mut reference) = (0, 0, ptr::null_mut(), ptr::null_mut());
    let (mut buffer, mut is_private) = (ptr::null_mut(), true);
    // SAFETY: called inside a native call of this environment, with a live handle; results not wanted are null.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            array,
            &raw mut kind,
            &raw mut bytes,
            &raw mut data,
            &raw mut buffer,
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return Err(refused());
    }
    // An ArrayBuffer in disguise could be detached, and its memory freed, while a thread works on it.
    // SAFETY: as above.
    if unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut is_private) } != sys::Status::napi_ok || is_private {
        return Err(refused());
    }
    let at = NonNull::new(data.cast::<u64>()).filter(|at| at.is_aligned()).ok_or_else(refused)?;
    // SAFETY: as above. The strong reference keeps the array, and so its buffer, until `sweep` deletes it.
    if unsafe { sys::napi_create_reference(env, array, 1, &raw mut reference) } != sys::Status::napi_ok {
        return Err(refused());
    }
    let memory = Arc::new(SharedMemory { at, bytes, record, capacity });
    HELD.with_borrow_mut(|held| held.push(Held { memory: Arc::clone(&memory), reference, env }));
    Ok(memory)
}

/// Forgets what this environment holds, at its end: its references go with it, and N-API must not be called any more.
pub(crate) fn forget(env: sys::napi_env) {
    HELD.with_borrow_mut(|held| held.retain(|held| held.env != env));
}

/// Lets go of memory that no ring handle and no native thread uses any more. Call on the JavaScript thread, outside of
/// its end.
pub(crate) fn sweep() {
    HELD.with_borrow_mut(|held| {
        held.retain(|held| {
            let used = Arc::strong_count(&held.memory) > 1;
            if !used {
                // Acquire: pairs with the release of the last other handle; what its thread did to the memory is over.
                fence(Ordering::Acquire);
                // SAFETY: the reference was made in this environment, on this thread, and is deleted once: its entry
                // goes with it. No handle is left that could reach the memory.
                unsafe { sys::napi_delete_reference(held.env, held.reference) };
            }
            used
        });
    });
}

impl SharedMemory {
    /// Whether both are handles of one memory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.at == other.at
    }

    /// The address of the first 8 bytes, for good: the memory is never let go of. `None` where there are fewer.
    pub(crate) fn first_word(self: Arc<Self>) -> Option<NonNull<u64>> {
        let at = (self.bytes >= 8).then_some(self.at)?;
        std::mem::forget(self);
        Some(at)
    }

    /// All of it as plain words.
    pub(crate) fn words(self: Arc<Self>) -> ForeignWords {
        let (at, words) = (self.at, self.bytes / 8);
        // SAFETY: as for `ring`.
        unsafe { ForeignWords::new(at, words, self) }
    }

    fn ring<R: Record>(self: &Arc<Self>) -> Result<ForeignRing<R>, ForeignError> {
        // SAFETY: `at` is 8-byte aligned and stays mapped for `bytes` bytes as long as the handle given along lives: the
        // table holds a reference to its buffer, and a SharedArrayBuffer never moves, shrinks or detaches.
        unsafe { ForeignRing::new(self.at, self.bytes, self.capacity, Arc::<Self>::clone(self)) }
    }

    /// Becomes the ring's producer.
    pub(crate) fn producer<R: Record>(self: &Arc<Self>) -> Result<ForeignProducer<R>, ForeignError> {
        self.ring()?.producer()
    }

    /// Becomes the ring's consumer.
    pub(crate) fn consumer<R: Record>(self: &Arc<Self>) -> Result<ForeignConsumer<R>, ForeignError> {
        self.ring()?.consumer()
    }
}
