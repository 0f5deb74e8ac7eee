//! Values through a component and back, in every shape.

use super::echo::{STRINGS, in_memory};
use super::{call, component};
use crate::support::wat;
use fuelbox::component::Value;

/// Passes `value` through `echo`.
fn echoes(types: &str, ty: &str, values: &[Value]) {
    for strings in [&[""][..], &STRINGS].concat() {
        let wasm = wat(&in_memory(types, ty, strings));
        for value in values {
            let wrapped = Value::Record(vec![value.clone(), Value::U8(7)]);
            let mut args = vec![wrapped.clone()];
            args.extend([const { Value::U64(u64::MAX) }; 17]);
            assert_eq!(call(&wasm, "echo", &args), wrapped, "{types} {ty} {strings}");
        }
    }
}

fn string(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn numbers_pass_through_memory() {
    echoes("", "bool", &[Value::Bool(false), Value::Bool(true)]);
    echoes("", "s8", &[i8::MIN, -1, 0, i8::MAX].map(Value::S8));
    echoes("", "u8", &[0, 127, 128, 255].map(Value::U8));
    echoes("", "s16", &[i16::MIN, -1, i16::MAX].map(Value::S16));
    echoes("", "u16", &[0, u16::MAX].map(Value::U16));
    echoes("", "s32", &[i32::MIN, -1, i32::MAX].map(Value::S32));
    echoes("", "u32", &[0, u32::MAX].map(Value::U32));
    echoes("", "s64", &[i64::MIN, -1, i64::MAX].map(Value::S64));
    echoes("", "u64", &[0, u64::MAX].map(Value::U64));
    echoes("", "f32", &[0.0, -0.0, 1.5, f32::INFINITY].map(Value::F32));
    echoes("", "f64", &[0.0, -0.0, 1.5, f64::NEG_INFINITY].map(Value::F64));
    echoes("", "char", &['\0', 'a', '\u{d7ff}', '\u{e000}', '\u{10ffff}'].map(Value::Char));
}

#[test]
fn strings_pass_in_every_encoding() {
    let texts = ["", "a", "héllo", "\u{ff}", "\u{100}", "日本語", "𝄞 and \0 inside", "\u{10ffff}"];
    echoes("", "string", &texts.map(string));
    echoes("", "(list string)", &[Value::List(texts.map(string).to_vec()), Value::List(vec![])]);
}

#[test]
fn lists_pass() {
    echoes("", "(list u8)", &[Value::Bytes(vec![]), Value::Bytes((0..=255).collect())]);
    echoes("", "(list s8)", &[Value::List(vec![Value::S8(-1), Value::S8(1)])]);
    echoes("", "(list u64)", &[Value::List(vec![Value::U64(u64::MAX); 100])]);
    let inner = |n: u8| Value::Bytes(vec![n; n.into()]);
    echoes("", "(list (list u8))", &[Value::List(vec![inner(0), inner(1), inner(9)])]);
}

#[test]
fn records_and_tuples_pass_with_their_alignment() {
    let types = r#"(type $r-type (record (field "a" u8) (field "b" u64) (field "c" u16) (field "d" string)))
        (export $r "r" (type $r-type))"#;
    let record =
        Value::Record(vec![Value::U8(1), Value::U64(u64::MAX), Value::U16(0xabcd), string("in a record")]);
    echoes(types, "$r", std::slice::from_ref(&record));
    echoes(types, "(list $r)", &[Value::List(vec![record.clone(), record])]);
    let tuple = Value::Record(vec![Value::Bool(true), Value::F64(2.5), Value::Char('x')]);
    echoes("", "(tuple bool f64 char)", &[tuple]);
}

#[test]
fn variants_pass_with_and_without_payloads() {
    let types = r#"(type $v-type (variant (case "none") (case "byte" u8) (case "text" string) (case "long" u64)))
        (export $v "v" (type $v-type))"#;
    let case = |case, value| Value::Variant(case, Some(Box::new(value)));
    let values =
        [Value::Variant(0, None), case(1, Value::U8(9)), case(2, string("t")), case(3, Value::U64(u64::MAX))];
    echoes(types, "$v", &values);
    echoes(types, "(list $v)", &[Value::List(values.to_vec())]);
    echoes("", "(option u8)", &[Value::NONE, Value::some(Value::U8(1))]);
    echoes(
        "",
        "(option (option string))",
        &[Value::NONE, Value::some(Value::NONE), Value::some(Value::some(string("x")))],
    );
    echoes("", "(result)", &[Value::ok(None), Value::err(None)]);
    echoes("", "(result u8 (error string))", &[Value::ok(Value::U8(1)), Value::err(string("no"))]);
    echoes("", "(result (error u64))", &[Value::ok(None), Value::err(Value::U64(5))]);
}

#[test]
fn enums_and_flags_pass_at_every_size() {
    for cases in [1, 2, 255, 256, 257, 300] {
        let names: String = (0..cases).map(|n| format!(r#" "c{n}""#)).collect();
        let types = format!(r#"(type $e-type (enum{names})) (export $e "e" (type $e-type))"#);
        echoes(&types, "$e", &[Value::case(0), Value::case(cases - 1)]);
    }
    for count in [1, 7, 8, 9, 16, 17, 31, 32] {
        let names: String = (0..count).map(|n| format!(r#" "f{n}""#)).collect();
        let types = format!(r#"(type $f-type (flags{names})) (export $f "f" (type $f-type))"#);
        let all = u32::try_from((1u64 << count) - 1).unwrap();
        echoes(&types, "$f", &[Value::Flags(0), Value::Flags(1), Value::Flags(all)]);
    }
}

/// Of values that are passed one by one.
#[test]
fn values_pass_as_core_values() {
    let store = r#"(func (export "f") (param i32 i32 i32 i64 f32) (result i32)
        (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))
        (i32.store8 (i32.const 8) (local.get 2)) (i64.store (i32.const 16) (local.get 3))
        (f32.store (i32.const 24) (local.get 4)) (i32.const 0))"#;
    let wasm = component(
        store,
        r#"(type $r-type (record (field "s" string) (field "b" bool) (field "n" s64) (field "f" f32)))
        (export $r "r" (type $r-type))
        (func (export "f") (param "s" string) (param "b" bool) (param "n" s64) (param "f" f32) (result $r)
          (canon lift (core func $i "f") OPTIONS))"#,
    );
    let values = [string("flat"), Value::Bool(true), Value::S64(-3), Value::F32(0.25)];
    assert_eq!(call(&wasm, "f", &values), Value::Record(values.to_vec()));
}

/// Cases with payloads of different core types share the widest (`join`).
#[test]
fn payloads_of_cases_share_core_values() {
    let wasm = component(
        r#"(func (export "f") (param i32 i64) (result i64)
            (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 60)) (local.get 1)))"#,
        r#"(type $v-type (variant (case "a" f32) (case "b" u64) (case "c" s8) (case "d")))
        (export $v "v" (type $v-type))
        (func (export "f") (param "v" $v) (result u64) (canon lift (core func $i "f")))"#,
    );
    let given = |case, value: Option<Value>| {
        let Value::U64(bits) = call(&wasm, "f", &[Value::Variant(case, value.map(Box::new))]) else {
            panic!()
        };
        (bits >> 60, bits & (u64::MAX >> 4))
    };
    assert_eq!(given(0, Some(Value::F32(1.5))), (0, u64::from(1.5f32.to_bits())));
    assert_eq!(given(1, Some(Value::U64(77))), (1, 77));
    assert_eq!(given(2, Some(Value::S8(-1))), (2, u64::from(u32::MAX)));
    assert_eq!(given(3, None), (3, 0));
}

/// What was read of a result is freed, once, and the function that frees it gets the core result.
#[test]
fn post_return_gets_the_result() {
    let wasm = component(
        r#"(global $freed (mut i32) (i32.const 0))
        (func (export "f") (result i32) (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 2))
          (i32.store8 (i32.const 64) (i32.const 104)) (i32.store8 (i32.const 65) (i32.const 105)) (i32.const 16))
        (func (export "free") (param i32) (global.set $freed (i32.add (global.get $freed) (local.get 0))))
        (func (export "freed") (result i32) (global.get $freed))"#,
        r#"(func (export "f") (result string) (canon lift (core func $i "f") OPTIONS (post-return (core func $i "free"))))
        (func (export "freed") (result u32) (canon lift (core func $i "freed")))"#,
    );
    assert_eq!(call(&wasm, "f", &[]), string("hi"));
    assert_eq!(call(&wasm, "freed", &[]), Value::U32(0), "each call has an instance of its own");
}
