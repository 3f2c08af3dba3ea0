//! Instructions of a template, whose accounts are found when a transaction is put together.

use crate::compact::length_bytes;
use crate::hole::{AccountHole, DataHole, refused};
use crate::message::{Instruction, Message};
use crate::{Address, Hole, Place, RecordLayout, TemplateError};

/// An account, apart from where it stands: that depends on how many others come in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// One of the message's own that sign or are written.
    Fixed(u8),
    /// One of the message's own that are only read.
    FixedReadonly(u8),
    /// One that this transaction has besides, to write.
    Added(u8),
    /// One that this transaction has besides, only to read.
    AddedReadonly(u8),
    LookedUp(u8),
    /// The one that this hole has in this record.
    Hole(u8),
}

#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub program: Account,
    pub program_address: Address,
    pub accounts: Vec<Account>,
    pub data: Vec<u8>,
    /// In the order of the data.
    pub holes: Vec<DataHole>,
}

impl Piece {
    /// The most bytes that it takes.
    pub(crate) fn most_bytes(&self) -> usize {
        let grows = self.holes.iter().fold(self.data.len(), |bytes, hole| bytes - hole.width + hole.most());
        1 + length_bytes(self.accounts.len()) + self.accounts.len() + length_bytes(grows) + grows
    }
}

/// The accounts of a message: its own, and those that holes replace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    /// Those that sign, and those that are written.
    pub fixed: Vec<Address>,
    pub readonly: Vec<Address>,
    pub holes: Vec<AccountHole>,
    /// By their number in the message.
    named: Vec<Account>,
}

impl Accounts {
    pub(crate) fn new(message: &Message, holes: &[Hole], layout: &RecordLayout) -> Result<Self, TemplateError> {
        let mut accounts = Self::default();
        let written = message.accounts.len() - message.readonly_others;
        let mut placeholders = Vec::new();
        for hole in holes {
            let Place::Account { placeholder, table } = &hole.place else { continue };
            let found = message.accounts.iter().position(|account| account == placeholder);
            let at = found.filter(|at| *at >= message.signers).ok_or_else(|| {
                refused(&hole.name, "an account of the message that doesn't sign", placeholder.to_string())
            })?;
            if placeholders.contains(&at) {
                return Err(refused(&hole.name, "an account that no other hole is for", placeholder.to_string()));
            }
            placeholders.push(at);
            accounts.holes.push(AccountHole::new(hole, layout, table, at < written)?);
        }
        for (i, account) in message.accounts.iter().enumerate() {
            let named = if let Some(hole) = placeholders.iter().position(|at| *at == i) {
                Account::Hole(hole as u8)
            } else {
                let (list, name): (_, fn(u8) -> Account) = if i < written {
                    (&mut accounts.fixed, Account::Fixed)
                } else {
                    (&mut accounts.readonly, Account::FixedReadonly)
                };
                list.push(*account);
                name(list.len() as u8 - 1)
            };
            accounts.named.push(named);
        }
        Ok(accounts)
    }

    fn at(&self, index: u8) -> Account {
        let beyond = || Account::LookedUp(index - self.named.len() as u8);
        self.named.get(usize::from(index)).copied().unwrap_or_else(beyond)
    }

    pub(crate) fn piece(&self, message: &Message, instruction: &Instruction) -> Piece {
        Piece {
            program: self.at(instruction.program),
            program_address: *message.program(instruction),
            accounts: instruction.accounts.iter().map(|index| self.at(*index)).collect(),
            data: instruction.data.clone(),
            holes: Vec::new(),
        }
    }

    /// Each hole is an account of each record, and of nothing else.
    pub(crate) fn check_use(&self, each: &[Piece], others: &[&[Piece]]) -> Result<(), TemplateError> {
        for (i, hole) in self.holes.iter().enumerate() {
            let account = Account::Hole(i as u8);
            let has = |pieces: &[Piece]| pieces.iter().any(|piece| piece.accounts.contains(&account));
            let runs = |pieces: &[Piece]| pieces.iter().any(|piece| piece.program == account);
            let expected = "an account of the record's own instructions, and of no others";
            if runs(each) || others.iter().any(|pieces| runs(pieces)) {
                return Err(refused(&hole.name, expected, "a program"));
            }
            if !has(each) || others.iter().any(|pieces| has(pieces)) {
                return Err(refused(&hole.name, expected, "one of others"));
            }
        }
        Ok(())
    }

    /// How many accounts `records` records have at most, without lookup tables.
    pub(crate) fn most(&self, records: usize) -> usize {
        let of = |hole: &AccountHole| if hole.table.is_empty() { records } else { records.min(hole.table.len()) };
        self.fixed.len() + self.readonly.len() + self.holes.iter().map(of).sum::<usize>()
    }
}
