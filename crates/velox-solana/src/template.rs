use std::ops::Range;
use std::sync::Arc;

use velox_record::Record;

use crate::assemble::assemble;
use crate::compact::length_bytes;
use crate::hole::{DataHole, refused};
use crate::message::Message;
use crate::piece::{Accounts, Piece};
use crate::program::{Budget, SYSTEM, budget};
use crate::{Address, BuildError, Hole, Keypair, Place, RecordLayout, SignedTransaction, TemplateError};

/// How many bytes a transaction may have on the wire.
pub const MOST_BYTES: usize = 1_232;
/// The least tip that a block engine takes, in lamports.
pub const LEAST_TIP_LAMPORTS: u64 = 1_000;

const MOST_ACCOUNTS: usize = 64;
const MOST_INSTRUCTIONS: usize = 64;
/// Of a transfer: a program, two accounts and twelve bytes, each after its count.
const TIP_BYTES: usize = 17;

/// What a template is made of.
#[derive(Debug, Clone)]
pub struct TemplateSpec {
    /// A compiled message, of version 0 or legacy. Its blockhash is put in anew each time; so is the price of a
    /// `SetComputeUnitPrice` instruction, where it has one.
    pub message: Vec<u8>,
    /// What the records look like.
    pub record: RecordLayout,
    /// Which of its instructions are a record's own, by number; they are repeated for each record.
    pub each: Range<usize>,
    /// Where the record's fields go.
    pub holes: Vec<Hole>,
    /// How many records one transaction holds. The last one may hold fewer.
    pub packing: usize,
    /// Whether room is kept for a tip.
    pub tip: bool,
    /// Lamports that a transaction may spend besides fees and what the system program moves.
    pub lamports: u64,
    /// Addresses that its lookup tables stand for, where they are known: a tip account must not be one.
    pub looked_up: Vec<Address>,
}

impl TemplateSpec {
    /// One record a transaction, with room for a tip, and no holes yet.
    pub fn new(message: Vec<u8>, record: RecordLayout, each: Range<usize>) -> Self {
        Self { message, record, each, holes: Vec::new(), packing: 1, tip: true, lamports: 0, looked_up: Vec::new() }
    }
}

/// A tip to a block engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// At least [`LEAST_TIP_LAMPORTS`].
    pub lamports: u64,
    /// One of the engine's tip accounts.
    pub account: Address,
}

/// What changes between two builds of the same records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildContext {
    /// A recent one.
    pub blockhash: Address,
    /// Micro-lamports a unit; 0 for a message that has no `SetComputeUnitPrice` instruction.
    pub compute_unit_price: u64,
    /// Goes into the last transaction, as its last instruction.
    pub tip: Option<Tip>,
}

/// Makes signed transactions of records: puts their fields into the holes of a message and signs. Shared by threads as it is.
#[derive(Debug)]
pub struct TransactionTemplate {
    pub(crate) is_v0: bool,
    pub(crate) signers: usize,
    pub(crate) readonly_signers: usize,
    pub(crate) accounts: Accounts,
    pub(crate) lookups: Vec<u8>,
    looked_up: usize,
    pub(crate) before: Vec<Piece>,
    pub(crate) each: Vec<Piece>,
    pub(crate) after: Vec<Piece>,
    pub(crate) has_price: bool,
    pub(crate) lamports: u64,
    pub(crate) behind_tables: Vec<Address>,
    record: RecordLayout,
    packing: usize,
    pub(crate) has_tip: bool,
    pub(crate) keys: Vec<Arc<Keypair>>,
}

impl TransactionTemplate {
    /// Takes a message apart and checks that every transaction made of it will be whole.
    ///
    /// `signers`: the keys of all accounts that sign, in any order.
    ///
    /// # Errors
    /// [`TemplateError`]: bytes that are no message, a message that lives by a nonce, a hole that misses or overlaps, a key
    /// that is missing, more records than fit.
    pub fn new(spec: TemplateSpec, signers: &[Arc<Keypair>]) -> Result<Self, TemplateError> {
        let message = Message::parse(&spec.message)?;
        if message.has_nonce() {
            let expected = "a hole for a fresh blockhash";
            return Err(TemplateError::Message { expected, got: "a message that lives by a durable nonce".into() });
        }
        let option = |name, expected: &str, got: String| TemplateError::Option { name, expected: expected.into(), got };
        let count = message.instructions.len();
        if spec.each.start >= spec.each.end || spec.each.end > count {
            let expected = format!("at least one of the message's {count} instructions");
            return Err(option("each", &expected, format!("{:?}", spec.each)));
        }
        if spec.packing == 0 {
            return Err(option("packing", "at least 1", "0".into()));
        }
        for (i, hole) in spec.holes.iter().enumerate() {
            if spec.holes[..i].iter().any(|before| before.name == hole.name) {
                return Err(refused(&hole.name, "each hole once", "it twice"));
            }
        }
        let keys = keys_of(&message, signers)?;
        let accounts = Accounts::new(&message, &spec.holes, &spec.record)?;
        let mut before: Vec<_> = message.instructions.iter().map(|i| accounts.piece(&message, i)).collect();
        let holes = &spec.holes;
        let price_count = before.iter().filter(|piece| matches!(budget_of(piece), Some(Budget::Price(_)))).count();
        if price_count > 1 {
            let expected = "at most one SetComputeUnitPrice instruction";
            return Err(TemplateError::Message { expected, got: price_count.to_string() });
        }
        put_holes(&mut before, holes, &spec)?;
        let after = before.split_off(spec.each.end);
        let each = before.split_off(spec.each.start);
        accounts.check_use(&each, &[&before, &after])?;
        if each.iter().any(|piece| budget_of(piece).is_some()) {
            let expected = "instructions that can be repeated";
            return Err(option("each", expected, "one of the compute budget".into()));
        }
        let template = Self {
            is_v0: message.is_v0,
            signers: message.signers,
            readonly_signers: message.readonly_signers,
            accounts,
            lookups: message.lookups,
            looked_up: message.looked_up,
            before,
            each,
            after,
            has_price: price_count == 1,
            lamports: spec.lamports,
            behind_tables: spec.looked_up,
            record: spec.record,
            packing: spec.packing,
            has_tip: spec.tip,
            keys,
        };
        template.check_room()?;
        Ok(template)
    }

    fn check_room(&self) -> Result<(), TemplateError> {
        let fits = (1..=MOST_INSTRUCTIONS).take_while(|records| self.has_room(*records)).count();
        if self.packing <= fits {
            return Ok(());
        }
        let bytes = self.most_bytes(self.packing.min(MOST_BYTES));
        if bytes <= MOST_BYTES {
            let expected = format!("at most {fits} records, as there may be 64 accounts and 64 instructions");
            return Err(TemplateError::Option { name: "packing", expected, got: self.packing.to_string() });
        }
        Err(TemplateError::TooLong { records: self.packing, bytes, fits })
    }

    fn has_room(&self, records: usize) -> bool {
        self.most_bytes(records) <= MOST_BYTES
            && self.most_accounts(records) + self.looked_up <= MOST_ACCOUNTS
            && self.most_instructions(records) <= MOST_INSTRUCTIONS
    }

    fn most_accounts(&self, records: usize) -> usize {
        let for_tip = if self.has_tip { 1 + usize::from(!self.knows(&SYSTEM)) } else { 0 };
        self.accounts.most(records) + for_tip
    }

    fn most_instructions(&self, records: usize) -> usize {
        self.before.len() + self.after.len() + records * self.each.len() + usize::from(self.has_tip)
    }

    fn knows(&self, address: &Address) -> bool {
        self.accounts.fixed.contains(address) || self.accounts.readonly.contains(address)
    }

    /// The longest that a transaction of so many records can become, in bytes.
    fn most_bytes(&self, records: usize) -> usize {
        let bytes = |pieces: &[Piece]| pieces.iter().map(Piece::most_bytes).sum::<usize>();
        let accounts = self.most_accounts(records);
        let instructions = self.most_instructions(records);
        let signatures = 1 + 64 * self.signers;
        let header = 3 + usize::from(self.is_v0) + 32;
        let listed = length_bytes(accounts) + 32 * accounts + length_bytes(instructions) + self.lookups.len();
        let fixed = bytes(&self.before) + bytes(&self.after) + if self.has_tip { TIP_BYTES } else { 0 };
        signatures + header + listed + fixed + records * bytes(&self.each)
    }

    /// The account that pays the fees.
    pub fn fee_payer(&self) -> Address {
        self.accounts.fixed[0]
    }

    /// How many records one transaction holds.
    pub fn packing(&self) -> usize {
        self.packing
    }

    /// What the records look like.
    pub fn record(&self) -> &RecordLayout {
        &self.record
    }

    /// How many transactions so many records become.
    pub fn transactions(&self, records: usize) -> usize {
        records.div_ceil(self.packing)
    }

    /// Signed transactions of these records, in their order. Two records that are equal make the same transaction twice,
    /// which the network takes once. Some 30 µs a transaction, nearly all of it for the signature.
    ///
    /// # Errors
    /// [`BuildError`]: a value that doesn't fit its hole, a tip that nobody takes. Nothing is built then.
    pub fn build<R: Record>(
        &self,
        records: &[R],
        context: &BuildContext,
    ) -> Result<Vec<SignedTransaction>, BuildError> {
        if self.record.stride() != 8 * R::WORDS {
            let expected = format!("records of {} bytes", self.record.stride());
            return Err(BuildError::Context {
                name: "records",
                expected,
                got: format!("{} of {}", R::NAME, 8 * R::WORDS),
            });
        }
        let mut words = vec![0; R::WORDS * records.len()];
        for (record, words) in records.iter().zip(words.chunks_exact_mut(R::WORDS)) {
            record.to_words(words);
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.build_part(&bytes, context, 0..self.transactions(records.len()))
    }

    /// Those of the transactions that these records become that are in `part`, so that several threads can share the
    /// signing. The records lie one after another, as [`RecordLayout::stride`] says.
    ///
    /// # Errors
    /// As [`Self::build`]; bytes that are no whole records.
    pub fn build_part(
        &self,
        records: &[u8],
        context: &BuildContext,
        part: Range<usize>,
    ) -> Result<Vec<SignedTransaction>, BuildError> {
        let stride = self.record.stride();
        if !records.len().is_multiple_of(stride) {
            let expected = format!("whole records of {stride} bytes");
            return Err(BuildError::Context { name: "records", expected, got: format!("{} bytes", records.len()) });
        }
        let transactions = self.transactions(records.len() / stride);
        (part.start.min(transactions)..part.end.min(transactions))
            .map(|i| {
                let first = i * self.packing;
                let end = (first + self.packing).min(records.len() / stride);
                let tip = context.tip.filter(|_| i + 1 == transactions);
                assemble(self, &records[first * stride..end * stride], first, context, tip)
            })
            .collect()
    }
}

fn budget_of(piece: &Piece) -> Option<Budget> {
    budget(&piece.program_address, &piece.data)
}

/// The keys in the order of the accounts that sign.
fn keys_of(message: &Message, signers: &[Arc<Keypair>]) -> Result<Vec<Arc<Keypair>>, TemplateError> {
    let wanted = &message.accounts[..message.signers];
    let key = |account: &Address| {
        let found = signers.iter().find(|key| key.address() == *account);
        found.map(Arc::clone).ok_or_else(|| TemplateError::Option {
            name: "signers",
            expected: format!("the key of {account}, which signs"),
            got: "none of it".into(),
        })
    };
    let keys = wanted.iter().map(key).collect::<Result<_, _>>()?;
    if let Some(idle) = signers.iter().find(|key| !wanted.contains(&key.address())) {
        let expected = "keys of accounts that sign".into();
        return Err(TemplateError::Option { name: "signers", expected, got: idle.address().to_string() });
    }
    Ok(keys)
}

/// Puts the holes in data where they belong.
fn put_holes(pieces: &mut [Piece], holes: &[Hole], spec: &TemplateSpec) -> Result<(), TemplateError> {
    for hole in holes {
        let Place::Data { instruction, offset, ref format, spends } = hole.place else { continue };
        if !spec.each.contains(&instruction) {
            let expected = format!("one of a record's own instructions, {:?}", spec.each);
            return Err(refused(&hole.name, expected, instruction.to_string()));
        }
        let piece = &mut pieces[instruction];
        let made = DataHole::new(hole, &spec.record, offset, format, spends)?;
        let end = offset.checked_add(made.width).filter(|end| *end <= piece.data.len());
        let Some(end) = end else {
            let got = format!("{} bytes from {offset} on", made.width);
            return Err(refused(&hole.name, format!("a place within {} bytes of data", piece.data.len()), got));
        };
        let meets = |other: &&DataHole| {
            let other_end = other.offset + other.width;
            (offset < other_end && other.offset < end) || (offset == other.offset && made.width == other.width)
        };
        if let Some(other) = piece.holes.iter().find(meets) {
            let got = format!("one that overlaps {}", other.name);
            return Err(refused(&hole.name, "a place of its own", got));
        }
        let at = piece.holes.partition_point(|other| other.offset <= offset);
        piece.holes.insert(at, made);
    }
    Ok(())
}
