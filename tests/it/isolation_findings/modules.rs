//! Guests that use the interpreter's faults (`docs/upstream.md`), or that are as loud and as large as they may be.

use crate::support::wat;

/// Stack cells that a level of [`leak`] reads.
pub const WIDTH: usize = 32;

/// Constants between two levels, so that the next one reads cells further up.
const APART: usize = WIDTH + 40;

/// Local variables that a level of `put` fills.
const LEFT: usize = 64;

/// The text of an instruction, `n` times.
fn times(n: usize, what: &str) -> String {
    format!("{what} ").repeat(n)
}

/// `greet` gives what is in cells of the value stack that it never wrote: [`WIDTH`] of them, at so many levels. `put` leaves
/// the first word of its input in cells. `own` does first the one and then the other, in one call. All three begin `jump`
/// cells further up.
pub fn leak(levels: usize, jump: usize) -> Vec<u8> {
    let bytes = (levels + 1) * 8 * WIDTH;
    let pages = 2 + bytes.div_ceil(65_536);
    let stores: String = (0..WIDTH)
        .map(|k| format!("local.set $cell (i64.store offset={} (local.get $to) (local.get $cell))", 8 * k))
        .collect();
    let sets: String = (2..2 + LEFT).map(|k| format!("(local.set {k} (local.get $word))")).collect();
    let (skip, back) = (times(jump, "i32.const 0"), times(jump, "drop"));
    let read = format!(
        "(call $read (i32.const {levels}) (i32.const 131072) (i32.const 0) (i64.const 1))
         {back} (i64.const {})",
        131_072_u64 << 32 | bytes as u64
    );
    let put = format!("(call $put (i32.const {levels}) (i64.load (local.get 0)))");
    wat(&format!(
        r#"(module
        (type $wide (func {params}))
        (memory (export "memory") {pages})
        (func (export "allocate") (param i32) (result i32) (i32.const 1024))
        (func $put (param $n i32) (param $word i64) (local {locals})
          {sets}
          (if (local.get $n)
            (then (call $put (i32.sub (local.get $n) (i32.const 1)) (local.get $word)))))
        ;; What is below the parameters of the block is kept in one arm only.
        (func $read (param $n i32) (param $to i32) (param $arm i32) (param $word i64) (local $cell i64)
          {words} {zeroes} local.get $arm
          if (type $wide) {drops} (local.set $word (i64.const 0)) else {drops} end
          {stores}
          (if (local.get $n) (then
            {apart}
            (call $read (i32.sub (local.get $n) (i32.const 1))
              (i32.add (local.get $to) (i32.const {step})) (local.get $arm) (local.get $word))
            {together})))
        (func (export "greet") (param i32 i32) (result i64) {skip} {read})
        (func (export "put") (param i32 i32) (result i64) {skip} {put} {back} (i64.const 0))
        (func (export "own") (param i32 i32) (result i64) {skip} {put} {read}))"#,
        params = times(WIDTH, "(param i32)"),
        locals = times(LEFT, "i64"),
        words = times(WIDTH, "local.get $word"),
        zeroes = times(WIDTH, "i32.const 0"),
        drops = times(WIDTH, "drop"),
        apart = times(APART, "i32.const 0"),
        together = times(APART, "drop"),
        step = 8 * WIDTH,
    ))
}

/// Both give their first parameter, if the interpreter keeps what lies below the parameters of a block.
pub const SKIP: &str = r#"(module
  (func (export "if") (param $value i64) (param $arm i32) (result i64)
    local.get $value i32.const 5 local.get $arm
    if (param i32) drop (local.set $value (i64.const 1)) else drop end)
  (func (export "loop") (param $value i64) (param $rounds i32) (result i64)
    local.get $value i32.const 5
    loop (param i32)
      drop
      (local.set $value (i64.add (local.get $value) (i64.const 1000)))
      i32.const 7
      (br_if 0 (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))
      drop
    end))"#;

/// `call` and `greet` take a number for a reference to a function, and call that; `is_null` looks at it only.
pub fn forge() -> Vec<u8> {
    let cells = 2..66;
    let sets: String = cells.clone().map(|k| format!("(local.set {k} (local.get 0))")).collect();
    wat(&format!(
        r#"(module
        (type $none (func))
        (table 4 funcref)
        (func $leave (param i64) (local i64 {locals}) {sets})
        (func $forged (param $arm i32) (param $f funcref) (result funcref)
          local.get $f i32.const 9 local.get $arm
          if (param i32) drop (local.set $f (ref.null func)) else drop end)
        (func $call (param $arm i32) (param $f funcref)
          i32.const 1 local.get $f i32.const 9 local.get $arm
          if (param i32) drop (local.set $f (ref.null func)) else drop end
          table.set 0
          (call_indirect (type $none) (i32.const 1)))
        (func (export "call") (param i64)
          (call $leave (local.get 0)) (call $call (i32.const 0) (ref.null func)))
        (func (export "greet")
          (call $leave (i64.const 100)) (call $call (i32.const 0) (ref.null func)))
        (func (export "is_null") (param i64) (result i32)
          (call $leave (local.get 0))
          (ref.is_null (call $forged (i32.const 0) (ref.null func)))))"#,
        locals = times(cells.len(), "i64"),
    ))
}

/// Each gives 1 for a zero and 0 for another number. `divides` gives 100, or traps if it finds a zero where a one must be.
pub const SELECT: &str = r#"(module
  (func (export "i32") (param i32) (result i32)
    (select (i32.const 1) (i32.const 0) (i32.eqz (local.get 0))))
  (func (export "i64") (param i64) (result i64)
    (local.set 0 (select (i64.const 1) (i64.const 0) (i64.eqz (local.get 0)))) (local.get 0))
  (func (export "other") (param i32 i32) (result i32)
    (local.set 1 (select (i32.const 1) (i32.const 0) (i32.eqz (local.get 0)))) (local.get 1))
  (func (export "divides") (result i32) (local i32)
    (block (local.set 0 (select (i32.const 1) (i32.const 0) (i32.eqz (local.get 0)))))
    (i32.div_s (i32.const 100) (local.get 0))))"#;

/// The bits of NaNs that operations make, of numbers and of a NaN with other bits.
pub const NAN: &str = r#"(module
  (func (export "div") (param f64 f64) (result i64) (i64.reinterpret_f64 (f64.div (local.get 0) (local.get 1))))
  (func (export "constants") (result i64) (i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0))))
  (func (export "sqrt") (param f64) (result i64) (i64.reinterpret_f64 (f64.sqrt (local.get 0))))
  (func (export "payload") (param i64) (result i64)
    (i64.reinterpret_f64 (f64.add (f64.reinterpret_i64 (local.get 0)) (f64.const 1)))))"#;

/// Writes a megabyte to standard error.
pub const STDERR: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 20)
  (func (export "allocate") (param i32) (result i32) (i32.const 65536))
  (func (export "greet") (param i32 i32) (result i64)
    (memory.fill (i32.const 65536) (i32.const 98) (i32.const 1000000))
    (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 1000000))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i64.const 0)))"#;

/// Logs four megabytes that all need to be escaped: `one` once, `all` until it is stopped.
pub const LOG: &str = r#"(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "log_error" (func $log (param i64)))
  (memory (export "memory") 1)
  (func $text (result i64) (local $block i64) (local $at i64)
    (local.set $block (call $alloc (i64.const 4000000)))
    (loop $more
      (call $store (i64.add (local.get $block) (local.get $at)) (i64.const 0x1b1b1b1b1b1b1b1b))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $more (i64.lt_u (local.get $at) (i64.const 4000000))))
    (local.get $block))
  (func (export "one") (result i32) (call $log (call $text)) (i32.const 0))
  (func (export "all") (result i32)
    (call $log (call $text))
    ;; A block that was logged is free again.
    (loop $more (call $log (call $alloc (i64.const 4000000))) (br $more))
    (i32.const 0)))"#;

/// Takes all the memory that it may have, computes for a while, and gives a megabyte.
pub const HOLD: &str = r#"(module
  (memory (export "memory") 17)
  (func (export "allocate") (param i32) (result i32) (i32.const 4096))
  (func (export "greet") (param i32 i32) (result i64)
    (drop (memory.grow (i32.const 303)))
    (memory.fill (i32.const 0) (i32.const 99) (i32.const 20971520))
    (local.set 0 (i32.const 3000000))
    (loop $more (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i64.const 1048576)))"#;

/// A program that takes memory until it is denied, computes for a while, and then writes and asks for more by turns.
pub const DENIED: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (func (export "_start") (local $n i32)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (local.set $n (i32.const 3000000))
    (loop $more (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 10000))
    (local.set $n (i32.const 100))
    (loop $more
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (memory.grow (i32.const 1)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// A module of `count` data segments of this kind.
pub fn segments(count: usize, segment: &str) -> Vec<u8> {
    wat(&format!(r#"(module (memory 1) (func (export "f")) {})"#, times(count, segment)))
}
