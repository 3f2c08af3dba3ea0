//! What a template refuses, and what it does in corners.

mod common;

use common::{address, compile, decode, key};
use velox_record::Transaction;
use velox_solana::{
    Address, BuildContext, BuildError, FieldType, Format, Hole, MOST_BYTES, Place, RecordField, RecordLayout,
    Signature, SignedTransaction, TemplateError, TemplateSpec, Tip, TransactionTemplate, bundle_id, memo_template,
    message_fees, message_lamports,
};

const SYSTEM: Address = Address::new([0; 32]);
const NO_TIP: BuildContext = BuildContext { blockhash: Address::new([7; 32]), compute_unit_price: 0, tip: None };

fn data(name: &str, field: &str, offset: usize, format: Format) -> Hole {
    let place = Place::Data { instruction: 0, offset, format, spends: false };
    Hole { name: name.into(), field: field.into(), place }
}

/// A message of one instruction with 16 bytes, of an account to read and one to write.
fn message() -> Vec<u8> {
    let accounts = vec![(address(3), false, true), (address(4), false, false)];
    compile(true, key(1).address(), &[(address(5), accounts, vec![0; 16])], &[])
}

fn spec(holes: Vec<Hole>) -> TemplateSpec {
    TemplateSpec { holes, ..TemplateSpec::new(message(), RecordLayout::transaction(), 0..1) }
}

fn refused(spec: TemplateSpec) -> String {
    TransactionTemplate::new(spec, &[key(1)]).unwrap_err().to_string()
}

fn order(id: u64, price: i64, size: u32) -> Transaction {
    Transaction::new(id, price, size, 1, 9)
}

#[test]
fn holes_that_overlap_miss_or_repeat_are_refused_by_name() {
    let (id, size) = (data("id", "id", 0, Format::unsigned(8)), data("size", "size", 7, Format::unsigned(4)));
    assert_eq!(
        refused(spec(vec![id.clone(), size])),
        "the hole size: expected a place of its own, got one that overlaps id"
    );
    assert_eq!(refused(spec(vec![id.clone(), id])), "the hole id: expected each hole once, got it twice");
    let late = data("id", "id", 9, Format::unsigned(8));
    assert_eq!(
        refused(spec(vec![late])),
        "the hole id: expected a place within 16 bytes of data, got 8 bytes from 9 on"
    );
    let unknown = refused(spec(vec![data("qty", "qty", 0, Format::unsigned(8))]));
    assert!(unknown.starts_with("the hole qty: expected one of the record's fields id, price"), "{unknown}");
    let mut elsewhere = spec(vec![data("id", "id", 0, Format::unsigned(8))]);
    elsewhere.each = 1..2;
    assert_eq!(refused(elsewhere), "each: expected at least one of the message's 1 instructions, got 1..2");
}

#[test]
fn a_message_that_lives_by_a_nonce_is_refused() {
    let advance = (SYSTEM, vec![(address(8), false, true), (key(1).address(), true, false)], vec![4, 0, 0, 0]);
    let order = (address(5), vec![], vec![0; 8]);
    let message = compile(true, key(1).address(), &[advance, order], &[]);
    let text = refused(TemplateSpec::new(message, RecordLayout::transaction(), 1..2));
    assert_eq!(text, "message: expected a hole for a fresh blockhash, got a message that lives by a durable nonce");
}

#[test]
fn messages_that_are_none_are_refused() {
    let whole = message();
    let of = |message: Vec<u8>| refused(TemplateSpec::new(message, RecordLayout::transaction(), 0..1));
    let versioned = [&[0x81][..], &whole[1..]].concat();
    assert_eq!(of(versioned), "message: expected a message of version 0 or a legacy one, got version 1");
    assert!(of(whole[..whole.len() - 1].to_vec()).contains("which end within it"));
    assert_eq!(of([&whole[..], &[0]].concat()), "message: expected the message's end, got 1 more bytes");
    let mut twice = whole.clone();
    twice.copy_within(5..37, 37);
    assert!(of(twice).contains("expected each account once"));
    let mut unsigned = whole;
    unsigned[1] = 0;
    assert!(of(unsigned).contains("a fee payer that signs and pays"));
}

#[test]
fn the_keys_of_all_that_sign_are_needed_and_no_others() {
    let spec = spec(Vec::new());
    let none = TransactionTemplate::new(spec.clone(), &[]).unwrap_err().to_string();
    assert!(none.contains(&format!("expected the key of {}, which signs", key(1).address())), "{none}");
    let idle = TransactionTemplate::new(spec, &[key(1), key(2)]).unwrap_err().to_string();
    assert!(idle.contains("expected keys of accounts that sign"), "{idle}");

    let second = vec![(key(2).address(), true, false), (key(3).address(), true, true)];
    let message = compile(false, key(1).address(), &[(address(5), second, vec![0; 8])], &[]);
    let spec = TemplateSpec {
        holes: vec![data("id", "id", 0, Format::unsigned(8))],
        ..TemplateSpec::new(message, RecordLayout::transaction(), 0..1)
    };
    let template = TransactionTemplate::new(spec, &[key(3), key(2), key(1)]).unwrap();
    let signed = template.build(&[order(1, 2, 3)], &NO_TIP).unwrap();
    decode(&signed[0].wire);
    assert_eq!((signed[0].wire[0], signed[0].lamports), (3, 15_000));
}

#[test]
fn a_value_that_does_not_fit_names_hole_value_and_range() {
    let narrow =
        TransactionTemplate::new(spec(vec![data("price", "price", 0, Format::unsigned(4))]), &[key(1)]).unwrap();
    for (price, got) in [(-1, "-1"), (1 << 32, "4294967296")] {
        let error = narrow.build(&[order(0, 5, 1), order(1, price, 1)], &NO_TIP).unwrap_err();
        let expected = "0 to 4294967295".into();
        assert_eq!(error, BuildError::Value { hole: "price".into(), record: 1, expected, got: got.into() });
    }
    assert!(narrow.build(&[order(0, 0xffff_ffff, 1)], &NO_TIP).is_ok());
}

#[test]
fn bytes_of_a_number_and_choices_are_written_as_declared() {
    let holes = vec![
        data("id", "id", 0, Format::Byte(0)),
        data("price", "price", 1, Format::Byte(1)),
        data("size", "size", 2, Format::Byte(0)),
        data("side", "side", 3, Format::Choice(vec![vec![0], vec![1]])),
        data("wide", "price", 4, Format::Integer { bytes: 8, signed: true, big_endian: true }),
    ];
    let template = TransactionTemplate::new(spec(holes), &[key(1)]).unwrap();
    let signed = template.build(&[order(0x1234, -0x5679, 0xabcd)], &NO_TIP).unwrap();
    let said = decode(&signed[0].wire).instructions[0].data.clone();
    assert_eq!(said[..4], [0x34, 0xa9, 0xcd, 1]);
    assert_eq!(said[4..12], (-0x5679_i64).to_be_bytes());
    let mut other = Transaction::new(1, 1, 1, 5, 1);
    other.side = 5;
    assert!(
        template.build(&[other], &NO_TIP).unwrap_err().to_string().contains("the hole side: expected 0 to 1, got 5")
    );
}

#[test]
fn tips_are_at_least_the_least_and_only_in_the_last_transaction() {
    let template = memo_template(&key(1), RecordLayout::transaction(), 2, true).unwrap();
    let with = |lamports, account| BuildContext { tip: Some(Tip { lamports, account }), ..NO_TIP };
    let records: Vec<_> = (0..5).map(|id| order(id, 1, 1)).collect();
    let error = |context| template.build(&records, &context).unwrap_err().to_string();
    assert_eq!(error(with(999, address(9))), "tip.lamports: expected at least 1000, got 999");
    assert!(error(with(1_000, key(1).address())).starts_with("tip.account: expected an account that neither pays"));
    let memo = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr".parse().unwrap();
    assert!(error(with(1_000, memo)).starts_with("tip.account: expected an account that neither pays"));

    let signed = template.build(&records, &with(1_000, address(9))).unwrap();
    assert_eq!(signed.iter().map(|t| (t.records, t.tip_lamports)).collect::<Vec<_>>(), [(2, 0), (2, 0), (1, 1_000)]);
    let without = memo_template(&key(1), RecordLayout::transaction(), 2, false).unwrap();
    assert!(
        without.build(&records, &with(1_000, address(9))).unwrap_err().to_string().starts_with("tip: expected none")
    );

    let behind = TemplateSpec { looked_up: vec![address(9)], ..spec(Vec::new()) };
    let template = TransactionTemplate::new(behind, &[key(1)]).unwrap();
    let text = template.build(&records[..1], &with(1_000, address(9))).unwrap_err().to_string();
    assert!(text.contains("an account that is in no lookup table"), "{text}");
}

#[test]
fn lookup_tables_stay_what_they_are_and_the_tip_is_no_part_of_them() {
    // One table of which account 3 is written and account 9 read: numbers 4 and 5 of the message.
    let lookups = [&[1][..], &[88; 32], &[1, 3, 1, 9]].concat();
    let accounts = vec![(address(3), false, true), (address(4), false, false)];
    let mut message = compile(true, key(1).address(), &[(address(5), accounts, vec![0; 8])], &lookups);
    let at = message.len() - lookups.len() - 12;
    assert_eq!(message[at], 2);
    message[at + 1..at + 3].copy_from_slice(&[4, 5]);
    let holes = vec![data("id", "id", 0, Format::unsigned(8))];
    let spec = TemplateSpec { holes, ..TemplateSpec::new(message, RecordLayout::transaction(), 0..1) };
    let template = TransactionTemplate::new(spec, &[key(1)]).unwrap();
    let tip = Some(Tip { lamports: 5_000, account: address(9) });
    let signed = template.build(&[order(6, 1, 1)], &BuildContext { tip, ..NO_TIP }).unwrap();
    let said = decode(&signed[0].wire);
    assert_eq!(said.lookups, lookups);
    let own = &said.instructions[0].accounts;
    assert_eq!([own[0].address, own[1].address], [Err(0), Err(1)]);
    assert_eq!(said.instructions[1].accounts[1].address, Ok(address(9)));
}

#[test]
fn packing_is_as_much_as_fits_and_says_so() {
    let layout = RecordLayout::transaction;
    let Err(TemplateError::TooLong { records: 40, bytes, fits }) = memo_template(&key(1), layout(), 40, true) else {
        panic!("40 memos don't fit");
    };
    assert!(bytes > MOST_BYTES && fits > 8, "{bytes} {fits}");
    assert!(memo_template(&key(1), layout(), fits + 1, true).is_err());
    let template = memo_template(&key(1), layout(), fits, true).unwrap();
    // The longest that there are.
    let long = |id| Transaction::new(u64::MAX - id, i64::MIN, u32::MAX, 0, u64::MAX).with_instrument(u16::MAX);
    let records: Vec<_> = (0..fits as u64).map(long).collect();
    let tip = Some(Tip { lamports: 1_000, account: address(9) });
    let signed = template.build(&records, &BuildContext { tip, ..NO_TIP }).unwrap();
    assert_eq!(signed.len(), 1);
    assert!(signed[0].wire.len() <= MOST_BYTES && signed[0].wire.len() + 84 > MOST_BYTES, "{}", signed[0].wire.len());
    assert!(
        memo_template(&key(1), layout(), 0, true).unwrap_err().to_string().starts_with("packing: expected at least 1")
    );
}

#[test]
fn a_memo_is_the_record_as_a_line() {
    let template = memo_template(&key(1), RecordLayout::transaction(), 1, true).unwrap();
    let record = Transaction::new(7, -618_003, 100, 0, 1_723_118_400_000_000_000).with_instrument(3);
    let signed = template.build(&[record], &BuildContext { compute_unit_price: 1_000_000, ..NO_TIP }).unwrap();
    let said = decode(&signed[0].wire);
    assert_eq!(said.instructions[2].data, b"7,-618003,100,bid,3,1723118400000000000");
    assert_eq!(said.instructions[1].data, [&[3][..], &1_000_000_u64.to_le_bytes()].concat());
    // One lamport a unit.
    let [_, limit @ ..] = &said.instructions[0].data[..] else { panic!("a unit limit") };
    let limit = u32::from_le_bytes(limit.try_into().unwrap());
    assert_eq!(signed[0].lamports, 5_000 + u64::from(limit));
}

#[test]
fn what_is_spent_counts_fees_transfers_and_declared_amounts() {
    let to = vec![(key(1).address(), true, true), (address(3), false, true)];
    let transfer = [&2_u32.to_le_bytes()[..], &500_u64.to_le_bytes()].concat();
    let own = [&2_u32.to_le_bytes()[..], &[0; 8]].concat();
    let message = compile(
        false,
        key(1).address(),
        &[(SYSTEM, to.clone(), transfer), (SYSTEM, to, own), (address(5), vec![], vec![0; 8])],
        &[],
    );
    // The signature, the fixed transfer, nothing of the empty one.
    assert_eq!(message_lamports(&message).unwrap(), 5_500);
    assert_eq!(message_fees(&message).unwrap(), 5_000);
    let hole = |name: &str, instruction, offset| Hole {
        name: name.into(),
        field: "size".into(),
        place: Place::Data { instruction, offset, format: Format::unsigned(8), spends: true },
    };
    let spec = TemplateSpec {
        holes: vec![hole("moved", 1, 4), hole("declared", 2, 0)],
        packing: 2,
        lamports: 70_000,
        ..TemplateSpec::new(message, RecordLayout::transaction(), 1..3)
    };
    let template = TransactionTemplate::new(spec, &[key(1)]).unwrap();
    let signed = template.build(&[order(0, 0, 20), order(1, 0, 300)], &NO_TIP).unwrap();
    assert_eq!(signed[0].lamports, 5_000 + 500 + 70_000 + 2 * (20 + 300));
    let priced = BuildContext { compute_unit_price: 1, ..NO_TIP };
    let error = template.build(&[order(0, 0, 20)], &priced).unwrap_err().to_string();
    assert!(error.starts_with("computeUnitPrice: expected 0, as the message has no SetComputeUnitPrice"), "{error}");
}

#[test]
fn without_a_limit_the_validators_own_programs_count_for_few_units() {
    let budget = "ComputeBudget111111111111111111111111111111".parse().unwrap();
    let price = [&[3][..], &1_000_000_u64.to_le_bytes()].concat();
    let transfer = [&2_u32.to_le_bytes()[..], &500_u64.to_le_bytes()].concat();
    let to = vec![(key(1).address(), true, true), (address(3), false, true)];
    let of = |others: usize| {
        let mut instructions = vec![(budget, vec![], price.clone()), (SYSTEM, to.clone(), transfer.clone())];
        instructions.extend((0..others).map(|_| (address(5), vec![], vec![])));
        message_fees(&compile(true, key(1).address(), &instructions, &[])).unwrap()
    };
    // One lamport a unit: 3,000 of the compute budget's, as many of the transfer.
    assert_eq!(of(0), 5_000 + 6_000);
    assert_eq!(of(2), 5_000 + 6_000 + 400_000);
    assert_eq!(of(9), 5_000 + 1_400_000);
}

#[test]
fn what_counts_as_spent_is_put_in_whole() {
    for format in [Format::Byte(0), Format::Text, Format::Choice(vec![vec![1]])] {
        let mut hole = data("size", "size", 0, format);
        let Place::Data { spends, .. } = &mut hole.place else { panic!("a hole in data") };
        *spends = true;
        let error = refused(spec(vec![hole]));
        assert_eq!(error, "the hole size: expected a whole number, as it counts as spent, got size in another form");
    }
}

#[test]
fn what_is_taken_from_a_nonce_account_is_spent() {
    let accounts = vec![(address(3), false, true), (address(4), false, true)];
    let withdraw = [&5_u32.to_le_bytes()[..], &700_u64.to_le_bytes()].concat();
    let message = compile(false, key(1).address(), &[(SYSTEM, accounts, withdraw)], &[]);
    assert_eq!(message_lamports(&message).unwrap(), 5_700);
}

#[test]
fn addresses_are_the_records_own_and_each_is_there_once() {
    let field = |name: &str, offset, holds| RecordField { name: name.into(), offset, holds };
    let fields = vec![field("mint", 0, FieldType::Bytes(32)), field("owner", 32, FieldType::Text(44))];
    let layout = RecordLayout::new(80, fields).unwrap();
    let accounts = vec![(address(201), false, true), (address(202), false, false), (address(3), false, true)];
    let message = compile(true, key(1).address(), &[(address(5), accounts, vec![1])], &[]);
    let hole = |field: &str, seed| Hole {
        name: field.into(),
        field: field.into(),
        place: Place::Account { placeholder: address(seed), table: Vec::new() },
    };
    let holes = vec![hole("mint", 201), hole("owner", 202)];
    let spec = TemplateSpec { holes, packing: 3, ..TemplateSpec::new(message, layout, 0..1) };
    let template = TransactionTemplate::new(spec, &[key(1)]).unwrap();
    let record = |mint: Address, owner: Address| {
        let text = owner.to_string();
        let mut bytes = mint.bytes().to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes.resize(80, 0);
        bytes
    };
    // The owner of the second record is the mint of the third; the mint of the second one is the message's own account.
    let records =
        [record(address(60), address(61)), record(address(3), address(62)), record(address(62), address(60))].concat();
    let signed: Vec<SignedTransaction> = template.build_part(&records, &NO_TIP, 0..1).unwrap();
    let said = decode(&signed[0].wire);
    let seen: Vec<_> = said.instructions.iter().map(|i| (i.accounts[0].address, i.accounts[1].address)).collect();
    assert_eq!(
        seen,
        [(Ok(address(60)), Ok(address(61))), (Ok(address(3)), Ok(address(62))), (Ok(address(62)), Ok(address(60))),]
    );
    let once = [key(1).address(), address(3), address(60), address(62), address(5), address(61)];
    assert_eq!(said.accounts, once);
    // A program can't become an account that is written.
    let error = template.build_part(&record(address(5), address(61)), &NO_TIP, 0..1).unwrap_err().to_string();
    assert!(error.contains("the hole mint: expected an account that the message doesn't have only to read"), "{error}");
    let mut wrong = record(address(60), address(61));
    wrong[34] = b'0';
    let error = template.build_part(&wrong, &NO_TIP, 0..1).unwrap_err().to_string();
    assert!(error.contains("the hole owner: expected an address in base58"), "{error}");
    wrong[32] = 45;
    let error = template.build_part(&wrong, &NO_TIP, 0..1).unwrap_err().to_string();
    assert!(error.contains("expected a text of at most 44 bytes, got 45 bytes"), "{error}");
}

#[test]
fn a_bundle_id_is_the_hash_of_the_joined_signatures() {
    // By Python's hashlib and a base58 of its own.
    let expected = "81b2d738ed8d91acda58d671ff20f65ab74fff027c9e117aed50559fc1c0944b";
    assert_eq!(bundle_id(&[Signature::new([1; 64]), Signature::new([2; 64])]), expected);
    assert_eq!(bundle_id(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
