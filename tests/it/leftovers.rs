//! What earlier runs, and the host, left in memory: a guest does not get to see it, even where the interpreter reads
//! stack cells that it never wrote.

use crate::support::{job, wat};
use fuelbox::abi::numeric;
use fuelbox::{CompileOptions, Limits, Program, Value};

const WIDTH: usize = 32;

/// A guest whose `leak` gives all bits of some 13,000 stack cells that it never wrote, or'ed together. It makes the
/// interpreter preserve 32 locals in one arm of an `if` only (`docs/upstream.md`); by the specification it gives 0.
fn leaking() -> String {
    let values = "local.get 3 ".repeat(WIDTH);
    let zeroes = "i32.const 0 ".repeat(32);
    let drops = "drop ".repeat(32);
    let stores: String = (0..WIDTH)
        .rev()
        .map(|k| format!("local.set 4 local.get 1 local.get 4 i64.store offset={} ", 8 * k))
        .collect();
    let fill = "i32.const 0 ".repeat(WIDTH + 40);
    let unfill = "drop ".repeat(WIDTH + 40);
    let set: String = (1..65).map(|local| format!("(local.set {local} (i64.const -1)) ")).collect();
    format!(
        r#"(module (memory 4) (type $params (func (param {params})))
          (func $rec (param i32 i32 i32 i64) (local i64)
            {values} {zeroes} local.get 2
            if (type $params) {drops} i64.const 1 local.set 3 else {drops} end
            {stores}
            local.get 0 i32.eqz br_if 0
            {fill}
            (call $rec (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const {row}))
              (local.get 2) (local.get 3))
            {unfill})
          (func $put (export "put") (param i32) (local {secrets}) {set}
            (if (local.get 0) (then (call $put (i32.sub (local.get 0) (i32.const 1))))))
          (func (export "leak") (result i64) (local $at i32) (local $all i64)
            (call $rec (i32.const 399) (i32.const 0) (i32.const 0) (i64.const 0))
            (loop $next
              (local.set $all (i64.or (local.get $all) (i64.load (local.get $at))))
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (br_if $next (i32.lt_u (local.get $at) (i32.const {all}))))
            (local.get $all)))"#,
        params = "i32 ".repeat(32),
        secrets = "i64 ".repeat(64),
        row = 8 * WIDTH,
        all = 8 * WIDTH * 400,
    )
}

/// Leaves secrets in the allocator's hands, in blocks of every size that a value stack grows through.
fn leave_secrets() {
    let blocks: Vec<Vec<u64>> =
        (0..12).flat_map(|k| (0..4).map(move |_| vec![u64::MAX; (128 << k) + 1])).collect();
    assert!(blocks.iter().all(|block| block[block.len() / 2] == u64::MAX));
}

#[test]
fn cells_that_were_never_written_hold_zeroes() {
    let limits = Limits::default();
    let options = CompileOptions { work_arounds: false, ..CompileOptions::default() };
    let program = Program::compile_with("test", &wat(&leaking()), &limits, &options).unwrap();
    for _ in 0..100 {
        leave_secrets();
        let report = numeric::run(job(&program, &limits), "leak", &[]).unwrap();
        assert_eq!(report.result, Ok(vec![Value::I64(0)]), "of the host");
        let report = numeric::run(job(&program, &limits), "put", &[Value::I32(900)]).unwrap();
        assert_eq!(report.result, Ok(vec![]));
        let report = numeric::run(job(&program, &limits), "leak", &[]).unwrap();
        assert_eq!(report.result, Ok(vec![Value::I64(0)]), "of another run");
    }
}

#[test]
fn what_reads_such_cells_is_refused() {
    let problem = crate::guest::refusal(&wat(&leaking()), &Limits::default()).to_string();
    assert!(problem.contains("takes parameters"), "{problem}");
}
