//! The built-in template: a record as a memo.

use std::sync::Arc;

use crate::compact::write_length;
use crate::program::{COMPUTE_BUDGET, MEMO, set_limit, set_price};
use crate::{Format, Hole, Keypair, Place, RecordLayout, TemplateError, TemplateSpec, TransactionTemplate};

/// The program's documentation has 566 bytes in 200,000 units: <https://spl.solana.com/memo>.
const UNITS_PER_BYTE: u32 = 360;
const UNITS_PER_MEMO: u32 = 2_000;
/// What the instructions of the compute budget and a tip take.
const UNITS_BESIDE: u32 = 1_000;

/// A template that writes each record as a memo (program `MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr`): its fields in their
/// order with commas in between, numbers in decimal and names as they are called, such as `7,618003,100,bid,1,0`. The
/// message is of version 0, with a unit limit and a unit price.
///
/// # Errors
/// [`TemplateError`]: more records than fit, a field of bytes.
pub fn memo_template(
    signer: &Arc<Keypair>,
    record: RecordLayout,
    packing: usize,
    tip: bool,
) -> Result<TransactionTemplate, TemplateError> {
    let fields = record.fields();
    let most_text = fields.iter().map(|field| field.holds.most_text() + 1).sum::<usize>();
    let units = u32::try_from(most_text).unwrap_or(u32::MAX).saturating_mul(UNITS_PER_BYTE) + UNITS_PER_MEMO;
    let units = u32::try_from(packing).unwrap_or(u32::MAX).saturating_mul(units).saturating_add(UNITS_BESIDE);
    let commas = vec![b','; fields.len().saturating_sub(1)];

    // Version 0; one account signs, two programs are only read.
    let mut message = vec![0x80, 1, 0, 2, 3];
    for account in [signer.address(), COMPUTE_BUDGET, MEMO] {
        message.extend_from_slice(account.bytes());
    }
    message.extend([0; 32]);
    message.push(3);
    for (program, data) in [(1, set_limit(units)), (1, set_price(0)), (2, commas)] {
        message.extend([program, 0]);
        write_length(&mut message, data.len());
        message.extend(data);
    }
    message.push(0);

    let hole = |(i, name): (usize, &str)| Hole {
        name: name.into(),
        field: name.into(),
        place: Place::Data { instruction: 2, offset: i, format: Format::Text, spends: false },
    };
    let holes = fields.iter().map(|field| &field.name[..]).enumerate().map(hole).collect();
    let spec = TemplateSpec { holes, packing, tip, ..TemplateSpec::new(message, record, 2..3) };
    TransactionTemplate::new(spec, &[Arc::clone(signer)])
}
