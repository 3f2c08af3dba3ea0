//! Templates of random messages beside a plain model: what each transaction says must be what the message says, with the
//! records' values in the holes.

mod common;

use common::{Declared, Meta, Resolved, address, compile, decode, decode_message, key};
use proptest::collection::vec;
use proptest::prelude::*;
use velox_solana::{
    Address, BuildContext, FieldType, Format, Hole, MOST_BYTES, Place, RecordField, RecordLayout, TemplateSpec, Tip,
    TransactionTemplate,
};

const SYSTEM: Address = Address::new([0; 32]);
const PLACEHOLDER: u8 = 200;

/// A record of 16 bytes: an amount, an index, a side.
fn layout() -> RecordLayout {
    let field = |name: &str, offset, holds| RecordField { name: name.into(), offset, holds };
    let side = FieldType::Names(vec!["bid".into(), "ask".into()]);
    let fields = vec![
        field("amount", 0, FieldType::signed(8)),
        field("market", 8, FieldType::unsigned(2)),
        field("side", 10, side),
    ];
    RecordLayout::new(16, fields).unwrap()
}

type Record = (i64, u16, u8);

fn bytes(&(amount, market, side): &Record) -> Vec<u8> {
    let mut bytes = amount.to_le_bytes().to_vec();
    bytes.extend(market.to_le_bytes());
    bytes.extend([side, 0, 0, 0, 0, 0]);
    bytes
}

/// Of an instruction the program's seed, those of its accounts and whether they are written, and its data.
type Raw = (u8, Vec<(u8, bool)>, Vec<u8>);

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Case {
    is_v0: bool,
    before: Vec<Raw>,
    /// Of the record's own instruction: whether the hole's account is written, other accounts, bytes around the number.
    is_written: bool,
    others: Vec<(u8, bool)>,
    around: (Vec<u8>, Vec<u8>),
    big_endian: bool,
    after: Vec<Raw>,
    /// Seeds of addresses: some are those of fixed accounts.
    table: Vec<u8>,
    records: Vec<Record>,
    packing: usize,
    tip: bool,
    names_system: bool,
}

fn instruction() -> impl Strategy<Value = Raw> {
    (20..24_u8, vec((1..20_u8, any::<bool>()), 0..4), vec(any::<u8>(), 0..20))
}

fn case() -> impl Strategy<Value = Case> {
    let record = (any::<i64>(), 0..4_u16, 0..2_u8);
    let own = (any::<bool>(), vec((1..20_u8, any::<bool>()), 0..4), (vec(any::<u8>(), 0..9), vec(any::<u8>(), 0..9)));
    let rest = (vec(30..40_u8, 4), vec(record, 1..9), 1..4_usize, any::<bool>(), any::<bool>());
    (any::<bool>(), vec(instruction(), 0..3), own, any::<bool>(), vec(instruction(), 0..2), rest).prop_map(
        |(is_v0, before, (is_written, others, around), big_endian, after, rest)| {
            let (table, records, packing, tip, names_system) = rest;
            Case {
                is_v0,
                before,
                is_written,
                others,
                around,
                big_endian,
                after,
                table,
                records,
                packing,
                tip,
                names_system,
            }
        },
    )
}

fn declared(accounts: &[(u8, bool)]) -> Vec<Declared> {
    accounts.iter().map(|&(seed, is_written)| (address(seed), false, is_written)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn transactions_say_what_the_message_says_with_the_records_in_the_holes(case in case()) {
        let payer = key(1);
        let number = [0; 8];
        let mut own = declared(&case.others);
        own.push((address(PLACEHOLDER), false, case.is_written));
        let data = [&case.around.0[..], &number, &case.around.1].concat();
        let fixed = |(program, accounts, data): &Raw| {
            (address(*program), declared(accounts), data.clone())
        };
        let mut instructions: Vec<_> = case.before.iter().map(fixed).collect();
        if case.names_system {
            // A nonce's advance has other data.
            instructions.push((SYSTEM, vec![(payer.address(), true, true)], vec![9, 9]));
        }
        let each = instructions.len()..instructions.len() + 1;
        instructions.push((address(50), own, data));
        instructions.extend(case.after.iter().map(fixed));
        let message = compile(case.is_v0, payer.address(), &instructions, &[]);
        let said = decode_message(&message);

        let table: Vec<_> = case.table.iter().map(|seed| address(*seed)).collect();
        let format = Format::Integer { bytes: 8, signed: true, big_endian: case.big_endian };
        let offset = case.around.0.len();
        let place = Place::Data { instruction: each.start, offset, format, spends: false };
        let market = Place::Account { placeholder: address(PLACEHOLDER), table: table.clone() };
        let holes = vec![
            Hole { name: "amount".into(), field: "amount".into(), place },
            Hole { name: "market".into(), field: "market".into(), place: market },
        ];
        let spec = TemplateSpec { holes, packing: case.packing, ..TemplateSpec::new(message, layout(), each.clone()) };
        let template = TransactionTemplate::new(spec, std::slice::from_ref(&payer)).unwrap();
        let tip = case.tip.then_some(Tip { lamports: 1_234, account: address(99) });
        let context = BuildContext { blockhash: address(77), compute_unit_price: 0, tip };
        let records: Vec<u8> = case.records.iter().flat_map(bytes).collect();
        let count = case.records.len().div_ceil(case.packing);
        prop_assert_eq!(template.transactions(case.records.len()), count);
        let signed = template.build_part(&records, &context, 0..count).unwrap();
        prop_assert_eq!(signed.len(), count);

        for (i, (transaction, records)) in signed.iter().zip(case.records.chunks(case.packing)).enumerate() {
            prop_assert!(transaction.wire.len() <= MOST_BYTES);
            prop_assert_eq!(transaction.records, records.len());
            prop_assert_eq!(&transaction.wire[1..65], &transaction.signature.bytes()[..]);
            let decoded = decode(&transaction.wire);
            prop_assert_eq!(decoded.blockhash, address(77));
            let mut once = decoded.accounts.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), decoded.accounts.len(), "an account twice");

            let mut expected: Vec<Resolved> = said.instructions[..each.start].to_vec();
            for (amount, market, _) in records {
                let mut own = said.instructions[each.start].clone();
                let number = if case.big_endian { amount.to_be_bytes() } else { amount.to_le_bytes() };
                own.data[offset..offset + 8].copy_from_slice(&number);
                own.accounts.last_mut().unwrap().address = Ok(table[usize::from(*market)]);
                expected.push(own);
            }
            expected.extend_from_slice(&said.instructions[each.end..]);
            let is_last = i + 1 == count;
            if let Some(tip) = tip.filter(|_| is_last) {
                let meta = |address, signs| Meta { address: Ok(address), signs, is_written: true };
                let accounts = vec![meta(payer.address(), true), meta(tip.account, false)];
                let data = [&2_u32.to_le_bytes()[..], &tip.lamports.to_le_bytes()].concat();
                expected.push(Resolved { program: SYSTEM, accounts, data });
            }
            prop_assert_eq!(transaction.tip_lamports, if is_last { tip.map_or(0, |tip| tip.lamports) } else { 0 });
            prop_assert_eq!(&decoded.instructions, &expected);
        }
    }

    #[test]
    fn no_bytes_make_a_template_panic(message in vec(any::<u8>(), 0..200), each in 0..3_usize) {
        let _ = TransactionTemplate::new(TemplateSpec::new(message, layout(), each..each + 1), &[key(1)]);
    }

    #[test]
    fn no_byte_of_a_message_makes_a_template_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let others = vec![(address(3), false, true), (address(4), false, false)];
        let mut message = compile(true, key(1).address(), &[(address(5), others, vec![1; 12])], &[]);
        let at = at.index(message.len());
        message[at] = byte;
        let spec = TemplateSpec::new(message, layout(), 0..1);
        if let Ok(template) = TransactionTemplate::new(spec, &[key(1)]) {
            let context = BuildContext { blockhash: address(7), compute_unit_price: 0, tip: None };
            let built = template.build_part(&[0; 32], &context, 0..2).unwrap();
            prop_assert!(built.iter().all(|transaction| transaction.wire.len() <= MOST_BYTES));
        }
    }
}
