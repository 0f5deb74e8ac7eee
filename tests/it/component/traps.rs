//! Where the canonical ABI says that a guest traps.

use super::{call, component, trap};
use fuelbox::component::Value;

/// A component whose `f` gives a result of type `ty`; `body` returns the core value.
fn gives(ty: &str, core: &str, body: &str, strings: &str) -> Vec<u8> {
    component(
        &format!(r#"(func (export "f") (result {core}) {body})"#),
        &format!(r#"(func (export "f") (result {ty}) (canon lift (core func $i "f") {strings} OPTIONS))"#),
    )
}

/// The trap of a function whose result is a list or a string with this pointer and length.
fn of_place(ty: &str, strings: &str, at: u32, len: u32) -> String {
    let body = format!(
        "(i32.store (i32.const 16) (i32.const {at})) (i32.store (i32.const 20) (i32.const {len})) (i32.const 16)"
    );
    trap(&gives(ty, "i32", &body, strings), "f", &[])
}

#[test]
fn results_lie_in_the_memory() {
    let given = |at: u32| trap(&gives("string", "i32", &format!("(i32.const {at})"), ""), "f", &[]);
    assert!(given(65_536).contains("8 bytes at 65536 are not in the memory, which has 65536 bytes"));
    assert!(given(65_532).contains("are not in the memory"));
    assert!(given(u32::MAX - 3).contains("are not in the memory"));
    assert!(given(2).contains("unaligned pointer: 2 is not a multiple of 4"));
    // The last place where one fits.
    assert_eq!(
        call(&gives("string", "i32", "(i32.const 65528)", ""), "f", &[]),
        Value::String(String::new())
    );
}

#[test]
fn strings_lie_in_the_memory_and_are_text() {
    assert!(of_place("string", "", 65_536, 1).contains("not in the memory"));
    assert!(of_place("string", "", 1, 65_536).contains("not in the memory"));
    assert!(of_place("string", "", u32::MAX, u32::MAX).contains("not in the memory"));
    assert!(of_place("string", "string-encoding=utf16", 32_768, 16_385).contains("not in the memory"));
    assert!(of_place("string", "string-encoding=utf16", 1, 1).contains("unaligned"));
    assert!(of_place("string", "string-encoding=latin1+utf16", 1, 1).contains("unaligned"));
    let tagged = 1 << 31 | 40_000;
    assert!(of_place("string", "string-encoding=latin1+utf16", 0, tagged).contains("not in the memory"));
    let text = |bytes: u32, len: u32, strings: &str| {
        let body = format!(
            "(i32.store (i32.const 32) (i32.const {bytes})) (i32.store (i32.const 16) (i32.const 32))
            (i32.store (i32.const 20) (i32.const {len})) (i32.const 16)"
        );
        trap(&gives("string", "i32", &body, strings), "f", &[])
    };
    assert!(text(0xff, 1, "").contains("not UTF-8"));
    // A surrogate in three bytes, and one alone.
    assert!(text(0x80_a0_ed, 3, "").contains("not UTF-8"));
    assert!(text(0xd800, 1, "string-encoding=utf16").contains("not UTF-16"));
    assert!(text(0xd800, 1 << 31 | 1, "string-encoding=latin1+utf16").contains("not UTF-16"));
}

#[test]
fn lists_lie_in_the_memory() {
    assert!(of_place("(list u8)", "", 0, 65_537).contains("not in the memory"));
    assert!(of_place("(list u64)", "", 0, 8_193).contains("not in the memory"));
    assert!(of_place("(list u64)", "", 4, 1).contains("unaligned"));
    assert!(of_place("(list u64)", "", 0, u32::MAX).contains("not in the memory"));
    // Not even an empty list may begin outside, or unaligned.
    assert!(of_place("(list u64)", "", 65_544, 0).contains("not in the memory"));
    assert!(of_place("(list u64)", "", 1, 0).contains("unaligned"));
}

#[test]
fn characters_and_cases_exist() {
    for char in [0xd800_u32, 0xdfff, 0x11_0000, u32::MAX] {
        assert!(
            trap(&gives("char", "i32", &format!("(i32.const {char})"), ""), "f", &[]).contains("no Unicode")
        );
    }
    for case in [2_u32, 3, 255, 256, u32::MAX] {
        let body = format!("(i32.const {case})");
        assert!(trap(&gives("(result)", "i32", &body, ""), "f", &[]).contains("a variant with 2 cases"));
        let in_memory = format!("(i32.store (i32.const 16) (i32.const {case})) (i32.const 16)");
        // In memory a case has one byte.
        if case & 0xff > 1 {
            assert!(trap(&gives("(option u8)", "i32", &in_memory, ""), "f", &[]).contains("2 cases"));
        }
    }
}

/// What is beyond a type's bits is not looked at.
#[test]
fn numbers_are_cut() {
    let wasm = |ty: &str| gives(ty, "i32", "(i32.const 0x12345681)", "");
    assert_eq!(call(&wasm("u8"), "f", &[]), Value::U8(0x81));
    assert_eq!(call(&wasm("s8"), "f", &[]), Value::S8(-127));
    assert_eq!(call(&wasm("u16"), "f", &[]), Value::U16(0x5681));
    assert_eq!(call(&wasm("bool"), "f", &[]), Value::Bool(true));
}

#[test]
fn an_allocator_that_lies_is_found_out() {
    let lies = |gives: &str| {
        let module = format!(
            r#"(component (core module $m (memory (export "mem") 1)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) {gives})
              (func (export "f") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "f") (param "l" (list u64))
              (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#
        );
        trap(&crate::support::wat(&module), "f", &[Value::List(vec![Value::U64(1); 4])])
    };
    assert!(lies("(i32.const 65512)").contains("are not in the memory of 65536 bytes"));
    assert!(lies("(i32.const -8)").contains("are not in the memory"));
    assert!(lies("(i32.const 65537)").contains("not aligned to 8 bytes"));
    assert!(lies("(i32.const 4)").contains("not aligned"));
    assert!(lies("unreachable").contains("unreachable"));
}

const RESOURCE: &str = r#"
    (type $r-type (resource (rep i32)))
    (core func $new (canon resource.new $r-type))
    (core func $drop (canon resource.drop $r-type))
    (core func $rep (canon resource.rep $r-type))
    (core module $u
      (import "r" "new" (func $new (param i32) (result i32)))
      (import "r" "drop" (func $drop (param i32)))
      (import "r" "rep" (func $rep (param i32) (result i32)))
      BODY)
    (core instance $j (instantiate $u (with "r" (instance
      (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))))))
    (func (export "f") (result u32) (canon lift (core func $j "f")))"#;

fn resource(body: &str) -> Vec<u8> {
    component("", &RESOURCE.replace("BODY", &format!(r#"(func (export "f") (result i32) {body})"#)))
}

#[test]
fn handles_are_made_used_and_dropped() {
    assert_eq!(call(&resource("(call $rep (call $new (i32.const 77)))"), "f", &[]), Value::U32(77));
    // Handles begin with 1, and the number of one that was dropped is used again.
    let again = "(call $drop (call $new (i32.const 5))) (call $new (i32.const 6))";
    assert_eq!(call(&resource(again), "f", &[]), Value::U32(1));
    for (body, why) in [
        ("(call $rep (i32.const 0))", "unknown handle 0"),
        ("(call $rep (i32.const 1))", "unknown handle 1"),
        ("(call $rep (i32.const -1))", "unknown handle 4294967295"),
        ("(call $drop (i32.const 3)) (i32.const 0)", "unknown handle 3"),
        (
            "(local $h i32) (call $drop (local.tee $h (call $new (i32.const 5)))) (call $rep (local.get $h))",
            "unknown handle 1",
        ),
    ] {
        assert!(trap(&resource(body), "f", &[]).contains(why), "{body}");
    }
}

#[test]
fn handles_have_a_limit() {
    let fill = |count: u32| {
        resource(&format!(
            "(local $n i32) (loop (drop (call $new (i32.const 1)))
            (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {count}))))
            (local.get $n)"
        ))
    };
    assert_eq!(call(&fill(9_999), "f", &[]), Value::U32(9_999));
    assert_eq!(call(&fill(10_000), "f", &[]), Value::U32(10_000));
    assert!(trap(&fill(10_001), "f", &[]).contains("more than 10000 handles"));
}

/// Two components: the inner one has a resource, the outer one uses it.
const LENT: &str = r#"(component
  (component $inner
    (type $r-type (resource (rep i32) DTOR))
    (export $r "r" (type $r-type))
    (core func $new (canon resource.new $r-type))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 42)))
      (func (export "look") (param i32) (result i32) local.get 0)
      (func (export "take") (param i32)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
    (func (export "look") (param "r" (borrow $r)) (result u32) (canon lift (core func $i "look")))
    (func (export "take") (param "r" (own $r)) (canon lift (core func $i "take"))))
  (instance $in (instantiate $inner))
  (alias export $in "r" (type $r))
  (core func $make (canon lower (func $in "make")))
  (core func $look (canon lower (func $in "look")))
  (core func $take (canon lower (func $in "take")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "make" (func $make (result i32)))
    (import "" "look" (func $look (param i32) (result i32)))
    (import "" "take" (func $take (param i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "f") (result i32) BODY))
  (core instance $i (instantiate $m (with "" (instance
    (export "make" (func $make)) (export "look" (func $look)) (export "take" (func $take)) (export "drop" (func $drop))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;

fn lent(body: &str) -> Vec<u8> {
    crate::support::wat(&LENT.replace("BODY", body).replace("DTOR", ""))
}

#[test]
fn a_borrowed_handle_is_what_its_owner_knows() {
    assert_eq!(call(&lent("(call $look (call $make))"), "f", &[]), Value::U32(42));
    // It is still there after the call, and can be lent again.
    let again = "(local $h i32) (local.set $h (call $make)) (drop (call $look (local.get $h)))
        (call $look (local.get $h)) (call $drop (local.get $h))";
    assert_eq!(call(&lent(again), "f", &[]), Value::U32(42));
}

#[test]
fn a_handle_that_was_given_away_is_gone() {
    let twice =
        "(local $h i32) (call $take (local.tee $h (call $make))) (call $take (local.get $h)) (i32.const 0)";
    assert!(trap(&lent(twice), "f", &[]).contains("unknown handle 1"));
    let after = "(local $h i32) (call $take (local.tee $h (call $make))) (call $look (local.get $h))";
    assert!(trap(&lent(after), "f", &[]).contains("unknown handle 1"));
}

/// Like [`LENT`], but the resource is made by a third component, so that who borrows it gets a handle.
const BORROWED: &str = r#"(component
  (component $owner
    (type $r-type (resource (rep i32)))
    (export $r "r" (type $r-type))
    (core func $new (canon resource.new $r-type))
    (core module $m (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 42))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make"))))
  (instance $o (instantiate $owner))
  (alias export $o "r" (type $r))
  (component $borrower
    (import "r" (type $r (sub resource)))
    (core func $drop (canon resource.drop $r))
    (core module $m (import "" "drop" (func $drop (param i32)))
      (func (export "use") (param i32) USE))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "use") (param "r" (borrow $r)) (canon lift (core func $i "use"))))
  (instance $b (instantiate $borrower (with "r" (type $r))))
  (core func $make (canon lower (func $o "make")))
  (core func $use (canon lower (func $b "use")))
  (core module $m
    (import "" "make" (func $make (result i32)))
    (import "" "use" (func $use (param i32)))
    (func (export "f") (result i32) (local $h i32)
      (call $use (local.tee $h (call $make))) (local.get $h)))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make)) (export "use" (func $use))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;

#[test]
fn borrowed_handles_are_dropped_before_the_call_ends() {
    let wasm = |what: &str| crate::support::wat(&BORROWED.replace("USE", what));
    assert_eq!(call(&wasm("(call $drop (local.get 0))"), "f", &[]), Value::U32(1));
    assert!(trap(&wasm(""), "f", &[]).contains("borrowed handles are left"));
    let twice = "(call $drop (local.get 0)) (call $drop (local.get 0))";
    assert!(trap(&wasm(twice), "f", &[]).contains("unknown handle 1"));
}

/// A component that calls out while the host asks it for memory.
#[test]
fn an_allocator_calls_nobody() {
    let wasm = r#"(component
      (component $inner (core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))
      (instance $in (instantiate $inner))
      (core func $f (canon lower (func $in "f")))
      (core module $m (import "" "f" (func $f)) (memory (export "mem") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $f) (i32.const 0))
        (func (export "g") (param i32 i32)))
      (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
      (func (export "g") (param "s" string)
        (canon lift (core func $i "g") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#;
    let why = trap(&crate::support::wat(wasm), "g", &[Value::String("x".into())]);
    assert!(why.contains("calls out while values are passed to it"), "{why}");
}
