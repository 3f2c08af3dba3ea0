use super::build::MOST_DEPTH;
use super::*;

#[test]
fn values_are_found_where_they_stand_and_the_buffer_starts_anew() {
    let mut doc = Doc::default();
    for _ in 0..2 {
        let json = br#"{"x":{"a":[],"b":[["1.5","2"],["3","4.25",[]]]},"ts":"12","n":7,"t":true,"n":8}"#;
        let root = doc.read(json).unwrap();
        let x = root.object("x").unwrap();
        assert_eq!(x.list("a").unwrap().count(), 0);
        let levels = x.list("b").unwrap().map(|level| level.items().unwrap().filter_map(Value::as_text).collect());
        assert_eq!(levels.collect::<Vec<Vec<_>>>(), [[&b"1.5"[..], b"2"], [b"3", b"4.25"]]);
        assert_eq!((root.digits("ts"), root.digits("n"), root.bool("t")), (Ok(12), Ok(7), Ok(true)));
        assert!(root.get("a").is_none() && root.get("x").unwrap().is_object());
    }
}

#[test]
fn a_number_is_given_as_it_is_written() {
    let mut doc = Doc::default();
    let json = br#"{"price": 0.50,"qty" :1e5, "a":-3,"b":"0.10","c":null,"d":[]}"#;
    let root = doc.read(json).unwrap();
    let decimal = |key| root.decimal(key).map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(["price", "qty", "a", "b"].map(|key| decimal(key).unwrap()), ["0.50", "1e5", "-3", "0.10"]);
    assert_eq!(decimal("c").unwrap_err().got, "null");
    assert_eq!(decimal("z").unwrap_err().got, "nothing");
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_field() {
    let mut doc = Doc::default();
    let root = doc.read(br#"{"u":"7","b":"1\u0030","p":null,"q":-1,"m":1.5,"t":[1],"o":{}}"#).unwrap();
    let fault = root.number("u").unwrap_err();
    assert_eq!((&fault.expected[..], &fault.got[..]), ("field `u`: a whole number", "\"7\""));
    assert_eq!(root.text("b").unwrap_err().got, "a text with escapes");
    assert_eq!(root.text("p").unwrap_err().got, "null");
    assert_eq!(root.text("q").unwrap_err().got, "a negative number");
    assert_eq!(root.number("m").unwrap_err().got, "a number that is not whole or over 64 bits");
    assert_eq!(root.number("t").unwrap_err().got, "a list");
    assert_eq!(root.list("o").err().unwrap().got, "an object");
    assert_eq!(root.list("asks").err().unwrap().got, "nothing");
}

#[test]
fn what_is_no_json_says_what_is_wrong_and_where() {
    let mut doc = Doc::default();
    for (json, got) in [
        (&br#"{"u":1,"b":[["1","2"],["3""#[..], r#"["3""#),
        (br#"{"u":1} x"#, "x"),
        (br#"{"u":01}"#, "01"),
        (br#"{"u":1,}"#, "}"),
        (b"", ""),
        (b"\xff", "\u{fffd}"),
        (b"{\"a\":\"\xff\"}", "\u{fffd}"),
    ] {
        let fault = doc.read(json).map(Value::describe).unwrap_err();
        assert!(fault.expected.contains("in JSON (") && fault.got.contains(got), "{fault:?}");
    }
}

#[test]
fn a_message_that_nests_without_end_is_refused_and_not_followed() {
    let mut doc = Doc::default();
    for open in ["[", "{\"a\":"] {
        let fault = doc.read(open.repeat(1_000_000).as_bytes()).map(Value::describe).unwrap_err();
        assert!(fault.expected.contains("32 deep"), "{fault:?}");
    }
    let deep = "[".repeat(MOST_DEPTH) + &"]".repeat(MOST_DEPTH);
    assert!(doc.read(deep.as_bytes()).unwrap().is_list());
}
