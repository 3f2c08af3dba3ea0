//! One transaction, from its records to its bytes.

use crate::compact::write_length;
use crate::message::{Cost, V0};
use crate::piece::{Account, Piece};
use crate::program::{Budget, PRICE_BYTES, SYSTEM, budget, set_price, transfer};
use crate::template::{LEAST_TIP_LAMPORTS, MOST_BYTES};
use crate::{Address, BuildContext, BuildError, Signature, SignedTransaction, Tip, TransactionTemplate};

/// Signs the transaction of these records; `first` is the number of the first one, for errors.
pub(crate) fn assemble(
    template: &TransactionTemplate,
    records: &[u8],
    first: usize,
    context: &BuildContext,
    tip: Option<Tip>,
) -> Result<SignedTransaction, BuildError> {
    let mut writer = Writer {
        template,
        added: Vec::new(),
        added_readonly: Vec::new(),
        in_holes: Vec::new(),
        out: Vec::with_capacity(MOST_BYTES),
        data: Vec::new(),
        cost: Cost::new(template.lamports),
    };
    let tipped = writer.gather(records, first, tip)?;
    let signatures = writer.start(&context.blockhash);
    writer.instructions(records, first, context, tipped.as_ref())?;
    let Writer { mut out, cost, .. } = writer;
    out.extend_from_slice(&template.lookups);
    let mut named = None;
    for (i, key) in template.keys.iter().enumerate() {
        let signature = key.sign(&out[signatures..]);
        out[1 + 64 * i..][..64].copy_from_slice(signature.bytes());
        named = named.or(Some(signature));
    }
    Ok(SignedTransaction {
        signature: named.unwrap_or(Signature::new([0; 64])),
        wire: out,
        records: records.len() / template.record().stride(),
        lamports: cost.lamports(template.signers),
        tip_lamports: tip.map_or(0, |tip| tip.lamports),
    })
}

/// The accounts of the tip's transfer, and how much.
struct Tipped {
    to: Account,
    system: Account,
    lamports: u64,
}

struct Writer<'a> {
    template: &'a TransactionTemplate,
    /// Accounts that this transaction has besides the message's own.
    added: Vec<Address>,
    added_readonly: Vec<Address>,
    /// What each hole has in each record, record by record.
    in_holes: Vec<Account>,
    out: Vec<u8>,
    /// Of the instruction that is being written.
    data: Vec<u8>,
    cost: Cost,
}

impl Writer<'_> {
    /// Finds a place for every account. Those to write come first: one that is also read must be among them.
    fn gather(&mut self, records: &[u8], first: usize, tip: Option<Tip>) -> Result<Option<Tipped>, BuildError> {
        let tipped = tip.map(|tip| self.tip(tip)).transpose()?;
        let holes = &self.template.accounts.holes;
        if holes.is_empty() {
            return Ok(tipped);
        }
        let stride = self.template.record().stride();
        self.in_holes = vec![Account::Fixed(0); holes.len() * (records.len() / stride)];
        for is_writable in [true, false] {
            for (i, record) in records.chunks_exact(stride).enumerate() {
                for (at, hole) in holes.iter().enumerate().filter(|(_, hole)| hole.is_writable == is_writable) {
                    let value = |(expected, got): (String, String)| BuildError::Value {
                        hole: hole.name.clone(),
                        record: first + i,
                        expected,
                        got,
                    };
                    let address = hole.address(record).map_err(value)?;
                    let account = if is_writable { self.writable(&address) } else { Some(self.readable(&address)) };
                    let expected = || "an account that the message doesn't have only to read".into();
                    let account = account.ok_or_else(|| value((expected(), address.to_string())))?;
                    self.in_holes[i * holes.len() + at] = account;
                }
            }
        }
        Ok(tipped)
    }

    fn tip(&mut self, tip: Tip) -> Result<Tipped, BuildError> {
        let wrong = |name, expected: &str, got: String| BuildError::Context { name, expected: expected.into(), got };
        if !self.template.has_tip {
            return Err(wrong("tip", "none, as the template keeps no room for one", tip.lamports.to_string()));
        }
        if tip.lamports < LEAST_TIP_LAMPORTS {
            return Err(wrong("tip.lamports", "at least 1000", tip.lamports.to_string()));
        }
        if self.template.behind_tables.contains(&tip.account) {
            let expected = "an account that is in no lookup table of the message";
            return Err(wrong("tip.account", expected, tip.account.to_string()));
        }
        let is_own = tip.account == self.template.fee_payer();
        let Some(to) = self.writable(&tip.account).filter(|_| !is_own) else {
            let expected = "an account that neither pays nor is only read";
            return Err(wrong("tip.account", expected, tip.account.to_string()));
        };
        Ok(Tipped { to, system: self.readable(&SYSTEM), lamports: tip.lamports })
    }

    /// None for an account that the message only reads.
    fn writable(&mut self, address: &Address) -> Option<Account> {
        let template = self.template;
        let fixed = &template.accounts.fixed;
        if let Some(at) = fixed.iter().position(|account| account == address) {
            let is_read = (template.signers - template.readonly_signers..template.signers).contains(&at);
            return (!is_read).then_some(Account::Fixed(at as u8));
        }
        let is_read = template.accounts.readonly.contains(address);
        (!is_read).then(|| Account::Added(place(&mut self.added, address)))
    }

    fn readable(&mut self, address: &Address) -> Account {
        let find = |list: &[Address]| list.iter().position(|account| account == address).map(|at| at as u8);
        let accounts = &self.template.accounts;
        find(&accounts.fixed)
            .map(Account::Fixed)
            .or_else(|| find(&accounts.readonly).map(Account::FixedReadonly))
            .or_else(|| find(&self.added).map(Account::Added))
            .unwrap_or_else(|| Account::AddedReadonly(place(&mut self.added_readonly, address)))
    }

    /// Writes what comes before the instructions; says where the message begins.
    fn start(&mut self, blockhash: &Address) -> usize {
        let Self { template, added, added_readonly, out, .. } = self;
        let (fixed, readonly) = (&template.accounts.fixed, &template.accounts.readonly);
        out.push(template.signers as u8);
        out.resize(1 + 64 * template.signers, 0);
        let start = out.len();
        if template.is_v0 {
            out.push(V0);
        }
        let readonly_others = readonly.len() + added_readonly.len();
        out.extend([template.signers as u8, template.readonly_signers as u8, readonly_others as u8]);
        let lists = [fixed, &*added, readonly, &*added_readonly];
        write_length(out, lists.iter().map(|list| list.len()).sum());
        for address in lists.into_iter().flatten() {
            out.extend_from_slice(address.bytes());
        }
        out.extend_from_slice(blockhash.bytes());
        start
    }

    fn instructions(
        &mut self,
        records: &[u8],
        first: usize,
        context: &BuildContext,
        tipped: Option<&Tipped>,
    ) -> Result<(), BuildError> {
        let template = self.template;
        if context.compute_unit_price > 0 && !template.has_price {
            return Err(BuildError::Context {
                name: "computeUnitPrice",
                expected: "0, as the message has no SetComputeUnitPrice instruction".into(),
                got: context.compute_unit_price.to_string(),
            });
        }
        let count = records.len() / template.record().stride();
        let fixed = template.before.len() + template.after.len() + usize::from(tipped.is_some());
        write_length(&mut self.out, fixed + count * template.each.len());
        self.fixed(&template.before, context);
        for (i, record) in records.chunks_exact(template.record().stride()).enumerate() {
            for piece in &template.each {
                self.data.clear();
                let mut at = 0;
                for hole in &piece.holes {
                    self.data.extend_from_slice(&piece.data[at..hole.offset]);
                    at = hole.offset + hole.width;
                    let spent = hole.write(record, &mut self.data).map_err(|(expected, got)| BuildError::Value {
                        hole: hole.name.clone(),
                        record: first + i,
                        expected,
                        got,
                    })?;
                    if piece.program_address != SYSTEM {
                        self.cost.moved = self.cost.moved.saturating_add(spent);
                    }
                }
                self.data.extend_from_slice(&piece.data[at..]);
                self.piece(piece, i);
            }
        }
        self.fixed(&template.after, context);
        if let Some(&Tipped { to, system, lamports }) = tipped {
            let accounts = [self.index(system), 2, 0, self.index(to)];
            self.out.extend(accounts);
            let data = transfer(lamports);
            self.out.push(data.len() as u8);
            self.out.extend(data);
            self.cost.tipped();
        }
        Ok(())
    }

    fn fixed(&mut self, pieces: &[Piece], context: &BuildContext) {
        for piece in pieces {
            self.data.clear();
            self.data.extend_from_slice(&piece.data);
            if let Some(Budget::Price(_)) = budget(&piece.program_address, &piece.data) {
                debug_assert_eq!(self.data.len(), PRICE_BYTES);
                self.data.copy_from_slice(&set_price(context.compute_unit_price));
            }
            self.piece(piece, 0);
        }
    }

    /// Writes an instruction of the record with this number, whose data is there.
    fn piece(&mut self, piece: &Piece, record: usize) {
        let holes = self.template.accounts.holes.len();
        let program = self.index(piece.program);
        self.out.push(program);
        write_length(&mut self.out, piece.accounts.len());
        for account in &piece.accounts {
            let account = match *account {
                Account::Hole(hole) => self.in_holes[record * holes + usize::from(hole)],
                account => account,
            };
            let index = self.index(account);
            self.out.push(index);
        }
        write_length(&mut self.out, self.data.len());
        self.out.extend_from_slice(&self.data);
        self.cost.count(&piece.program_address, &self.data);
    }

    /// Where the account stands in this transaction.
    fn index(&self, account: Account) -> u8 {
        let lengths =
            [&self.template.accounts.fixed, &self.added, &self.template.accounts.readonly, &self.added_readonly]
                .map(|list| list.len() as u8);
        let [fixed, added, readonly, added_readonly] = lengths;
        match account {
            Account::Fixed(i) => i,
            Account::Added(i) => fixed + i,
            Account::FixedReadonly(i) => fixed + added + i,
            Account::AddedReadonly(i) => fixed + added + readonly + i,
            Account::LookedUp(i) => fixed + added + readonly + added_readonly + i,
            Account::Hole(_) => unreachable!("a hole is looked up for its record first"),
        }
    }
}

fn place(list: &mut Vec<Address>, address: &Address) -> u8 {
    let at = list.iter().position(|account| account == address).unwrap_or_else(|| {
        list.push(*address);
        list.len() - 1
    });
    at as u8
}
