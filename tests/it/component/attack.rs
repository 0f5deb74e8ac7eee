//! Components that try to end the process, to take its memory or its time, or to get wrong results out of the interpreter.

use super::{call, call_under, limits, refusal, trap};
use crate::support::wat;
use fuelbox::component::Value;
use fuelbox::{Limits, Program, Stop};
use std::time::{Duration, Instant};

/// A number as binary modules have it.
fn leb(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 127 {
        out.push(n as u8 & 127 | 128);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// A component of these sections, each with its number.
fn binary(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    for (number, body) in sections {
        wasm.push(*number);
        wasm.extend(leb(body.len()));
        wasm.extend(body);
    }
    wasm
}

/// A list of these items.
fn list<T: AsRef<[u8]>>(items: impl ExactSizeIterator<Item = T>) -> Vec<u8> {
    let mut out = leb(items.len());
    items.for_each(|item| out.extend(item.as_ref()));
    out
}

#[test]
fn types_declared_within_each_other_have_a_limit() {
    // The type of an instance (0x42), or of a component (0x41), that declares one type, and so on.
    for kind in [0x42, 0x41] {
        let within =
            |levels: usize| binary(&[(7, [&[1][..], &[kind, 1, 1].repeat(levels), &[kind, 0]].concat())]);
        assert!(Program::compile("deep", &within(50), &limits()).is_ok());
        for levels in [101, 10_000, 5_000_000] {
            let why = refusal(&within(levels));
            assert!(why.contains("more types declared within each other than the 100 supported"), "{why}");
        }
    }
}

#[test]
fn declarations_in_types_have_a_limit() {
    // Each type of an instance declares this many types.
    let types = |count: usize, declared: usize| {
        let one = [&[0x42][..], &list(vec![[0x01, 0x7d]; declared].iter())].concat();
        binary(&[(7, list(vec![one; count].iter()))])
    };
    assert!(Program::compile("few", &types(10, 1_000), &limits()).is_ok());
    for (count, declared) in [(1, 900_000), (8, 900_000), (300, 1_000)] {
        let why = refusal(&types(count, declared));
        assert!(why.contains("200000 supported"), "{why}");
    }
}

#[test]
fn exports_of_a_core_instance_are_found_at_once() {
    // Many names, and many aliases of the last one.
    let count = 40_000;
    let name = |i: usize| [&[5][..], format!("{i:05}").as_bytes()].concat();
    let core = wat(r#"(module (func (export "f")))"#);
    let instance = [&[1, 0, 0][..], &[0]].concat();
    let first = [1, 0, 0, 1, 0, 1, b'f'];
    let named = [&[1, 1][..], &list((0..count).map(|i| [&name(i)[..], &[0, 0]].concat()))].concat();
    let alias = [&[0, 0, 1, 1][..], &name(count - 1)].concat();
    let aliases = list(vec![alias; count].iter());
    let wasm = binary(&[(1, core), (2, instance), (6, first.into()), (2, named), (6, aliases)]);
    let began = Instant::now();
    Program::compile("names", &wasm, &limits()).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// A component that defines a resource whose destructor makes another one and drops it, and that drops one in `f`.
const ENDLESS: &str = r#"(component
  (core module $d
    (type $v (func (param i32)))
    (table (export "t") 1 funcref)
    (func (export "dtor") (param i32) (call_indirect (type $v) (local.get 0) (i32.const 0))))
  (core instance $d (instantiate $d))
  (alias core export $d "dtor" (core func $dtor))
  (type $r (resource (rep i32) (dtor (core func $dtor))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "d" "t" (table 1 funcref))
    (func $again (param i32)
      (if (local.get 0) (then (call $drop (call $new (i32.sub (local.get 0) (i32.const 1)))))))
    (elem (i32.const 0) func $again)
    (func (export "f") (param i32) (call $again (local.get 0))))
  (core instance $m (instantiate $m
    (with "" (instance (export "new" (func $new)) (export "drop" (func $drop)))) (with "d" (instance $d))))
  (func (export "f") (param "n" u32) (canon lift (core func $m "f"))))"#;

#[test]
fn destructors_that_drop_resources_have_a_limit() {
    let wasm = wat(ENDLESS);
    assert_eq!(call_under(&limits(), &wasm, "f", &[Value::U32(20)]).unwrap(), Ok(None));
    for n in [40, 100_000, u32::MAX] {
        let why = trap(&wasm, "f", &[Value::U32(n)]);
        assert!(why.contains("more than 32 calls between components within each other"), "{why}");
    }
}

#[test]
fn handles_count_as_memory() {
    // Each of the instances makes as many handles as it may have.
    let inner = r#"(component $c (type $r (resource (rep i32))) (core func $new (canon resource.new $r))
      (core module $m (import "" "new" (func $new (param i32) (result i32)))
        (func (export "f") (local i32)
          (loop $l (drop (call $new (local.get 0)))
            (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9_000))))))
      (core instance $m (instantiate $m (with "" (instance (export "new" (func $new))))))
      (func (export "f") (canon lift (core func $m "f"))))"#;
    let count = 40;
    let instances: String = (0..count).map(|n| format!("(instance $i{n} (instantiate $c))")).collect();
    let lowered: String =
        (0..count).map(|n| format!("(core func $f{n} (canon lower (func $i{n} \"f\")))")).collect();
    let given: String = (0..count).map(|n| format!("(export \"f{n}\" (func $f{n}))")).collect();
    let imported: String = (0..count).map(|n| format!("(import \"\" \"f{n}\" (func $f{n}))")).collect();
    let called: String = (0..count).map(|n| format!("(call $f{n})")).collect();
    let wasm = wat(&format!(
        r#"(component {inner} {instances} {lowered}
        (core module $m {imported} (func (export "f") {called}))
        (core instance $m (instantiate $m (with "" (instance {given}))))
        (func (export "f") (canon lift (core func $m "f"))))"#
    ));
    assert_eq!(call_under(&limits(), &wasm, "f", &[]).unwrap(), Ok(None));
    let few = Limits { memory_pages: 16, ..limits() };
    let stopped = call_under(&few, &wasm, "f", &[]).unwrap();
    assert!(matches!(&stopped, Err(Stop::Trap(why)) if why.contains("memory limit")), "{stopped:?}");
}

#[test]
fn a_function_of_another_instance_is_offered_as_it_is() {
    // The core function that is lifted is one that was lowered: there is no core module in between.
    let wasm = wat(r#"(component
      (component $c
        (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))
        (core instance $m (instantiate $m))
        (func (export "f") (param "n" u32) (result u32) (canon lift (core func $m "f"))))
      (instance $c (instantiate $c))
      (core func $f (canon lower (func $c "f")))
      (func (export "f") (param "n" u32) (result u32) (canon lift (core func $f))))"#);
    assert_eq!(call(&wasm, "f", &[Value::U32(14)]), Value::U32(42));
}

/// A number with a sign, as types refer to types.
fn signed(n: usize) -> Vec<u8> {
    // Two bytes more than needed are as good.
    vec![n as u8 & 127 | 128, (n >> 7) as u8 & 127 | 128, (n >> 14) as u8 & 63]
}

#[test]
fn types_that_refer_to_each_other_have_a_limit() {
    // Tuples of one element each: validation looks through all of them.
    let chain = |count: usize| {
        let mut types = vec![vec![0x6f, 1, 0x79]];
        types.extend((0..count).map(|n| [&[0x6f, 1][..], &signed(n)].concat()));
        types.push([&[0x40, 1, 1, b'a'][..], &signed(count), &[1, 0]].concat());
        list(types.iter())
    };
    let uses = |count: usize| {
        let import = (10, [&[1, 0, 1, b'f', 1][..], &leb(count + 1)].concat());
        let export = (11, [&[1, 0, 1, b't', 3][..], &leb(count), &[0]].concat());
        [import, export].map(|used| binary(&[(7, chain(count)), used]))
    };
    for wasm in uses(150_000) {
        let why = refusal(&wasm);
        assert!(why.contains("types or instances in a chain"), "{why}");
    }
}

#[test]
fn instances_that_are_made_of_each_other_have_a_limit() {
    // Each instance exports the one before, and each component the last one of the component within it.
    let mut inner: Option<Vec<u8>> = None;
    for _ in 0..50 {
        let mut sections = Vec::new();
        match inner.take() {
            None => sections.push((5, vec![1, 1, 0])),
            Some(inner) => {
                sections.push((4, inner));
                sections.push((5, vec![1, 0, 0, 0]));
                sections.push((6, vec![1, 5, 0, 0, 1, b'a']));
            }
        }
        let first = usize::from(sections.len() > 1);
        let made = (0..900).map(|n| [&[1, 1, 0, 1, b'a', 5][..], &leb(first + n)].concat());
        sections.push((5, list(made.collect::<Vec<_>>().iter())));
        sections.push((11, [&[1, 0, 1, b'a', 5][..], &leb(first + 900), &[0]].concat()));
        inner = Some(binary(&sections));
    }
    let why = refusal(&inner.unwrap());
    assert!(why.contains("types or instances in a chain"), "{why}");
}

#[test]
fn types_of_all_functions_have_a_limit() {
    // A variant of 49 variants, which validation looks through for each function anew.
    let case = |n: usize, ty: &[u8]| [&[3][..], format!("c{n:02}").as_bytes(), &[1], ty, &[0]].concat();
    let inner = [&[0x71][..], &list((0..90).map(|n| case(n, &[0x79])))].concat();
    let outer = [&[0x71][..], &list((0..49).map(|n| case(n, &[0])))].concat();
    let func = vec![0x40, 1, 1, b'a', 1, 1, 0];
    let core = wat(r#"(module (func (export "f") (param i32 i32 i32)))"#);
    let lifts = |count: usize| {
        binary(&[
            (1, core.clone()),
            (2, vec![1, 0, 0, 0]),
            (6, vec![1, 0, 0, 1, 0, 1, b'f']),
            (7, list([&inner[..], &outer, &func].iter())),
            (8, list(vec![[0, 0, 0, 0, 2]; count].iter())),
        ])
    };
    Program::compile("few", &lifts(100), &limits()).unwrap();
    let why = refusal(&lifts(100_000));
    assert!(why.contains("more types within the types of its functions together"), "{why}");
}

#[test]
fn values_do_not_pass_after_the_deadline() {
    // A component gives another one a list that takes longer than all of its time.
    let wasm = wat(r#"(component
      (component $c
        (core module $m (memory (export "mem") 1) (func (export "f") (param i32 i32))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
        (core instance $m (instantiate $m))
        (func (export "f") (param "s" (list bool))
          (canon lift (core func $m "f") (memory (core memory $m "mem"))
            (realloc (core func $m "realloc")))))
      (instance $c (instantiate $c))
      (core module $a (memory (export "mem") 320))
      (core instance $a (instantiate $a))
      (core func $f (canon lower (func $c "f") (memory (core memory $a "mem"))))
      (core module $m (import "" "f" (func $f (param i32 i32)))
        (func (export "f") (call $f (i32.const 0) (i32.const 20_000_000))))
      (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
      (func (export "f") (canon lift (core func $m "f"))))"#);
    let limits = Limits { deadline: Some(Duration::from_millis(300)), memory_pages: 20_000, ..limits() };
    let stopped = call_under(&limits, &wasm, "f", &[]).unwrap();
    let is_late = matches!(&stopped, Err(Stop::Deadline { why: Some(why), .. }) if why.contains("is late"));
    assert!(is_late, "{stopped:?}");
}
