//! A compiled message, taken apart and checked.
//!
//! Source: <https://solana.com/docs/core/transactions> and, for version 0, the address lookup tables' proposal.

use crate::compact::Reader;
use crate::program::{Budget, MOST_UNITS, SYSTEM, advances_nonce, budget, spends, units_by_default, verifies};
use crate::{Address, TemplateError};

/// How many accounts a transaction may lock, those of lookup tables included.
const MOST_ACCOUNTS: usize = 64;
/// How many instructions the network runs in one transaction.
const MOST_INSTRUCTIONS: usize = 64;
/// The first byte of a message with a version, less the version.
const VERSIONED: u8 = 0x80;
pub(crate) const V0: u8 = VERSIONED;
/// Of one signature.
pub(crate) const LAMPORTS_PER_SIGNATURE: u64 = 5_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub program: u8,
    pub accounts: Vec<u8>,
    pub data: Vec<u8>,
}

/// A message of version 0 or of none, whose indices all hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub is_v0: bool,
    /// The first accounts sign; the last of these are only read.
    pub signers: usize,
    pub readonly_signers: usize,
    /// The last accounts are only read.
    pub readonly_others: usize,
    pub accounts: Vec<Address>,
    pub blockhash: [u8; 32],
    pub instructions: Vec<Instruction>,
    /// The lookup tables as they lie on the wire; empty without version 0.
    pub lookups: Vec<u8>,
    /// How many accounts come from them.
    pub looked_up: usize,
}

fn wrong(expected: &'static str, got: impl Into<String>) -> TemplateError {
    TemplateError::Message { expected, got: got.into() }
}

impl Message {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TemplateError> {
        let mut reader = Reader::new(bytes);
        let message = Self::read(&mut reader)?;
        if !reader.rest().is_empty() {
            return Err(wrong("the message's end", format!("{} more bytes", reader.rest().len())));
        }
        message.check()?;
        Ok(message)
    }

    fn read(reader: &mut Reader) -> Result<Self, TemplateError> {
        let length = reader.rest().len();
        let ends = || wrong("a whole message", format!("{length} bytes, which end within it"));
        let first = reader.byte().ok_or_else(ends)?;
        let is_v0 = first == V0;
        if first & VERSIONED != 0 && !is_v0 {
            return Err(wrong("a message of version 0 or a legacy one", format!("version {}", first & !VERSIONED)));
        }
        let signers = if is_v0 { reader.byte().ok_or_else(ends)? } else { first };
        let [readonly_signers, readonly_others] = reader.array().ok_or_else(ends)?;
        let count = reader.length().ok_or_else(ends)?;
        let accounts = (0..count).map(|_| reader.array().map(Address::new)).collect::<Option<Vec<_>>>();
        let accounts = accounts.ok_or_else(ends)?;
        let blockhash = reader.array().ok_or_else(ends)?;
        let count = reader.length().ok_or_else(ends)?;
        let instructions = (0..count).map(|_| instruction(reader)).collect::<Option<Vec<_>>>().ok_or_else(ends)?;
        let before = reader.rest();
        let start = reader.position();
        let looked_up = if is_v0 { lookups(reader).ok_or_else(ends)? } else { 0 };
        Ok(Self {
            is_v0,
            signers: signers.into(),
            readonly_signers: readonly_signers.into(),
            readonly_others: readonly_others.into(),
            accounts,
            blockhash,
            instructions,
            lookups: before[..reader.position() - start].to_vec(),
            looked_up,
        })
    }

    fn check(&self) -> Result<(), TemplateError> {
        let count = self.accounts.len();
        if self.signers == 0 || self.readonly_signers >= self.signers {
            let got = format!("{} signers, {} of them only read", self.signers, self.readonly_signers);
            return Err(wrong("a fee payer that signs and pays", got));
        }
        if self.signers + self.readonly_others > count {
            let got = format!("{count} for {} signers and {} only read", self.signers, self.readonly_others);
            return Err(wrong("as many accounts as its header counts", got));
        }
        if count + self.looked_up > MOST_ACCOUNTS {
            return Err(wrong("at most 64 accounts", (count + self.looked_up).to_string()));
        }
        if let Some(again) = self.accounts.iter().enumerate().find(|(i, a)| self.accounts[..*i].contains(a)) {
            return Err(wrong("each account once", format!("{} twice", again.1)));
        }
        if self.instructions.len() > MOST_INSTRUCTIONS {
            return Err(wrong("at most 64 instructions", self.instructions.len().to_string()));
        }
        for instruction in &self.instructions {
            let program = usize::from(instruction.program);
            if program == 0 || program >= count {
                let got = format!("account {program} of {count}");
                return Err(wrong("programs that are accounts of its own, and not the fee payer", got));
            }
            if let Some(miss) = instruction.accounts.iter().find(|i| usize::from(**i) >= count + self.looked_up) {
                return Err(wrong("instructions of accounts that there are", format!("account {miss} of {count}")));
            }
        }
        Ok(())
    }

    pub(crate) fn program(&self, instruction: &Instruction) -> &Address {
        &self.accounts[usize::from(instruction.program)]
    }

    /// Whether it lives as long as a nonce.
    pub(crate) fn has_nonce(&self) -> bool {
        self.instructions.first().is_some_and(|first| advances_nonce(self.program(first), &first.data))
    }
}

/// What a compiled message can spend at most: fees, and what its instructions of the system program move, tips too.
///
/// # Errors
/// [`TemplateError`] for bytes that are no message of version 0 and no legacy one.
pub fn message_lamports(message: &[u8]) -> Result<u64, TemplateError> {
    let (cost, signers) = cost_of(message)?;
    Ok(cost.lamports(signers))
}

/// What a transaction of a compiled message pays in fees, by its signatures and by the units that it asks for. That is all that it
/// costs where it fails.
///
/// # Errors
/// [`TemplateError`] for bytes that are no message of version 0 and no legacy one.
pub fn message_fees(message: &[u8]) -> Result<u64, TemplateError> {
    let (cost, signers) = cost_of(message)?;
    Ok(cost.fees(signers))
}

fn cost_of(message: &[u8]) -> Result<(Cost, usize), TemplateError> {
    let message = Message::parse(message)?;
    let mut cost = Cost::default();
    for instruction in &message.instructions {
        cost.count(message.program(instruction), &instruction.data);
    }
    Ok((cost, message.signers))
}

fn instruction(reader: &mut Reader) -> Option<Instruction> {
    let program = reader.byte()?;
    let count = reader.length()?;
    let accounts = reader.take(count)?.to_vec();
    let length = reader.length()?;
    Some(Instruction { program, accounts, data: reader.take(length)?.to_vec() })
}

/// Reads lookup tables; says how many accounts they give.
fn lookups(reader: &mut Reader) -> Option<usize> {
    let tables = reader.length()?;
    let mut count = 0;
    for _ in 0..tables {
        reader.take(32)?;
        for _ in 0..2 {
            let indices = reader.length()?;
            reader.take(indices)?;
            count += indices;
        }
    }
    Some(count)
}

/// What a transaction can spend at most, counted instruction by instruction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Moved by the system program, or declared.
    pub moved: u64,
    verified: u64,
    /// Where there is no limit.
    units: u64,
    limit: Option<u64>,
    price: u64,
}

impl Cost {
    /// With what was declared.
    pub(crate) fn new(moved: u64) -> Self {
        Self { moved, ..Self::default() }
    }

    pub(crate) fn count(&mut self, program: &Address, data: &[u8]) {
        self.units += units_by_default(program);
        match budget(program, data) {
            Some(Budget::Limit(units)) => self.limit = Some(units.into()),
            Some(Budget::Price(price)) => self.price = price,
            Some(Budget::Other) => {}
            None => {
                self.verified += verifies(program, data);
                self.moved = self.moved.saturating_add(spends(program, data));
            }
        }
    }

    /// A tip is not counted, but the units that its transfer may take are.
    pub(crate) fn tipped(&mut self) {
        self.units += units_by_default(&SYSTEM);
    }

    pub(crate) fn lamports(&self, signers: usize) -> u64 {
        self.moved.saturating_add(self.fees(signers))
    }

    fn fees(&self, signers: usize) -> u64 {
        let units = self.limit.unwrap_or(self.units).min(MOST_UNITS);
        let priority = (u128::from(self.price) * u128::from(units)).div_ceil(1_000_000);
        let signatures = (signers as u64 + self.verified) * LAMPORTS_PER_SIGNATURE;
        signatures.saturating_add(u64::try_from(priority).unwrap_or(u64::MAX))
    }
}
