//! Solana: keys that stay here, templates, and their transactions, which are made on a thread of the runtime's pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, BigInt, Env, Task, Uint8Array, Unknown};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::json;
use velox_engine::solana::{
    Address, BuildContext, FieldType, Format, Hole, Keypair, Place, RecordField, RecordLayout, SignedTransaction,
    TemplateSpec, Tip, TransactionTemplate, memo_template, message_fees as fees_of, message_lamports as lamports_of,
};

use crate::environment;
use crate::errors::{Result, Thrown};
use crate::raw::copied;
use crate::slots::{self, Object, of};

/// Reads a key file.
#[napi(catch_unwind)]
pub fn signer_read(path: String) -> Result<u32> {
    let key = Keypair::read(path).map_err(Thrown::from)?;
    Ok(slots::put(Object::Signer(Arc::new(key))))
}

/// Reads a key from the runtime's environment: `process.env`.
#[napi(catch_unwind)]
pub fn signer_from_env(env: Env, name: String) -> Result<u32> {
    let read = |name: &str| environment::variable(env, name).map(String::into_bytes);
    let key = Keypair::from_variable(&name, read).map_err(Thrown::from)?;
    Ok(slots::put(Object::Signer(Arc::new(key))))
}

/// The account that a key signs for.
#[napi(catch_unwind)]
pub fn signer_address(signer: u32) -> Result<String> {
    Ok(key(signer)?.address().to_string())
}

fn key(slot: u32) -> std::result::Result<Arc<Keypair>, Thrown> {
    slots::with(slot as usize, of!(Signer), |key| Ok(Arc::clone(key)))
}

/// What a template is made of, beside its message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TemplatePlan {
    signers: Vec<u32>,
    stride: usize,
    fields: Vec<FieldPlan>,
    packing: usize,
    tip: bool,
    lamports: String,
    #[serde(default)]
    each: (usize, usize),
    #[serde(default)]
    holes: Vec<HolePlan>,
    #[serde(default)]
    looked_up: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldPlan {
    name: String,
    offset: usize,
    kind: String,
    max_bytes: Option<usize>,
    names: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct HolePlan {
    name: String,
    field: String,
    #[serde(flatten)]
    place: PlacePlan,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PlacePlan {
    Account {
        placeholder: String,
        table: Vec<String>,
    },
    Data {
        instruction: usize,
        offset: usize,
        format: FormatPlan,
        #[serde(default)]
        spends: bool,
    },
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum FormatPlan {
    Integer { bytes: usize, signed: bool, big_endian: bool },
    Byte { index: usize },
    Text,
    Choice { table: Vec<Vec<u8>> },
}

impl FieldPlan {
    /// None for what no transaction can hold.
    fn field(self) -> Option<RecordField> {
        let names = |names: &[&str]| FieldType::Names(names.iter().copied().map(String::from).collect());
        let holds = match &self.kind[..] {
            "u8" => FieldType::unsigned(1),
            "u16" => FieldType::unsigned(2),
            "u32" => FieldType::unsigned(4),
            "u64" | "nanos" => FieldType::unsigned(8),
            "i8" => FieldType::signed(1),
            "i16" => FieldType::signed(2),
            "i32" => FieldType::signed(4),
            "i64" => FieldType::signed(8),
            "bool" => names(&["false", "true"]),
            "side" => names(&["bid", "ask"]),
            "names" => FieldType::Names(self.names?),
            "text" => FieldType::Text(self.max_bytes?),
            _ => return None,
        };
        Some(RecordField { name: self.name, offset: self.offset, holds })
    }
}

fn address(field: &str, text: &str) -> std::result::Result<Address, Thrown> {
    text.parse().map_err(|_| Thrown::value(field, "32 bytes in base58", format!("{text:?}")))
}

impl HolePlan {
    fn hole(self) -> std::result::Result<Hole, Thrown> {
        let place = match self.place {
            PlacePlan::Account { placeholder, table } => Place::Account {
                placeholder: address(&self.name, &placeholder)?,
                table: table.iter().map(|text| address(&self.name, text)).collect::<std::result::Result<_, _>>()?,
            },
            PlacePlan::Data { instruction, offset, format, spends } => {
                let format = match format {
                    FormatPlan::Integer { bytes, signed, big_endian } => Format::Integer { bytes, signed, big_endian },
                    FormatPlan::Byte { index } => Format::Byte(index),
                    FormatPlan::Text => Format::Text,
                    FormatPlan::Choice { table } => Format::Choice(table),
                };
                Place::Data { instruction, offset, format, spends }
            }
        };
        Ok(Hole { name: self.name, field: self.field, place })
    }
}

fn template(plan: &str, message: Option<Vec<u8>>) -> std::result::Result<TransactionTemplate, Thrown> {
    let plan: TemplatePlan = serde_json::from_str(plan)
        .map_err(|error| Thrown::value("template", "a plan as the package writes it", error.to_string()))?;
    let keys = plan.signers.iter().map(|slot| key(*slot)).collect::<std::result::Result<Vec<_>, _>>()?;
    let fields = plan.fields.into_iter().filter_map(FieldPlan::field).collect();
    let record = RecordLayout::new(plan.stride, fields)?;
    let Some(message) = message else {
        let signer = keys.first().ok_or_else(|| Thrown::value("signers", "one", "none"))?;
        return Ok(memo_template(signer, record, plan.packing, plan.tip)?);
    };
    let spec = TemplateSpec {
        message,
        record,
        each: plan.each.0..plan.each.1,
        holes: plan.holes.into_iter().map(HolePlan::hole).collect::<std::result::Result<_, _>>()?,
        packing: plan.packing,
        tip: plan.tip,
        lamports: plan.lamports.parse().map_err(|_| Thrown::value("lamports", "0 to 2^64 - 1", plan.lamports))?,
        looked_up: plan
            .looked_up
            .iter()
            .map(|text| address("lookedUp", text))
            .collect::<std::result::Result<_, _>>()?,
    };
    Ok(TransactionTemplate::new(spec, &keys)?)
}

/// Makes a template of a compiled message; without one, that of memos. The plan is JSON.
#[napi(catch_unwind)]
pub fn template_new(plan: String, message: Option<Unknown<'_>>) -> Result<u32> {
    let message = message.map(|message| copied("message", message)).transpose()?;
    let made = template(&plan, message)?;
    Ok(slots::put(Object::Template(Arc::new(made))))
}

/// The account that pays.
#[napi(catch_unwind)]
pub fn template_fee_payer(template: u32) -> Result<String> {
    Ok(slots::with(template as usize, of!(Template), |template| Ok(template.fee_payer().to_string()))?)
}

/// What a compiled message can spend at most.
#[napi(catch_unwind)]
pub fn message_lamports(message: Unknown<'_>) -> Result<BigInt> {
    Ok(lamports_of(&copied("message", message)?).map_err(Thrown::from)?.into())
}

/// What a transaction of a compiled message pays in fees.
#[napi(catch_unwind)]
pub fn message_fees(message: Unknown<'_>) -> Result<BigInt> {
    Ok(fees_of(&copied("message", message)?).map_err(Thrown::from)?.into())
}

/// Transactions in the making.
pub struct Building {
    template: Arc<TransactionTemplate>,
    records: Vec<u8>,
    context: BuildContext,
    part: (u32, u32),
}

impl Task for Building {
    type Output = Vec<u8>;
    type JsValue = Uint8Array;

    fn compute(&mut self) -> napi::Result<Vec<u8>> {
        let part = self.part.0 as usize..self.part.1 as usize;
        let build = || {
            let built = self.template.build_part(&self.records, &self.context, part);
            built.map(|signed| packed(&signed)).map_err(Thrown::from)
        };
        // Nothing else would catch a panic on this thread.
        let built = catch_unwind(AssertUnwindSafe(build)).map_err(|panic| Thrown::panic(&*panic));
        Ok(match built.and_then(|built| built) {
            Ok(packed) => packed,
            Err(Thrown { code, context }) => {
                let mut out = vec![1];
                out.extend(json!({ "code": code, "context": context }).to_string().into_bytes());
                out
            }
        })
    }

    fn resolve(&mut self, _: Env, output: Vec<u8>) -> napi::Result<Uint8Array> {
        Ok(output.into())
    }
}

/// The layout that `src/solana/signed.ts` reads: a zero and the count as `u32` at 4, then an entry of 40 bytes for each
/// transaction, then the wire bytes, base64 and base58 that the entries point to.
fn packed(signed: &[SignedTransaction]) -> Vec<u8> {
    const ENTRY: usize = 40;
    let mut out = vec![0; 8 + ENTRY * signed.len()];
    out[4..8].copy_from_slice(&(signed.len() as u32).to_le_bytes());
    for (i, transaction) in signed.iter().enumerate() {
        let (at, start) = (8 + ENTRY * i, out.len());
        let (base64, signature) = (transaction.base64(), transaction.signature.to_string());
        let lengths = [start, transaction.wire.len(), base64.len(), signature.len(), transaction.records, 0];
        for (word, length) in out[at..].chunks_exact_mut(4).zip(lengths) {
            word.copy_from_slice(&(length as u32).to_le_bytes());
        }
        out[at + 24..at + 32].copy_from_slice(&transaction.lamports.to_le_bytes());
        out[at + 32..at + 40].copy_from_slice(&transaction.tip_lamports.to_le_bytes());
        out.extend_from_slice(&transaction.wire);
        out.extend_from_slice(base64.as_bytes());
        out.extend_from_slice(signature.as_bytes());
    }
    out
}

fn lamports(field: &str, value: &BigInt) -> std::result::Result<u64, Thrown> {
    match value.get_u64() {
        (false, value, true) => Ok(value),
        _ => Err(Thrown::value(field, "0 to 2^64 - 1", "another")),
    }
}

/// Builds and signs the transactions `from` to `to` of these records, off this thread. The answer is bytes: what
/// [`packed`] makes, or a 1 and an error as JSON.
#[napi(catch_unwind)]
#[allow(
    clippy::too_many_arguments,
    reason = "an object of them would cost a conversion of each; the macro writes it again"
)]
pub fn template_build(
    template: u32,
    records: Unknown<'_>,
    blockhash: String,
    compute_unit_price: BigInt,
    tip_lamports: BigInt,
    tip_account: Option<String>,
    from: u32,
    to: u32,
) -> Result<AsyncTask<Building>> {
    let tip = match tip_account {
        None => None,
        Some(account) => {
            Some(Tip { lamports: lamports("tip.lamports", &tip_lamports)?, account: address("tip.account", &account)? })
        }
    };
    let context = BuildContext {
        blockhash: address("blockhash", &blockhash)?,
        compute_unit_price: lamports("computeUnitPrice", &compute_unit_price)?,
        tip,
    };
    let template = slots::with(template as usize, of!(Template), |template| Ok(Arc::clone(template)))?;
    Ok(AsyncTask::new(Building { template, records: copied("records", records)?, context, part: (from, to) }))
}
