use proptest::prelude::*;

use super::{Doc, Value, plain};

/// What of a message reaches a venue: every level, or the fault.
fn seen(read: Result<Value<'_>, crate::error::Fault>) -> Result<Vec<String>, String> {
    let root = read.map_err(|fault| format!("{} | {}", fault.expected, fault.got))?;
    let mut seen = vec![root.describe(), format!("{:?}", root.digits("n"))];
    for object in [Some(root), root.get("data")].into_iter().flatten() {
        for key in ["b", "a", "bids", "asks", "bs", "as", "other"] {
            let Ok(levels) = object.levels(key) else {
                seen.push(format!("{key}: {}", object.get(key).map_or_else(|| "nothing".to_owned(), Value::describe)));
                continue;
            };
            for level in levels {
                let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
                seen.push(match level {
                    Ok(level) => {
                        let third = level.third.map(|third| text(third.text));
                        format!("{key}: {} {} {third:?}", text(level.price.text), text(level.qty.text))
                    }
                    Err(fault) => format!("{key}: {} | {}", fault.expected, fault.got),
                });
            }
        }
        for key in ["delete", "update", "insert", "order_book"] {
            let Ok(levels) = object.list(key) else { continue };
            let sided = object.sided(key).map(|levels| levels.map(|level| (level.side, level.price, level.qty)));
            match sided {
                Some(levels) => seen.extend(levels.map(|(side, price, qty)| {
                    let qty = qty.map(|qty| String::from_utf8_lossy(qty.text).into_owned());
                    format!("{key}: {side} {} {qty:?}", String::from_utf8_lossy(price.text))
                })),
                None => seen.extend(levels.map(|level| {
                    let text = |field| level.text(field).map(String::from_utf8_lossy).unwrap_or_default();
                    let side = u8::from(text("side") == "Sell");
                    let qty = level.decimal("size").ok().filter(|_| key != "delete");
                    let qty = qty.map(|qty| String::from_utf8_lossy(qty).into_owned());
                    format!("{key}: {side} {} {qty:?}", text("price"))
                })),
            }
        }
    }
    Ok(seen)
}

fn agree(message: &[u8]) -> Result<bool, TestCaseError> {
    let (mut doc, mut whole) = (Doc::default(), Doc::default());
    let by_parser = seen(whole.read_by_parser(message));
    prop_assert_eq!(seen(doc.read(message)), by_parser, "{}", String::from_utf8_lossy(message));
    let is_json = serde_json::from_slice::<serde_json::Value>(message).is_ok();
    prop_assert!(is_json || doc.read(message).is_err(), "{}", String::from_utf8_lossy(message));
    Ok(plain::read(message, &mut Vec::new(), &mut Vec::new()).is_some())
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[0-9]{1,6}[.][0-9]{1,8}",
        2 => "0|0[.]5|[1-9][0-9]{0,4}",
        1 => "[0-9]{0,12}[.]?[0-9]{0,12}",
        1 => "-1|1e5||[.]|x|1[.]2[.]3|\\\\u0031|\u{e9}|1\"",
    ]
}

fn list() -> impl Strategy<Value = String> {
    let more = prop_oneof![
        6 => Just(String::new()),
        2 => decimal().prop_map(|third| format!(",\"{third}\"")),
        1 => decimal().prop_map(|third| format!(",\"{third}\",\"r\"")),
        1 => Just(",3".to_owned()),
        1 => Just(",[]".to_owned()),
    ];
    let level = (decimal(), decimal(), more).prop_map(|(price, qty, more)| format!("[\"{price}\",\"{qty}\"{more}]"));
    prop::collection::vec(level, 0..4).prop_map(|levels| format!("[{}]", levels.join(",")))
}

fn objects() -> impl Strategy<Value = String> {
    let level = (decimal(), decimal(), prop_oneof![6 => Just("Buy"), 6 => Just("Sell"), 1 => Just("Bu")], any::<u8>());
    let level = level.prop_map(|(price, size, side, has_size)| {
        let size = if has_size % 2 == 0 { format!(",\"size\":{size}") } else { String::new() };
        format!("{{\"price\":\"{price}\",\"symbol\":\"A\",\"id\":\"7\",\"side\":\"{side}\"{size}}}")
    });
    prop::collection::vec(level, 0..4).prop_map(|levels| format!("[{}]", levels.join(",")))
}

fn message() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "b",
        "a",
        "bids",
        "asks",
        "as",
        "bs",
        "other",
        "update",
        "insert",
        "delete",
        "order_book",
        "x\\\"b",
    ]);
    let field = (key, prop_oneof![3 => list(), 1 => objects()]).prop_map(|(key, list)| format!("\"{key}\":{list}"));
    prop::collection::vec(field, 0..5).prop_map(|fields| {
        let fields = fields.join(",");
        format!("{{\"n\":7,{fields}{}\"data\":{{{fields}}}}}", if fields.is_empty() { "" } else { "," })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn levels_read_beforehand_are_what_the_parser_reads(message in message()) {
        agree(message.as_bytes())?;
    }

    #[test]
    fn damage_is_refused_as_the_parser_refuses_it(
        message in message(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"[]{}\",:\\0.a \xff\n-e"[..]), 0u8..3), 1..4),
    ) {
        let mut message = message.into_bytes();
        for (at, byte, kind) in damage {
            let at = at.index(message.len());
            match kind {
                0 => message[at] = byte,
                1 => message.insert(at, byte),
                _ => drop(message.remove(at)),
            }
            if message.is_empty() {
                break;
            }
        }
        agree(&message)?;
    }
}

#[test]
fn plain_levels_are_read_beforehand() {
    for message in [
        &br#"{"b":[["61800.20","2.909"]],"a":[]}"#[..],
        br#"{"asks":[["1","2","0","3"],["1.5","0.25"]],"n":"5"}"#,
        br#"{"as":[["13.264500","0.00000000","1618678163.334706","r"]]}"#,
        br#"{"delete":[{"price":"1054.30","symbol":"BCHUSDT","id":"10543000","side":"Buy"}]}"#,
        br#"{"insert":[{"price":"1","symbol":"B","id":"","side":"Sell","size":20.3}]}"#,
    ] {
        assert!(agree(message).unwrap(), "{}", String::from_utf8_lossy(message));
    }
}

#[test]
fn a_list_within_a_text_makes_no_levels() {
    for message in [
        &br#"{"x":"\"b\":[["1","2"]]"}"#[..],
        br#"{"x":"\"b\":[["1","2"]],\"a\":[["3","4"]]"}"#,
        br#"{"x":"y,"b":[["1","2"]],"a":"z"}"#,
        br#"{"x":"\"update\":[{"price":"1","symbol":"B","id":"1","side":"Buy","size":2}]"}"#,
        br#"{"x\"b":[["1","2"]]}"#,
        br#"["b":[["1","2"]]]"#,
        br#"{"b":[["1","2"]]"#,
        br#"{"b":[["1","2"]]}]"#,
        br#"{"update":[{"price":"1","symbol":"B","id":"1","side":"Buy","size":02}]}"#,
        br#"{"update":[{"price":"1","symbol":"B","id":"1","side":"Buy","size":2.}]}"#,
        br#"{"update":[{"price":"1","symbol":"B","id":"1","side":"Buy"}]}"#,
    ] {
        assert!(agree(message).is_ok(), "{}", String::from_utf8_lossy(message));
    }
    let deep = |depth: usize| "[".repeat(depth) + r#"{"b":[["1","2"]]}"# + &"]".repeat(depth);
    for depth in 27..33 {
        assert!(agree(deep(depth).as_bytes()).is_ok(), "{depth}");
    }
}
