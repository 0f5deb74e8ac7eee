//! Plug-ins for Extism that mean harm: wrong offsets, endless blocks, variables and logs, memory and blocks
//! against their common cap, and rubbish for every function.

use crate::extism::imports;
use crate::plain::PlainResults;
use crate::support::{TempDir, deadline_ms, fuelbox_program, job, program, wat};
use fuelbox::abi::{call_bytes, numeric};
use fuelbox::base::limits::{
    BLOCK_OVERHEAD_BYTES, BLOCKS_MAX, LOG_LINES_MAX, PAGE_BYTES, VAR_OVERHEAD_BYTES, VARS_BYTES_MAX,
    WarmLimits,
};
use fuelbox::{Convention, Denied, Error, Limits, Runner, RunnerConfig, Stop, Value};
use std::process::Command;
use std::time::Duration;

/// Every function that a plug-in can import, with its type.
const ALL: [(&str, &str); 27] = [
    ("input_length", "(result i64)"),
    ("input_offset", "(result i64)"),
    ("input_load_u8", "(param i64) (result i32)"),
    ("input_load_u64", "(param i64) (result i64)"),
    ("length", "(param i64) (result i64)"),
    ("length_unsafe", "(param i64) (result i64)"),
    ("alloc", "(param i64) (result i64)"),
    ("free", "(param i64)"),
    ("output_set", "(param i64 i64)"),
    ("error_set", "(param i64)"),
    ("error_get", "(result i64)"),
    ("load_u8", "(param i64) (result i32)"),
    ("load_u64", "(param i64) (result i64)"),
    ("store_u8", "(param i64 i32)"),
    ("store_u64", "(param i64 i64)"),
    ("config_get", "(param i64) (result i64)"),
    ("var_get", "(param i64) (result i64)"),
    ("var_set", "(param i64 i64)"),
    ("http_request", "(param i64 i64) (result i64)"),
    ("http_status_code", "(result i32)"),
    ("http_headers", "(result i64)"),
    ("log_trace", "(param i64)"),
    ("log_debug", "(param i64)"),
    ("log_info", "(param i64)"),
    ("log_warn", "(param i64)"),
    ("log_error", "(param i64)"),
    ("get_log_level", "(result i32)"),
];

fn plenty() -> Limits {
    deadline_ms(60_000)
}

/// Calls `f` of a module of `body`, a function of numbers.
fn numbers(limits: &Limits, body: &str, params: &[Value]) -> Result<Vec<Value>, Stop> {
    let program = program(&format!("(module {} {body})", imports(&ALL)), limits);
    numeric::run(job(&program, limits), "f", params).unwrap().result
}

/// Calls `f` of a module of `body`, a plug-in's function.
fn plugin(limits: &Limits, body: &str, input: &[u8]) -> Result<Vec<u8>, Stop> {
    let program = program(&format!("(module {} {body})", imports(&ALL)), limits);
    call_bytes(job(&program, limits), "f", input, Some(Convention::Extism)).unwrap().result
}

/// Takes blocks of a byte until there are no more, and tells how many there were.
const TINY: &str = r#"(memory 1) (func (export "f") (result i64) (local $n i64)
    (loop $l (if (i64.ne (call $alloc (i64.const 1)) (i64.const 0))
      (then (local.set $n (i64.add (local.get $n) (i64.const 1))) (br $l))))
    (if (i64.eqz (call $alloc (i64.const 1))) (then (return (local.get $n)))) (unreachable))"#;

#[test]
fn a_million_tiny_blocks_are_bounded() {
    let limits = plenty();
    let room = limits.memory_pages as usize * PAGE_BYTES - PAGE_BYTES;
    let expected = (room / (BLOCK_OVERHEAD_BYTES + 1)) as i64;
    assert_eq!(numbers(&limits, TINY, &[]), Ok(vec![expected.into()]));
    // With more memory, their number is what is bounded.
    let limits = Limits { memory_pages: 4096, ..plenty() };
    assert_eq!(numbers(&limits, TINY, &[]), Ok(vec![(BLOCKS_MAX as i64).into()]));
    let trap = TINY.replace("(return (local.get $n))", "(unreachable)");
    let stop = numbers(&limits, &trap, &[]).unwrap_err();
    let Stop::MemoryDenied { denied, trap } = stop else { panic!("{stop:?}") };
    assert_eq!(denied, Denied::Blocks { limit: BLOCKS_MAX });
    assert!(trap.contains("unreachable"));
}

#[test]
fn a_million_blocks_one_after_the_other_leave_nothing() {
    let body = r#"(memory 1) (func (export "f") (param $n i64) (param $length i64) (result i64) (local $b i64)
        (loop $l
          (local.set $b (call $alloc (i64.const 1000)))
          (if (i64.eqz (local.get $b)) (then (unreachable)))
          (call $free (local.get $b))
          (call $free (local.get $b))
          (br_if $l (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
        (call $length (call $alloc (local.get $length))))"#;
    let limits = Limits { memory_pages: 3, ..plenty() };
    let all = (2 * PAGE_BYTES - BLOCK_OVERHEAD_BYTES) as i64;
    assert_eq!(numbers(&limits, body, &[1_000_000_i64.into(), all.into()]), Ok(vec![all.into()]));
    assert_eq!(numbers(&limits, body, &[1000_i64.into(), (all + 1).into()]), Ok(vec![0_i64.into()]));
}

#[test]
fn the_end_of_a_block_is_no_other_block() {
    let body = r#"(memory 1) (func (export "f") (param $length i64) (result i32) (local $end i64)
        (local.set $end (i64.add (call $alloc (local.get $length)) (local.get $length)))
        (call $store_u8 (call $alloc (i64.const 1)) (i32.const 7))
        (call $store_u64 (i64.sub (local.get $end) (i64.const 1)) (i64.const -1))
        (i32.add (i32.wrap_i64 (call $length (local.get $end))) (call $load_u8 (local.get $end))))"#;
    for length in [1, 8, 15, 16, 17, 31, 32, 33, 4096] {
        assert_eq!(numbers(&plenty(), body, &[Value::I64(length)]), Ok(vec![0.into()]), "{length}");
    }
}

#[test]
fn many_blocks_are_found_as_fast_as_few() {
    // With a search through all of them this would be 10^10 steps; the deadline would end it.
    let body = r#"(memory 1) (func (export "f") (param $n i64) (result i64) (local $i i64) (local $sum i64)
        (loop $l
          (call $store_u64 (call $alloc (i64.const 8)) (local.get $i))
          (br_if $l (i64.ne (local.tee $i (i64.add (local.get $i) (i64.const 1))) (local.get $n))))
        (loop $m
          (local.set $i (i64.sub (local.get $i) (i64.const 1)))
          ;; Blocks of 8 bytes begin every 16.
          (local.set $sum (i64.add (local.get $sum)
            (call $load_u64 (i64.mul (i64.add (local.get $i) (i64.const 1)) (i64.const 16)))))
          (call $free (i64.mul (i64.add (local.get $i) (i64.const 1)) (i64.const 16)))
          (br_if $m (i64.ne (local.get $i) (i64.const 0))))
        (local.get $sum))"#;
    let n = 100_000_i64;
    assert_eq!(numbers(&plenty(), body, &[n.into()]), Ok(vec![(n * (n - 1) / 2).into()]));
}

/// Takes a block, then pages; or pages, then a block. Tells what came of both.
const BOTH: &str = r#"(memory 1)
    (func (export "f") (param $length i64) (param $pages i32) (param $blocks_first i32) (result i32 i32)
      (local $block i64) (local $grown i32)
      (if (local.get $blocks_first) (then (local.set $block (call $alloc (local.get $length)))))
      (local.set $grown (memory.grow (local.get $pages)))
      (if (i32.eqz (local.get $blocks_first)) (then (local.set $block (call $alloc (local.get $length)))))
      (i64.ne (local.get $block) (i64.const 0)) (i32.ne (local.get $grown) (i32.const -1)))"#;

#[test]
fn blocks_and_memory_share_a_cap() {
    let limits = Limits { memory_pages: 4, ..plenty() };
    let both = |length: usize, pages: i32, first: i32| {
        numbers(&limits, BOTH, &[(length as i64).into(), pages.into(), first.into()]).unwrap()
    };
    // A page of the four is there; what fits beside `pages` more of them is `length`.
    for pages in 0..=3 {
        let length = (3 - pages as usize) * PAGE_BYTES - BLOCK_OVERHEAD_BYTES * usize::from(pages < 3);
        for first in [0, 1] {
            let fits = i32::from(pages < 3);
            assert_eq!(both(length, pages, first), [fits.into(), 1.into()], "{pages} {first}");
            if pages < 3 {
                assert_eq!(both(length - 1, pages, first), [1.into(), 1.into()], "{pages} {first}");
                // Whichever comes second is denied.
                let (block, grown) = (first, if pages == 0 { 1 } else { 1 - first });
                let block = if pages == 0 { 0 } else { block };
                assert_eq!(both(length + 1, pages, first), [block.into(), grown.into()], "{pages} {first}");
            }
        }
    }
    assert_eq!(both(1, 3, 1), [1.into(), 0.into()]);
    assert_eq!(both(1, 4, 0), [1.into(), 0.into()]);
}

#[test]
fn what_was_denied_is_remembered() {
    let limits = Limits { memory_pages: 4, ..plenty() };
    for (body, wanted) in [
        ("(drop (call $alloc (i64.const 65536))) (drop (memory.grow (i32.const 2)))", 5),
        ("(drop (call $alloc (i64.const 196609)))", 5),
        ("(drop (call $alloc (i64.const -1)))", u64::MAX / PAGE_BYTES as u64 + 1),
    ] {
        let body = format!(r#"(memory 1) (func (export "f") (result i32) {body} (unreachable))"#);
        let stop = plugin(&limits, &body, b"").unwrap_err();
        let Stop::MemoryDenied { denied: Denied::Pages { wanted: found, limit: 4 }, .. } = stop else {
            panic!("{stop:?}")
        };
        if usize::BITS == 64 || wanted == 5 {
            assert_eq!(found, wanted, "{body}");
        }
    }
    // Such an instance is not kept.
    let dir = TempDir::new();
    let body = r#"(memory 1) (func (export "f") (result i32) (drop (call $alloc (i64.const 262144))) (i32.const 0))"#;
    dir.write("p.wasm", wat(&format!("(module {} {body})", imports(&ALL))));
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { limits, warm, ..crate::support::runner_config() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    assert_eq!(runner.bytes("p", "f", b"").unwrap(), b"");
    assert_eq!(runner.plugins().get("p").unwrap().warm.as_ref().unwrap().len(), 0);
}

#[test]
fn input_counts_against_the_memory_cap() {
    let body = r#"(memory 1) (func (export "f") (result i32)
        (call $output_set (call $input_offset) (call $input_length)) (i32.const 0))"#;
    let limits = Limits { memory_pages: 2, ..plenty() };
    let most = PAGE_BYTES - BLOCK_OVERHEAD_BYTES;
    assert_eq!(plugin(&limits, body, &vec![b'x'; most]).unwrap().len(), most);
    let stop = plugin(&limits, body, &vec![b'x'; most + 1]).unwrap_err();
    assert!(matches!(&stop, Stop::MemoryDenied { trap, .. } if trap.contains("input")), "{stop:?}");
    // Without a memory of its own, a plug-in has both pages for it.
    let body = &body["(memory 1) ".len()..];
    assert_eq!(plugin(&limits, body, &vec![b'x'; most + PAGE_BYTES]).unwrap().len(), most + PAGE_BYTES);
    let none = Limits { memory_pages: 0, ..plenty() };
    assert_eq!(plugin(&none, body, b""), Ok(vec![]));
    assert!(matches!(plugin(&none, body, b"x"), Err(Stop::MemoryDenied { .. })));
}

/// Sets a variable of one letter to `length` bytes, `n` times.
const VARS: &str = r#"(memory 1)
    (func $key (param $letter i32) (result i64) (local $b i64)
      (local.set $b (call $alloc (i64.const 1)))
      (call $store_u8 (local.get $b) (local.get $letter))
      (local.get $b))
    (func (export "f") (param $length i64) (param $n i32) (param $other i32) (result i64)
      (loop $l
        (call $var_set (call $key (i32.const 97)) (call $alloc (local.get $length)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (if (local.get $other)
        (then (call $var_set (call $key (i32.const 98)) (call $alloc (i64.extend_i32_u (local.get $other))))))
      (call $length (call $var_get (call $key (i32.const 97)))))"#;

#[test]
fn variables_are_bounded() {
    let set = |limits: &Limits, length: usize, n: i32, other: i32| {
        numbers(limits, VARS, &[(length as i64).into(), n.into(), other.into()])
    };
    let limits = plenty();
    let most = VARS_BYTES_MAX - VAR_OVERHEAD_BYTES - 1;
    // Set anew, it does not count twice.
    for length in [most - 1, most] {
        assert_eq!(set(&limits, length, 20, 0), Ok(vec![(length as i64).into()]));
    }
    let full = |result: Result<Vec<Value>, Stop>| match result {
        Err(Stop::Trap(what)) => assert!(what.contains("var_set: the variables would take"), "{what}"),
        other => panic!("{other:?}"),
    };
    full(set(&limits, most + 1, 1, 0));
    full(set(&limits, most, 1, 1));
    let second = VAR_OVERHEAD_BYTES + 1;
    full(set(&limits, most - second, 1, 1));
    assert!(set(&limits, most - second - 1, 1, 1).is_ok());
    // They count against the memory cap too, beside the block that they come from.
    let small = Limits { memory_pages: 2, ..plenty() };
    assert!(set(&small, 30_000, 1, 0).is_ok());
    let stop = set(&small, 40_000, 1, 0).unwrap_err();
    assert!(matches!(&stop, Stop::MemoryDenied { trap, .. } if trap.contains("var_set")), "{stop:?}");
}

#[test]
fn a_million_variables_are_bounded() {
    let body = r#"(memory 1) (func (export "f") (result i32) (local $key i64) (local $i i64)
        (loop $l
          (local.set $key (call $alloc (i64.const 8)))
          ;; Any seven bits are UTF-8.
          (call $store_u64 (local.get $key) (i64.add
            (i64.and (local.get $i) (i64.const 0x7f)) (i64.add
            (i64.shl (i64.and (i64.shr_u (local.get $i) (i64.const 7)) (i64.const 0x7f)) (i64.const 8))
            (i64.shl (i64.and (i64.shr_u (local.get $i) (i64.const 14)) (i64.const 0x7f)) (i64.const 16)))))
          (call $var_set (local.get $key) (call $alloc (i64.const 1)))
          (br_if $l (i64.ne (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 1000000))))
        (i32.const 0))"#;
    let stop = plugin(&plenty(), body, b"").unwrap_err();
    assert!(matches!(&stop, Stop::Trap(what) if what.contains("var_set")), "{stop:?}");
}

#[test]
fn an_endless_log_is_cut_off() {
    let dir = TempDir::new();
    let body = r#"(func $tell (local $b i64) (local.set $b (call $alloc (i64.const 5)))
          (call $store_u64 (local.get $b) (i64.const 0x21_0a_1b_41)) (call $log_warn (local.get $b)))
        (func (export "f") (result i32) (local $n i32)
          (loop $l (call $tell)
            (br_if $l (i32.ne (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100000))))
          (call $log_error (call $alloc (i64.const 10000000))) (i32.const 0))"#;
    let path = dir.write("p.wasm", wat(&format!("(module {} {body})", imports(&ALL))));
    let mut command = Command::new(fuelbox_program());
    command.arg("call").arg(&path).arg("f").env("RUST_LOG", "fuelbox::guest=info");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(log.lines().count(), LOG_LINES_MAX as usize + 1);
    assert!(log.lines().all(|line| !line.contains('\u{1b}')), "a terminal acts on what a guest wrote");
    assert!(log.lines().next().unwrap().ends_with("A\\u{1b}\\n!\\u{0}"), "{log}");
    let more = 100_000 - u64::from(LOG_LINES_MAX) + 10_000_000_u64.div_ceil(4096);
    assert!(log.ends_with(&format!("p.wasm: {more} more lines\n")), "{}", log.lines().last().unwrap());
}

#[test]
fn calls_to_the_host_are_on_the_budget() {
    for call in [
        "(drop (call $load_u8 (i64.const 16)))",
        "(drop (call $input_load_u64 (i64.const 0)))",
        "(call $store_u64 (i64.const 16) (i64.const 1))",
        "(call $free (call $alloc (i64.const 1000000)))",
        "(call $var_set (call $alloc (i64.const 1)) (call $alloc (i64.const 100000)))",
        "(call $log_info (call $alloc (i64.const 1)))",
        "(call $error_set (i64.const 16))",
    ] {
        let body = format!(r#"(func (export "f") (result i32) (loop {call} (br 0)) (i32.const 0))"#);
        let limits = Limits { fuel: 30_000_000, ..plenty() };
        assert_eq!(plugin(&limits, &body, b"12345678"), Err(Stop::OutOfFuel { limit: 30_000_000 }), "{call}");
        let limits = Limits { fuel: u64::MAX / 2, deadline: Some(Duration::from_millis(30)), ..plenty() };
        let stop = plugin(&limits, &body, b"12345678").unwrap_err();
        assert!(matches!(stop, Stop::Deadline { .. }), "{call}: {stop:?}");
    }
}

#[test]
fn answers_come_through_when_a_slice_is_used_up() {
    // Without a branch between them, each call is held up that its slice cannot pay for.
    let one = "(local.set $n (i64.add (local.get $n) (i64.extend_i32_u (call $input_load_u8 (i64.const 1)))))
        (local.set $n (i64.add (local.get $n) (call $input_load_u64 (i64.const 0))))
        (call $store_u64 (call $input_offset) (local.get $n))
        (call $store_u64 (call $input_offset) (i64.const 0x0200))";
    let body = format!(
        r#"(func (export "f") (result i32) (local $n i64) (local $out i64) {}
        (local.set $out (call $alloc (i64.const 8))) (call $store_u64 (local.get $out) (local.get $n))
        (call $output_set (local.get $out) (i64.const 8)) (i32.const 0))"#,
        one.repeat(2000)
    );
    let output = plugin(&plenty(), &body, &[0, 2, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(u64::from_le_bytes(output.try_into().unwrap()), 2000 * (0x0200 + 2));
}

/// Calls every function that does not end the run, again and again, with arguments of which some are nearly
/// right.
fn rubbish(calls: &str) -> String {
    format!(
        r#"(memory 1) (global $x (mut i64) (i64.const 0)) (global $near (mut i64) (i64.const 16))
        (func $random (result i64)
          (global.set $x (i64.xor (global.get $x) (i64.shl (global.get $x) (i64.const 13))))
          (global.set $x (i64.xor (global.get $x) (i64.shr_u (global.get $x) (i64.const 7))))
          (global.set $x (i64.xor (global.get $x) (i64.shl (global.get $x) (i64.const 17))))
          (global.get $x))
        (func $any (result i64) (local $kind i64)
          (local.set $kind (i64.and (call $random) (i64.const 7)))
          (if (i64.eq (local.get $kind) (i64.const 0)) (then (return (i64.const 0))))
          (if (i64.eq (local.get $kind) (i64.const 1)) (then (return (i64.sub (i64.const 0) (i64.and (call $random) (i64.const 15))))))
          (if (i64.eq (local.get $kind) (i64.const 2)) (then (return (call $random))))
          (if (i64.eq (local.get $kind) (i64.const 3)) (then (return (global.get $near))))
          (i64.add (global.get $near) (i64.sub (i64.and (call $random) (i64.const 127)) (i64.const 63))))
        (func (export "f") (param $seed i64) (param $n i32) (result i64)
          (global.set $x (local.get $seed))
          (loop $l
            (global.set $near (call $alloc (i64.and (call $random) (i64.const 63))))
            {calls}
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (call $error_set (i64.const 0))
          (call $error_get))"#
    )
}

/// A call of each of `names` with any arguments, the result dropped.
fn calls_of<'a>(names: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    let call = |(name, ty): &(&str, &str)| {
        let (params, has_result) =
            (ty.matches("i64").count() + ty.matches("i32").count(), ty.contains("result"));
        let params = params - usize::from(has_result);
        let mut args = vec!["(call $any)".to_string(); params];
        if *name == "store_u8" {
            args[1] = "(i32.wrap_i64 (call $any))".into();
        }
        let call = format!("(call ${name} {})", args.join(" "));
        if has_result { format!("(drop {call})") } else { call }
    };
    names.map(call).collect::<Vec<_>>().join("\n")
}

#[test]
fn rubbish_does_no_harm() {
    let ends = ["config_get", "var_get", "var_set", "http_request", "log_info", "log_warn", "log_error"];
    let body = rubbish(&calls_of(ALL.iter().filter(|(name, _)| !ends.contains(name))));
    for seed in [1_i64, -7, 0x1234_5678_9abc_def0] {
        assert_eq!(numbers(&plenty(), &body, &[seed.into(), 5_000.into()]), Ok(vec![0_i64.into()]));
    }
    // What takes texts ends the run, in one of the ways there are.
    for name in ends {
        let body = rubbish(&calls_of(ALL.iter().filter(|(other, _)| *other == name)));
        for seed in 1..20_i64 {
            let stop = numbers(&plenty(), &body, &[seed.into(), 1000.into()]).unwrap_err();
            assert!(matches!(stop, Stop::Convention(_) | Stop::Trap(_)), "{name} with {seed}: {stop:?}");
        }
    }
}

#[test]
fn a_plugin_is_refused_what_does_not_fit_before_it_runs() {
    let limits = Limits { input_bytes: 10, ..plenty() };
    let body = r#"(func (export "f") (result i32) (unreachable))"#;
    let program = program(&format!("(module {} {body})", imports(&ALL)), &limits);
    let call = |input: &[u8]| call_bytes(job(&program, &limits), "f", input, None);
    assert!(matches!(call(&[0; 11]), Err(Error::InputTooLarge { size: 11, limit: 10 })));
    assert!(matches!(call(&[0; 10]).unwrap().result, Err(Stop::Trap(_))));
}
