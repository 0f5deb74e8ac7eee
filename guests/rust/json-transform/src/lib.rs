//! Upper-cases every string value of a JSON document and prints it compactly. What is not JSON gives
//! `{"error":"<what and where>"}`.
//! Convention: packed.
//!
//! Keys and their order stay as they are. Numbers keep every digit, though `1E9` comes out as `1e+9`. Of two
//! equal keys in one object the last value wins. More than 127 nested arrays or objects are an error: the parser's
//! own bound, which also bounds the recursion here.

#[path = "../../packed.rs"]
mod packed;

use serde_json::{json, Value};

/// # Safety
/// As for [`packed::respond`].
#[no_mangle]
pub unsafe extern "C" fn transform(ptr: *const u8, len: usize) -> u64 {
    unsafe { packed::respond(ptr, len, answer) }
}

fn answer(input: &[u8]) -> Vec<u8> {
    let output = match serde_json::from_slice(input) {
        Ok(mut document) => {
            upper_case(&mut document);
            document
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    output.to_string().into_bytes()
}

fn upper_case(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.to_uppercase(),
        Value::Array(items) => items.iter_mut().for_each(upper_case),
        Value::Object(members) => members.values_mut().for_each(upper_case),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(
            String::from_utf8(answer(input.as_bytes())).unwrap(),
            expected
        );
    }

    #[test]
    fn only_string_values_change() {
        check(
            r#" { "b" : ["x", {"a": "ß"}], "a": true } "#,
            r#"{"b":["X",{"a":"SS"}],"a":true}"#,
        );
    }

    #[test]
    fn numbers_keep_every_digit() {
        check(
            "[12345678901234567890123, 0.10, -0, 1e400]",
            "[12345678901234567890123,0.10,-0,1e+400]",
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(&nested(127), &nested(127));
        check(
            &nested(128),
            r#"{"error":"recursion limit exceeded at line 1 column 128"}"#,
        );
    }

    #[test]
    fn errors_say_what_and_where() {
        check(
            "",
            r#"{"error":"EOF while parsing a value at line 1 column 0"}"#,
        );
        check(
            "{\n\"a\" 1}",
            r#"{"error":"expected `:` at line 2 column 5"}"#,
        );
    }
}
