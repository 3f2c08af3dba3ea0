//! The programs whose instructions a template has to know.

use crate::Address;
use crate::compact::Reader;

pub(crate) const SYSTEM: Address = Address::known("11111111111111111111111111111111");
pub(crate) const COMPUTE_BUDGET: Address = Address::known("ComputeBudget111111111111111111111111111111");
pub(crate) const MEMO: Address = Address::known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Programs that check signatures, each of which is paid for: the first byte of their data counts them.
const VERIFIERS: [Address; 3] = [
    Address::known("Ed25519SigVerify111111111111111111111111111"),
    Address::known("KeccakSecp256k11111111111111111111111111111"),
    Address::known("Secp256r1SigVerify1111111111111111111111111"),
];

/// Compute units of a whole transaction at most.
pub(crate) const MOST_UNITS: u64 = 1_400_000;

/// Compute units that an instruction of this program counts for, where the transaction has no limit of its own. The validator's
/// other programs count for as little; here they stay with too much.
///
/// Source: <https://github.com/solana-foundation/solana-improvement-documents/blob/main/proposals/0170-builtin-instruction-cu-limit.md>.
pub(crate) fn units_by_default(program: &Address) -> u64 {
    if [SYSTEM, COMPUTE_BUDGET].contains(program) { 3_000 } else { 200_000 }
}

/// The length of `SetComputeUnitPrice`: its tag, then micro-lamports a unit as `u64`.
pub(crate) const PRICE_BYTES: usize = 9;

const TRANSFER: u32 = 2;

/// What an instruction asks of the compute budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    Limit(u32),
    Price(u64),
    Other,
}

/// None for instructions of other programs.
pub(crate) fn budget(program: &Address, data: &[u8]) -> Option<Budget> {
    if *program != COMPUTE_BUDGET {
        return None;
    }
    let units = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).map(Budget::Limit);
    let price = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map(Budget::Price);
    let read = match data {
        [2, bytes @ ..] => units(bytes).ok(),
        [3, bytes @ ..] => price(bytes).ok(),
        _ => None,
    };
    Some(read.unwrap_or(Budget::Other))
}

pub(crate) fn set_limit(units: u32) -> Vec<u8> {
    [&[2][..], &units.to_le_bytes()].concat()
}

pub(crate) fn set_price(micro_lamports: u64) -> Vec<u8> {
    [&[3][..], &micro_lamports.to_le_bytes()].concat()
}

/// The data of a transfer by the system program.
pub(crate) fn transfer(lamports: u64) -> [u8; 12] {
    let mut data = [0; 12];
    data[..4].copy_from_slice(&TRANSFER.to_le_bytes());
    data[4..].copy_from_slice(&lamports.to_le_bytes());
    data
}

/// Lamports that an instruction of the system program takes from an account that signs.
pub(crate) fn spends(program: &Address, data: &[u8]) -> u64 {
    if *program != SYSTEM {
        return 0;
    }
    let mut reader = Reader::new(data);
    let amount = match reader.array().map(u32::from_le_bytes) {
        // CreateAccount, Transfer, WithdrawNonceAccount, TransferWithSeed.
        Some(0 | TRANSFER | 5 | 11) => reader.array(),
        // CreateAccountWithSeed: a base address and a seed come first.
        Some(3) => reader.array::<40>().and_then(|before| {
            let seed = u64::from_le_bytes(*before.last_chunk()?);
            reader.take(usize::try_from(seed).ok()?)?;
            reader.array()
        }),
        _ => None,
    };
    amount.map_or(0, u64::from_le_bytes)
}

/// Signatures that an instruction lets the network check.
pub(crate) fn verifies(program: &Address, data: &[u8]) -> u64 {
    if VERIFIERS.contains(program) { data.first().copied().unwrap_or(0).into() } else { 0 }
}

/// Whether an instruction makes a transaction live as long as a nonce, instead of a blockhash.
pub(crate) fn advances_nonce(program: &Address, data: &[u8]) -> bool {
    *program == SYSTEM && data == [4, 0, 0, 0]
}
