//! A second, plain reading of the wire: what a transaction's bytes say, account by account.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;

use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
use velox_solana::{Address, Keypair};

pub fn key(seed: u8) -> Arc<Keypair> {
    Arc::new(Keypair::from_bytes(&SigningKey::from_bytes(&[seed; 32]).to_keypair_bytes()).unwrap())
}

pub fn address(seed: u8) -> Address {
    Address::new([seed; 32])
}

/// An account as an instruction sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// None for one behind a lookup table, which is told by its number there.
    pub address: Result<Address, usize>,
    pub signs: bool,
    pub is_written: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub program: Address,
    pub accounts: Vec<Meta>,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    pub accounts: Vec<Address>,
    pub blockhash: Address,
    pub instructions: Vec<Resolved>,
    pub lookups: Vec<u8>,
}

fn length(bytes: &[u8], at: &mut usize) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn taken<'a>(bytes: &'a [u8], at: &mut usize, count: usize) -> &'a [u8] {
    *at += count;
    &bytes[*at - count..*at]
}

fn taken_address(bytes: &[u8], at: &mut usize) -> Address {
    Address::new(taken(bytes, at, 32).try_into().unwrap())
}

/// Decodes a transaction after it has checked every signature.
pub fn decode(wire: &[u8]) -> Decoded {
    let mut at = 0;
    let count = length(wire, &mut at);
    let signatures: Vec<[u8; 64]> = (0..count).map(|_| taken(wire, &mut at, 64).try_into().unwrap()).collect();
    let message = &wire[at..];
    let decoded = decode_message(message);
    for (signature, account) in signatures.iter().zip(&decoded.accounts) {
        let key = VerifyingKey::from_bytes(account.bytes()).unwrap();
        key.verify(message, &Signature::from_bytes(signature)).unwrap();
    }
    decoded
}

pub fn decode_message(bytes: &[u8]) -> Decoded {
    let mut at = 0;
    let is_v0 = bytes[0] == 0x80;
    at += usize::from(is_v0);
    let [signers, readonly_signers, readonly_others] = <[u8; 3]>::try_from(taken(bytes, &mut at, 3)).unwrap();
    let (signers, readonly_signers, readonly_others) =
        (usize::from(signers), usize::from(readonly_signers), usize::from(readonly_others));
    let count = length(bytes, &mut at);
    let accounts: Vec<_> = (0..count).map(|_| taken_address(bytes, &mut at)).collect();
    let blockhash = taken_address(bytes, &mut at);
    let instruction_count = length(bytes, &mut at);
    let mut raw = Vec::new();
    for _ in 0..instruction_count {
        let program = usize::from(bytes[at]);
        at += 1;
        let accounts = length(bytes, &mut at);
        let accounts = taken(bytes, &mut at, accounts).to_vec();
        let data = length(bytes, &mut at);
        raw.push((program, accounts, taken(bytes, &mut at, data).to_vec()));
    }
    let meta = |index: &u8| {
        let index = usize::from(*index);
        Meta {
            address: accounts.get(index).copied().ok_or(index.saturating_sub(count)),
            signs: index < signers,
            is_written: if index < signers {
                index < signers - readonly_signers
            } else {
                index < count - readonly_others
            },
        }
    };
    let instructions = raw
        .iter()
        .map(|(program, accounts, data)| Resolved {
            program: crate::common::at(&accounts_of(bytes), *program),
            accounts: accounts.iter().map(meta).collect(),
            data: data.clone(),
        })
        .collect();
    Decoded { accounts: accounts.clone(), blockhash, instructions, lookups: bytes[at..].to_vec() }
}

fn accounts_of(bytes: &[u8]) -> Vec<Address> {
    let mut at = 3 + usize::from(bytes[0] == 0x80);
    let count = length(bytes, &mut at);
    (0..count).map(|_| taken_address(bytes, &mut at)).collect()
}

fn at(accounts: &[Address], index: usize) -> Address {
    accounts[index]
}

/// What an account of a message is: its address, whether it signs, whether it is written.
pub type Declared = (Address, bool, bool);

fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// An instruction: its program, its accounts, its data.
pub type DeclaredInstruction = (Address, Vec<Declared>, Vec<u8>);

/// A plain compiler: accounts by what they are, in the order in which they come; the first one pays.
pub fn compile(is_v0: bool, payer: Address, instructions: &[DeclaredInstruction], lookups: &[u8]) -> Vec<u8> {
    let mut all: Vec<Declared> = vec![(payer, true, true)];
    for (program, accounts, _) in instructions {
        for &(address, signs, is_written) in accounts.iter().chain([&(*program, false, false)]) {
            match all.iter_mut().find(|known| known.0 == address) {
                Some(known) => *known = (address, known.1 | signs, known.2 | is_written),
                None => all.push((address, signs, is_written)),
            }
        }
    }
    all[1..].sort_by_key(|&(_, signs, is_written)| (!signs, !is_written));
    let count = |f: fn(&&Declared) -> bool| all.iter().filter(f).count() as u8;
    let mut out = if is_v0 { vec![0x80] } else { Vec::new() };
    out.extend([count(|a| a.1), count(|a| a.1 && !a.2), count(|a| !a.1 && !a.2)]);
    write_length(&mut out, all.len());
    for account in &all {
        out.extend_from_slice(account.0.bytes());
    }
    out.extend([9; 32]);
    write_length(&mut out, instructions.len());
    let index = |address: &Address| all.iter().position(|account| account.0 == *address).unwrap() as u8;
    for (program, accounts, data) in instructions {
        out.push(index(program));
        write_length(&mut out, accounts.len());
        out.extend(accounts.iter().map(|account| index(&account.0)));
        write_length(&mut out, data.len());
        out.extend_from_slice(data);
    }
    if is_v0 {
        if lookups.is_empty() { out.push(0) } else { out.extend_from_slice(lookups) }
    }
    out
}
