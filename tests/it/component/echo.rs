//! Components that give back what they are given, as text.

use super::shape::Ty;

/// A core module with a memory of one page, an allocator that only goes on, and `body`. Its functions use the first 1,024
/// bytes for results.
pub const MODULE: &str = r#"
  (core module $m
    (memory (export "mem") 1)
    (global $next (mut i32) (i32.const 1024))
    (func $realloc (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32)
      (result i32)
      (global.set $next
        (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get $size))))
    BODY)
  (core instance $i (instantiate $m))
"#;

/// What every lifted function here has.
pub const OPTIONS: &str = r#"(memory (core memory $i "mem")) (realloc (core func $i "realloc"))"#;

/// Padding that makes the parameters of a function too many to be passed one by one: they are passed in memory.
const PADDING: &str = r#"(param "p1" u64) (param "p2" u64) (param "p3" u64) (param "p4" u64) (param "p5" u64)
    (param "p6" u64) (param "p7" u64) (param "p8" u64) (param "p9" u64) (param "p10" u64) (param "p11" u64)
    (param "p12" u64) (param "p13" u64) (param "p14" u64) (param "p15" u64) (param "p16" u64) (param "p17" u64)"#;

/// How strings are encoded.
pub const STRINGS: [&str; 3] =
    ["string-encoding=utf8", "string-encoding=utf16", "string-encoding=latin1+utf16"];

/// A component whose `echo` gives its first argument back, by way of its memory. `types` defines types; `ty` is the argument's.
///
/// The argument is wrapped in a record, so that the result is in memory as well; it lies where the parameters do.
pub fn in_memory(types: &str, ty: &str, strings: &str) -> String {
    let module = MODULE.replace("BODY", r#"(func (export "echo") (param i32) (result i32) local.get 0)"#);
    format!(
        r#"(component {module} {types}
        (type $wrapped-type (record (field "v" {ty}) (field "end" u8)))
        (export $wrapped "wrapped" (type $wrapped-type))
        (func (export "echo") (param "w" $wrapped) {PADDING} (result $wrapped)
          (canon lift (core func $i "echo") {strings} {OPTIONS})))"#
    )
}

/// The same for a type with a layout.
pub fn in_memory_of(ty: &Ty, strings: &str) -> String {
    let mut types = String::new();
    let name = ty.wat(&mut types);
    in_memory(&types, &name, strings)
}

/// The body of a core function that stores its parameters as a record of a value and a byte, and gives its place. The record is
/// the result: values that need no memory would be returned as core values.
fn stores(ty: &Ty) -> (String, String) {
    let flat = ty.flat();
    let params: String = flat.iter().map(|core| format!(" {core}")).collect();
    let get = |n: usize, wanted: &'static str| match (flat[n], wanted) {
        (own, wanted) if own == wanted => format!("(local.get {n})"),
        ("i32", "f32") => format!("(f32.reinterpret_i32 (local.get {n}))"),
        ("i64", "i32") => format!("(i32.wrap_i64 (local.get {n}))"),
        ("i64", "f32") => format!("(f32.reinterpret_i32 (i32.wrap_i64 (local.get {n})))"),
        ("i64", "f64") => format!("(f64.reinterpret_i64 (local.get {n}))"),
        other => panic!("{other:?}"),
    };
    let (size, _) = ty.layout();
    let store = ty.store(16, &get);
    let body = format!("{store} (i32.store8 (i32.const {}) (i32.const 7)) (i32.const 16)", 16 + size);
    (params, body)
}

/// A component that takes its value as core values.
pub fn flat(ty: &Ty, strings: &str) -> String {
    format!("(component {})", flat_inner(ty, strings))
}

fn flat_inner(ty: &Ty, strings: &str) -> String {
    let mut types = String::new();
    let name = ty.wat(&mut types);
    let (params, body) = stores(ty);
    let module =
        MODULE.replace("BODY", &format!(r#"(func (export "echo") (param{params}) (result i32) {body})"#));
    format!(
        r#"{module} {types} (type $w-type (record (field "v" {name}) (field "end" u8))) (export $w "w" (type $w-type))
        (func (export "echo") (param "v" {name}) (result $w)
          (canon lift (core func $i "echo") {strings} {}))"#,
        OPTIONS
    )
}

/// A component around the one above, which passes the core values on. So they are lifted and lowered between two guests.
pub fn around(ty: &Ty, inner: &str, outer: &str) -> String {
    let mut types = String::new();
    let name = ty.wat(&mut types);
    let params: String = ty.flat().iter().map(|core| format!(" {core}")).collect();
    let gets: String = (0..ty.flat().len()).map(|n| format!("(local.get {n})")).collect();
    // The allocator and the memory are of a module of their own, for the lowered function needs them before the caller is there.
    let module = MODULE.replace("BODY", "");
    format!(
        r#"(component (component $inner {inner_source}) (instance $in (instantiate $inner))
        {module} {types}
        (type $w-type (record (field "v" {name}) (field "end" u8))) (export $w "w" (type $w-type))
        (core func $echo (canon lower (func $in "echo") {outer} {options}))
        (core module $m2 (import "" "echo" (func $echo (param{params} i32)))
          (func (export "echo") (param{params}) (result i32) (call $echo {gets} (i32.const 512)) (i32.const 512)))
        (core instance $i2 (instantiate $m2 (with "" (instance (export "echo" (func $echo))))))
        (func (export "echo") (param "v" {name}) (result $w)
          (canon lift (core func $i2 "echo") {outer} {options})))"#,
        inner_source = flat_inner(ty, inner),
        options = OPTIONS,
    )
}
