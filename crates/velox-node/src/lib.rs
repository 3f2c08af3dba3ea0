//! The N-API face of velox-engine: arguments in, handles out, errors as data; no logic.
#![expect(clippy::needless_pass_by_value, reason = "N-API hands arguments over by value")]

mod bench;
mod books;
mod builder;
mod carried;
mod chain;
mod clock;
mod doorbell;
mod environment;
mod errors;
mod feed;
mod host;
mod instrument;
mod l2_book;
mod lock;
mod memory;
mod metrics;
mod pipeline;
mod plan;
mod raw;
mod report;
mod scrape;
mod shared;
mod slots;
mod solana;

use napi::bindgen_prelude::{Env, JsValue, Object};
use napi_derive::napi;
use serde_json::json;
use velox_engine::record::Record;
use velox_engine::{Bundle, MarketEvent, Trade, Transaction};

/// Called once for each environment that loads the module.
///
/// # Errors
/// The runtime refuses a function.
#[napi(module_exports)]
pub fn init(exports: Object, env: Env) -> napi::Result<()> {
    environment::give(env);
    // The baseline of the clock starts here; nothing waits for it yet.
    velox_engine::clock::begin();
    env.add_env_cleanup_hook(env.raw(), pipeline::end_environment)?;
    let tables: [&[raw::Entry]; 9] = [
        &clock::FUNCTIONS,
        &books::FUNCTIONS,
        &l2_book::FUNCTIONS,
        &builder::FUNCTIONS,
        &feed::FUNCTIONS,
        &metrics::FUNCTIONS,
        &host::FUNCTIONS,
        &doorbell::FUNCTIONS,
        &pipeline::FUNCTIONS,
    ];
    if raw::define(env.raw(), exports.raw(), &tables) {
        Ok(())
    } else {
        Err(napi::Error::from_reason("expected to define the native functions, got a refusal of the runtime"))
    }
}

/// The version of this binary: JavaScript takes no other than its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Frees a slot.
#[napi(catch_unwind)]
pub fn release(slot: u32) {
    drop(slots::take(slot as usize));
    memory::sweep();
}

/// The layouts of the records, as JSON, for the test that holds both languages together.
#[napi(catch_unwind)]
pub fn record_layouts() -> String {
    fn layout<R: Record>() -> serde_json::Value {
        json!({ "name": R::NAME, "byteLength": size_of::<R>(), "fields": R::FIELDS })
    }
    json!([layout::<Transaction>(), layout::<MarketEvent>(), layout::<Trade>(), layout::<Bundle>()]).to_string()
}
