//! `docs/components.md` says how values are written. This checks its examples, and what is refused.

use super::{json, wave};
use crate::host::component::function::Interface;
use crate::host::component::value::Value;
use crate::host::component::wit::Names;
use crate::module::component::types::{FuncTy, ResourceId, Ty, Types};

/// The document. A package does not have it.
fn document() -> Option<String> {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/components.md")).ok()
}

/// A function type by its WIT.
fn func(types: &mut Types, declared: &str, ty: &str) -> FuncTy {
    let declared: &'static str = format!("resource r; {declared}").leak();
    let interface = Interface { name: "t:t/t", types: declared, rows: &[] };
    let mut resource = |_: &str, _: &str| ResourceId(0);
    Names::new(types, &|_| None, &mut resource).function(&interface, "f", String::from(ty).leak()).unwrap()
}

fn ty(types: &mut Types, declared: &str, name: &str) -> Ty {
    func(types, declared, &format!("() -> {name}")).result.unwrap()
}

/// What is between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_examples_of_the_document_are_right() {
    let Some(text) = document() else { return };
    let declared = text.split("```wit").nth(1).unwrap().split("```").next().unwrap();
    let mut checked = 0;
    let values = text.split("## Values as JSON").nth(1).unwrap();
    for row in values.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<Vec<&str>> = row.split('|').skip(1).take(3).map(quoted).collect();
        let [names, jsons, waves] = &cells[..] else { panic!("{row}") };
        assert!(jsons.len() == waves.len() && (names.len() == jsons.len() || jsons.is_empty()), "{row}");
        for ((name, as_json), as_wave) in names.iter().zip(jsons).zip(waves) {
            let mut types = Types::default();
            let ty = ty(&mut types, declared, name);
            let value = json::parse(&types, ty, as_json).unwrap();
            assert_eq!(json::print(&types, ty, &value, 1000).as_deref(), Ok(*as_json), "{name}");
            assert_eq!(wave::print(&types, ty, &value, 1000).as_deref(), Ok(*as_wave), "{name}");
            let again = wave::parse(&types, ty, as_wave).unwrap();
            assert_eq!(format!("{again:?}"), format!("{value:?}"), "{name}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

const DECLARED: &str = "
    record point { x: s32, label: option<string> }
    variant shape { empty, circle(f64), ok }
    enum color { red, ok }
    flags access { read, write }";

#[test]
fn what_json_is_refused_and_why() {
    for (name, text, why) in [
        ("u8", "256", "$ (column 1): expected u8 (0 to 255), found `256`"),
        ("u8", "1.0", "$ (column 1): expected u8 (0 to 255), found `1.0`"),
        ("u8", "\"1\"", "$ (column 1): expected u8 (0 to 255), found `\"1\"`"),
        ("u64", "\"-1\"", "$ (column 1): expected u64 (0 to 18446744073709551615), found `\"-1\"`"),
        ("bool", "1", "$ (column 1): expected bool, found `1`"),
        ("char", "\"ab\"", "$ (column 1): expected a string of one character, found `\"ab\"`"),
        ("char", "\"\"", "$ (column 1): expected a string of one character, found `\"\"`"),
        ("f32", "1e39", "$ (column 1): expected a number (f32), or NaN, Infinity, -Infinity, found `1e39`"),
        (
            "f64",
            "\"nan\"",
            "$ (column 1): expected a number (f64), or NaN, Infinity, -Infinity, found `\"nan\"`",
        ),
        ("string", "\"\\ud800\"", "$ (column 2): expected an escape of JSON, found `\\`"),
        ("string", "\"a\nb\"", "$ (column 3): expected a closing quote, or an escape, found `\\n`"),
        ("list<u8>", "\"hello\"", "$ (column 1): expected base64 with padding (RFC 4648, section 4)"),
        ("list<u8>", "[1, 256]", "$[1] (column 5): expected u8 (0 to 255), found `256`"),
        ("list<u8>", "{}", "$ (column 1): expected base64, or an array of bytes, found `{`"),
        ("list<char>", "[,]", "$[0] (column 2): expected a string of one character, found `,`"),
        ("list<char>", "[\"a\",]", "$[1] (column 6): expected a string of one character, found `]`"),
        ("list<char>", "[\"a\"", "$ (column 5): expected `,` or `]`, found the end"),
        ("tuple<u8, u8>", "[1]", "$ (column 1): expected an array of 2 values, found `[`"),
        ("tuple<u8, u8>", "[1,2,3]", "$[2] (column 6): expected the end of the array, found `3`"),
        ("point", "{\"x\": 1, \"x\": 2}", "$ (column 10): `x` is there twice"),
        ("point", "{\"y\": 1}", "$ (column 2): expected a field (x, label), found `\"y\"`"),
        ("point", "{}", "$ (column 1): `x` is missing"),
        (
            "list<point>",
            "[{\"x\": 1}, {\"x\": true}]",
            "$[1].x (column 18): expected s32 (-2147483648 to 2147483647), found `true`",
        ),
        ("shape", "\"circle\"", "$ (column 1): the case `circle` carries a value: {\"circle\": ...}"),
        ("shape", "{\"empty\": null}", "$ (column 2): the case `empty` carries no value: \"empty\""),
        ("shape", "{\"circle\": 1, \"empty\": 2}", "$ (column 15): expected one key only, found `\"empty\"`"),
        ("shape", "{}", "$ (column 1): expected a case (empty, circle, ok), found `{`"),
        ("shape", "null", "$ (column 1): expected a case (empty, circle, ok), found `null`"),
        ("color", "{\"red\": null}", "$ (column 1): expected a case (red, ok), found `{`"),
        ("color", "\"blue\"", "$ (column 1): expected a case (red, ok), found `\"blue\"`"),
        ("access", "[\"read\", \"read\"]", "$[1] (column 10): it is there twice"),
        ("access", "[\"exec\"]", "$[0] (column 2): expected a flag (read, write), found `\"exec\"`"),
        ("option<option<u8>>", "1", "$ (column 1): expected `null` or {\"some\": ...}, found `1`"),
        (
            "option<option<u8>>",
            "{\"none\": null}",
            "$ (column 2): expected `null` or {\"some\": ...}, found `\"none\"`",
        ),
        ("result<u8>", "1", "$ (column 1): expected {\"ok\": ...} or {\"err\": ...}, found `1`"),
        ("result<u8>", "{\"err\": 1}", "$ (column 9): expected `null`, found `1`"),
        ("u8", "1 2", "$ (column 3): expected the end, found `2`"),
        ("u8", "", "$ (column 1): expected u8 (0 to 255), found the end"),
    ] {
        let mut types = Types::default();
        let ty = ty(&mut types, DECLARED, name);
        assert_eq!(json::parse(&types, ty, text), Err(why.into()), "{name} {text}");
    }
}

#[test]
fn json_that_is_not_printed_so_but_read() {
    for (name, text, as_wave) in [
        ("u64", "\"18446744073709551615\"", "18446744073709551615"),
        ("f64", "1", "1"),
        ("list<u8>", " [ 0 , 255 ] ", "[0, 255]"),
        ("string", r#""\u00e9\ud83d\ude00\/\b\f""#, "\"é😀/\\u{8}\\u{c}\""),
        ("point", "{\"label\":\"a\",\t\"x\":1}", "{x: 1, label: some(\"a\")}"),
        ("access", "[\"write\",\"read\"]", "{read, write}"),
    ] {
        let mut types = Types::default();
        let ty = ty(&mut types, DECLARED, name);
        let value = json::parse(&types, ty, text).unwrap();
        assert_eq!(wave::print(&types, ty, &value, 100).as_deref(), Ok(as_wave), "{text}");
    }
}

#[test]
fn arguments_as_json() {
    let mut types = Types::default();
    let two = func(&mut types, DECLARED, "(a: u8, b: option<u8>)");
    let args = |text| json::args(&types, &two, text);
    let both = vec![Value::U8(1), Value::some(Value::U8(2))];
    assert_eq!(args("[1, 2]"), Ok(both.clone()));
    assert_eq!(args(" {\"b\": 2, \"a\": 1} "), Ok(both));
    assert_eq!(args("[1]"), Ok(vec![Value::U8(1), Value::NONE]));
    assert_eq!(args("{\"a\": 1}"), Ok(vec![Value::U8(1), Value::NONE]));
    for (text, why) in [
        ("[]", "$ (column 1): `a` is missing"),
        ("", "$ (column 1): `a` is missing"),
        ("1", "$ (column 1): expected an object or an array of the arguments, found `1`"),
        ("[1,2,3]", "$[2] (column 6): expected the end of the arguments, found `3`"),
        ("{\"c\": 1}", "$ (column 2): expected a parameter (a, b), found `\"c\"`"),
        ("{\"a\": 1, \"a\": 1}", "$ (column 10): `a` is there twice"),
        ("{\"a\": -1}", "$.a (column 7): expected u8 (0 to 255), found `-1`"),
    ] {
        assert_eq!(args(text), Err(why.into()), "{text}");
    }
    let none = func(&mut types, DECLARED, "()");
    for text in ["", " \n", "[]", "{}"] {
        assert_eq!(json::args(&types, &none, text), Ok(vec![]));
    }
}

#[test]
fn what_wave_is_refused_and_why() {
    for (name, text, why) in [
        ("u8", "-1", "column 1: expected u8 (0 to 255), found `-1`"),
        ("u8", "nan", "column 1: expected u8 (0 to 255), found `nan`"),
        ("f32", "1e39", "column 1: expected f32, found `1e39`"),
        ("char", "'ab'", "column 1: expected one character between quotes, found `'ab'`"),
        ("char", "''", "column 1: expected one character between quotes, found `''`"),
        ("string", "\"a\nb\"", "column 3: expected a closing quote, or `\\n` for a new line, found `\\n`"),
        ("tuple<u8, u8>", "(1)", "column 1: expected a tuple of 2 values, found `(`"),
        ("tuple<u8, u8>", "(1, 2, 3)", "column 8: expected `)` after 2 values, found `3`"),
        ("point", "{x: 1, x: 2}", "column 8: `x` is there twice"),
        ("point", "{:}", "column 1: `x` is missing"),
        ("point", "{x 1}", "column 4: expected `:`, found `1`"),
        ("list<point>", "[{x: 1},\n {y: 2}]", "line 2, column 3: expected a field (x, label), found `y`"),
        ("shape", "circle", "column 7: expected `(`, found the end"),
        ("shape", "empty(1)", "column 6: expected the end, found `(`"),
        ("shape", "ok", "column 1: the case `ok` is written `%ok`"),
        ("color", "blue", "column 1: expected a case (red, ok), found `blue`"),
        ("access", "{read, read}", "column 8: `read` is there twice"),
        ("access", "{read write}", "column 7: expected `,` or `}`, found `write`"),
        ("option<option<u8>>", "1", "column 1: expected `some(...)` or `none`, found `1`"),
        ("result<_, u8>", "1", "column 1: expected `ok` or `err`, found `1`"),
        ("result<u8>", "ok", "column 3: expected `(`, found the end"),
    ] {
        let mut types = Types::default();
        let ty = ty(&mut types, DECLARED, name);
        assert_eq!(wave::parse(&types, ty, text), Err(why.into()), "{name} {text}");
    }
}

#[test]
fn wave_that_is_not_printed_so_but_read() {
    for (name, text, as_wave) in [
        ("option<u8>", "1", "some(1)"),
        ("result<list<u8>>", "[1,]", "ok([1])"),
        ("option<color>", "red", "some(red)"),
        ("option<color>", "%ok", "some(%ok)"),
        ("option<option<u8>>", "some(1)", "some(some(1))"),
        (
            "point",
            " // all of it\n{ %label : \"\"\"\n  a\n  b\n  \"\"\", x:1, }",
            "{x: 1, label: some(\"a\\nb\")}",
        ),
        ("point", "{x: 1, label: none}", "{x: 1}"),
        ("option<bool>", "%true", ""),
    ] {
        let mut types = Types::default();
        let ty = ty(&mut types, DECLARED, name);
        let found = wave::parse(&types, ty, text);
        let found = found.ok().and_then(|value| wave::print(&types, ty, &value, 100).ok());
        assert_eq!(found.as_deref().unwrap_or_default(), as_wave, "{text}");
    }
}
