//! The environment as the runtime has it. A script may write `process.env` at any time, and so libc's table: only the
//! runtime reads that without a race.

use napi::bindgen_prelude::{Env, JsObjectValue, Object};

/// A variable of `process.env`.
pub(crate) fn variable(env: Env, name: &str) -> Option<String> {
    let process: Object = env.get_global().ok()?.get_named_property("process").ok()?;
    let variables: Object = process.get_named_property("env").ok()?;
    variables.get(name).ok()?
}

/// Hands on what the engine looks at, as it is when the process loads this module first.
pub(crate) fn give(env: Env) {
    velox_engine::sys::give_variables(|name| variable(env, name).map(Into::into));
}
