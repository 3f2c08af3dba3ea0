//! Native functions without the macro's conversions: numbers in, a number out, for warm paths.
//!
//! A call through the `#[napi]` macro costs 46–153 ns on the machines this was measured on, one through here 20–40.
//!
//! Invariants that the unsafe blocks rest on:
//! 1. N-API calls a function with the environment it was made in, on that environment's thread, inside a handle scope.
//! 2. The `data` pointer of each function that [`define`] makes is a `&'static Entry`; the other makers say what theirs is.
//! 3. An argument handle is valid until the call returns.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::sys;

use crate::errors::Thrown;
use crate::memory::{self, SharedMemory};

/// The largest integer that a JavaScript number holds exactly.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// The most arguments a function here takes.
const MAX_ARGS: usize = 6;

/// Room for a text before its buffer grows.
const TEXT_ROOM: usize = 1 << 16;

/// What a function gives back.
pub(crate) enum Value {
    Undefined,
    Number(f64),
    Bool(bool),
    BigInt(u64),
    /// Made by the call itself.
    Function(sys::napi_value),
}

impl Value {
    /// A whole number, undefined for none.
    pub(crate) fn integer(field: &str, value: Option<i64>) -> Result<Self, Thrown> {
        Ok(value.map(|n| exact(field, n)).transpose()?.map_or(Self::Undefined, Self::Number))
    }
}

/// The integer as a double, where that holds it exactly.
pub(crate) fn exact(field: &str, n: i64) -> Result<f64, Thrown> {
    if n.unsigned_abs() > MAX_SAFE {
        return Err(Thrown::unsafe_integer(field));
    }
    Ok(n as f64)
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Undefined, Self::Number)
    }
}

pub(crate) type Function = fn(&Call) -> Result<Value, Thrown>;

/// A function and its JavaScript name.
pub(crate) struct Entry {
    pub name: &'static CStr,
    pub run: Function,
}

/// The arguments of one call. A missing or wrong one reads as 0: the TypeScript above checks them, and no value of
/// theirs can be an address or an unchecked index here.
pub(crate) struct Call {
    env: sys::napi_env,
    args: [sys::napi_value; MAX_ARGS],
}

/// The address and the length in elements of a typed array of this type, where the value is one, and whether no other script
/// can reach its memory.
///
/// # Safety
/// Called inside a native call of this environment, with a live handle.
unsafe fn array(
    env: sys::napi_env,
    value: sys::napi_value,
    kind: sys::napi_typedarray_type,
) -> Option<(*mut c_void, usize, bool)> {
    let (mut found, mut length, mut data) = (0, 0, ptr::null_mut());
    let (mut buffer, mut is_private) = (ptr::null_mut(), false);
    // SAFETY: the caller's promise; the last result is not asked for.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &raw mut found,
            &raw mut length,
            &raw mut data,
            &raw mut buffer,
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok || found != kind || (data.is_null() && length > 0) {
        return None;
    }
    // A SharedArrayBuffer is no ArrayBuffer to N-API.
    // SAFETY: as above; on failure `is_private` stays false.
    unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut is_private) };
    Some((data, length, is_private))
}

/// Copies bytes of a buffer. A script that shares it may write them meanwhile, and so may a thread of the runtime's pool
/// (`crypto.randomFill`, a read of a file): they are read by atomics, no slice is made of them, and only the copy is looked at.
///
/// # Safety
/// `from` is valid for reads of as many bytes.
unsafe fn load(from: *const u8, into: &mut [u8]) {
    let from = from.cast_mut();
    // SAFETY: the caller's promise: `at` is below the length.
    let byte = |at: usize| unsafe { AtomicU8::from_ptr(from.add(at)) }.load(Ordering::Relaxed);
    let head = from.align_offset(8).min(into.len());
    let (first, rest) = into.split_at_mut(head);
    first.iter_mut().enumerate().for_each(|(at, to)| *to = byte(at));
    let (words, last) = rest.as_chunks_mut::<8>();
    let tail = head + words.len() * 8;
    for (i, to) in words.iter_mut().enumerate() {
        // SAFETY: as above for 8 bytes; behind `head` the address is a multiple of 8.
        *to = unsafe { AtomicU64::from_ptr(from.add(head + i * 8).cast()) }.load(Ordering::Relaxed).to_ne_bytes();
    }
    last.iter_mut().enumerate().for_each(|(at, to)| *to = byte(tail + at));
}

/// Copies a `Uint8Array`, over shared memory or not, that a `#[napi]` function got.
pub(crate) fn copied(field: &str, value: Unknown<'_>) -> Result<Vec<u8>, Thrown> {
    // SAFETY: called inside a native call of this environment, with a handle that lives as long.
    let found = unsafe { array(value.value().env, value.raw(), sys::TypedarrayType::uint8_array) };
    let (data, length, _) = found.ok_or_else(|| Thrown::value(field, "a Uint8Array", "something else"))?;
    let mut bytes = vec![0; length];
    // SAFETY: N-API gave the address of `length` bytes, which stay there during the call.
    unsafe { load(data.cast(), &mut bytes) };
    Ok(bytes)
}

impl Call {
    pub(crate) fn env(&self) -> sys::napi_env {
        self.env
    }

    pub(crate) fn number(&self, i: usize) -> f64 {
        let mut value = 0.0;
        // SAFETY: invariants 1 and 3; on failure `value` is left as it was.
        unsafe { sys::napi_get_value_double(self.env, self.args[i], &raw mut value) };
        value
    }

    /// A whole number: the TypeScript above lets only safe integers through.
    pub(crate) fn integer(&self, i: usize) -> i64 {
        self.number(i) as i64
    }

    pub(crate) fn index(&self, i: usize) -> usize {
        self.number(i) as usize
    }

    pub(crate) fn bool(&self, i: usize) -> bool {
        let mut value = false;
        // SAFETY: invariants 1 and 3; on failure `value` is left as it was.
        unsafe { sys::napi_get_value_bool(self.env, self.args[i], &raw mut value) };
        value
    }

    /// A number or a bigint, as unsigned 64 bits.
    pub(crate) fn wide(&self, i: usize) -> u64 {
        let (mut number, mut value, mut lossless) = (0.0, 0, false);
        // SAFETY: invariants 1 and 3; a call of the wrong type fails and leaves its value as it was.
        unsafe {
            if sys::napi_get_value_double(self.env, self.args[i], &raw mut number) == sys::Status::napi_ok {
                return number as u64;
            }
            sys::napi_get_value_bigint_uint64(self.env, self.args[i], &raw mut value, &raw mut lossless);
        }
        value
    }

    fn array(&self, i: usize, kind: sys::napi_typedarray_type) -> Option<(*mut c_void, usize)> {
        // SAFETY: invariants 1 and 3.
        let found = unsafe { array(self.env, self.args[i], kind) };
        found.and_then(|(data, length, is_private)| is_private.then_some((data, length)))
    }

    /// Copies a `Float64Array` argument.
    pub(crate) fn floats(&self, i: usize) -> Vec<f64> {
        let Some((data, length)) = self.array(i, sys::TypedarrayType::float64_array) else { return Vec::new() };
        let mut bytes = vec![0; length * 8];
        // SAFETY: N-API gave the address of `length` doubles, which stay there during the call.
        unsafe { load(data.cast(), &mut bytes) };
        bytes.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect()
    }

    /// A copy in `text` of the bytes of a `Uint8Array`, or of a string's UTF-8; `None` where the argument is neither.
    pub(crate) fn message<'a>(&self, i: usize, text: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if let Some((data, length)) = self.array(i, sys::TypedarrayType::uint8_array) {
            text.resize(text.len().max(length), 0);
            let copy = &mut text[..length];
            // SAFETY: N-API gave the address of `length` bytes, which stay there during the call.
            unsafe { load(data.cast(), copy) };
            return Some(copy);
        }
        text.resize(text.capacity().max(TEXT_ROOM), 0);
        let mut written = 0;
        loop {
            // SAFETY: invariants 1 and 3; no more than `text.len()` bytes are written there, the last of them a zero.
            let status = unsafe {
                sys::napi_get_value_string_utf8(
                    self.env,
                    self.args[i],
                    text.as_mut_ptr().cast(),
                    text.len(),
                    &raw mut written,
                )
            };
            if status != sys::Status::napi_ok {
                return None;
            }
            // A text that was cut ends within a character of the buffer's end.
            if written + 4 < text.len() {
                return Some(&text[..written]);
            }
            text.resize(2 * text.len(), 0);
        }
    }

    /// Copies a `Uint8Array` argument of `N` bytes; zeros where it is none.
    pub(crate) fn bytes<const N: usize>(&self, i: usize) -> [u8; N] {
        let mut bytes = [0; N];
        if let Some((data, length)) = self.array(i, sys::TypedarrayType::uint8_array)
            && length >= N
        {
            // SAFETY: N-API gave the address of at least `N` bytes, which stay there during the call.
            unsafe { load(data.cast(), &mut bytes) };
        }
        bytes
    }

    /// Writes as much of `values` as fits into a `Float64Array` argument.
    pub(crate) fn fill(&self, i: usize, values: &[f64]) {
        let Some((data, length)) = self.array(i, sys::TypedarrayType::float64_array) else { return };
        let bytes = values.iter().take(length).flat_map(|value| value.to_ne_bytes());
        for (at, byte) in bytes.enumerate() {
            // SAFETY: N-API gave the address of `length` doubles; no more than that is written, by atomics as `load` reads.
            unsafe { AtomicU8::from_ptr(data.cast::<u8>().add(at)) }.store(byte, Ordering::Relaxed);
        }
    }

    /// Holds the memory of a `Uint8Array` over shared memory.
    pub(crate) fn hold(&self, i: usize, name: &str) -> Result<Arc<SharedMemory>, Thrown> {
        memory::hold(self.env, self.args[i], name.into(), 1)
    }

    /// A function without arguments or result that works on a slot: what it takes and gives goes through memory.
    pub(crate) fn bound<W: SlotWork>(&self, name: &CStr, slot: usize) -> Value {
        let data = ptr::without_provenance_mut(slot);
        make(self.env, name, on_slot::<W>, data).map_or(Value::Undefined, Value::Function)
    }

    fn give(&self, value: &Value) -> sys::napi_value {
        if let Value::Function(function) = value {
            return *function;
        }
        let mut result = ptr::null_mut();
        // SAFETY: invariant 1; a failed call leaves `result` null, which JavaScript sees as undefined.
        unsafe {
            match *value {
                Value::Undefined | Value::Function(_) => sys::napi_get_undefined(self.env, &raw mut result),
                Value::Number(n) => sys::napi_create_double(self.env, n, &raw mut result),
                Value::Bool(b) => sys::napi_get_boolean(self.env, b, &raw mut result),
                Value::BigInt(n) => sys::napi_create_bigint_uint64(self.env, n, &raw mut result),
            };
        }
        result
    }

    fn throw(&self, thrown: &Thrown) -> sys::napi_value {
        let (mut code, mut message, mut error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let context = thrown.context.to_string();
        let text = |s: &str| (s.as_ptr().cast::<c_char>(), s.len() as isize);
        let ((code_at, code_len), (message_at, message_len)) = (text(thrown.code), text(&context));
        // SAFETY: invariant 1; the texts outlive the calls, which copy them.
        unsafe {
            sys::napi_create_string_utf8(self.env, code_at, code_len, &raw mut code);
            sys::napi_create_string_utf8(self.env, message_at, message_len, &raw mut message);
            sys::napi_create_error(self.env, code, message, &raw mut error);
            sys::napi_throw(self.env, error);
        }
        ptr::null_mut()
    }
}

/// # Safety
/// Called by N-API only, for functions that [`define`] made: invariants 1 and 2.
unsafe extern "C" fn trampoline(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut call = Call { env, args: [ptr::null_mut(); MAX_ARGS] };
    let (mut count, mut data) = (MAX_ARGS, ptr::null_mut());
    // SAFETY: invariant 1; `args` has room for `count` handles, missing ones become undefined.
    unsafe {
        sys::napi_get_cb_info(env, info, &raw mut count, call.args.as_mut_ptr(), ptr::null_mut(), &raw mut data);
    }
    // SAFETY: invariant 2.
    let entry = unsafe { &*data.cast::<Entry>() };
    match catch_unwind(AssertUnwindSafe(|| (entry.run)(&call))) {
        Ok(Ok(value)) => call.give(&value),
        Ok(Err(thrown)) => call.throw(&thrown),
        Err(panic) => call.throw(&Thrown::panic(&*panic)),
    }
}

/// What a function of [`Call::bound`] does.
pub(crate) trait SlotWork {
    fn work(slot: usize) -> Result<(), Thrown>;
}

/// # Safety
/// Called by N-API only, for functions that [`Call::bound`] made: invariant 1.
unsafe extern "C" fn on_slot<W: SlotWork>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut slot = ptr::null_mut::<c_void>();
    // SAFETY: invariant 1; only the data pointer is asked for. It is a number, and never followed.
    unsafe {
        sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &raw mut slot);
    }
    let thrown = match catch_unwind(|| W::work(slot.addr())) {
        Ok(Ok(())) => return ptr::null_mut(),
        Ok(Err(thrown)) => thrown,
        Err(panic) => Thrown::panic(&*panic),
    };
    Call { env, args: [ptr::null_mut(); MAX_ARGS] }.throw(&thrown)
}

/// Leaves the time in the cell of [`bind_clock`]: making a number would cost as much as all the rest of the call.
///
/// # Safety
/// Called by N-API only, for the functions that `bind_clock` made: invariant 1, and their data pointer is their cell.
unsafe extern "C" fn nanos(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut cell = ptr::null_mut();
    // SAFETY: invariant 1; only the data pointer is asked for.
    unsafe {
        sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &raw mut cell);
    }
    // SAFETY: `bind_clock` made this function with the address of an aligned cell of memory that it holds for ever; a
    // script may touch it at any time, so it is written by an atomic.
    unsafe { AtomicU64::from_ptr(cell.cast()) }
        .store((velox_engine::clock::nanos() as f64).to_bits(), Ordering::Relaxed);
    ptr::null_mut()
}

/// Gives a function that leaves `clock.nanos()`, as a double, in the first 8 bytes of a `Uint8Array` over shared memory.
pub(crate) fn bind_clock(call: &Call) -> Result<Value, Thrown> {
    let memory = call.hold(0, "clock")?;
    let cell = memory.first_word().ok_or_else(|| Thrown::value("cell", "8 bytes", "fewer"))?;
    Ok(make(call.env, c"nanos", nanos, cell.as_ptr().cast()).map_or(Value::Undefined, Value::Function))
}

/// A function as N-API calls it.
type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

fn make(env: sys::napi_env, name: &CStr, callback: Callback, data: *mut c_void) -> Option<sys::napi_value> {
    let (mut function, length) = (ptr::null_mut(), name.count_bytes() as isize);
    // SAFETY: called on the environment's thread, inside one of its calls; `name` is copied.
    let status =
        unsafe { sys::napi_create_function(env, name.as_ptr(), length, Some(callback), data, &raw mut function) };
    (status == sys::Status::napi_ok).then_some(function)
}

fn add(env: sys::napi_env, exports: sys::napi_value, entry: &'static Entry) -> bool {
    let data = ptr::from_ref(entry).cast_mut().cast::<c_void>();
    let Some(function) = make(env, entry.name, trampoline, data) else { return false };
    // SAFETY: called while the module is loaded, on the environment's thread, with live handles; the name is copied.
    unsafe { sys::napi_set_named_property(env, exports, entry.name.as_ptr(), function) == sys::Status::napi_ok }
}

/// Adds the functions to the module's exports; says whether all went in.
pub(crate) fn define(env: sys::napi_env, exports: sys::napi_value, tables: &[&'static [Entry]]) -> bool {
    tables.iter().copied().flatten().all(|entry| add(env, exports, entry))
}
