//! Tables: the element cap at its edge, and that they never grow once an instance stands.

use crate::guest::{fuel_only, numbers, refusal};
use crate::support::wat;
use fuelbox::base::limits::SLICE_FUEL;
use fuelbox::{Denied, Limits, LoadProblem, Stop, Value};

fn elements(table_elements: u32) -> Limits {
    Limits { table_elements, ..Limits::default() }
}

#[test]
fn a_table_may_reach_the_cap_and_not_pass_it() {
    let source = |n: u32| format!(r#"(module (table {n} funcref) (func (export "f")))"#);
    for cap in [1, 10, 100_000] {
        for declared in [cap - 1, cap] {
            assert_eq!(numbers(&source(declared), &elements(cap), "f", &[]).result, Ok(vec![]));
        }
        let problem = refusal(&wat(&source(cap + 1)), &elements(cap));
        assert_eq!(problem, LoadProblem::Table { elements: u64::from(cap) + 1, limit: cap });
        let text = problem.to_string();
        assert!(text.contains(&format!("declares {} table elements", cap + 1)), "{text}");
        assert!(text.contains(&format!("the {cap} allowed (--max-table-elements")), "{text}");
    }
}

#[test]
fn a_table_of_two_billion_elements_is_refused() {
    let problem = refusal(&wat("(module (table 2147483648 funcref))"), &Limits::default());
    assert_eq!(problem, LoadProblem::Table { elements: 1 << 31, limit: 100_000 });
}

#[test]
fn tables_count_together() {
    let source = wat(r#"(module (table 6 funcref) (table 5 externref))"#);
    assert_eq!(refusal(&source, &elements(10)), LoadProblem::Table { elements: 11, limit: 10 });
    let most = wat(r#"(module (table 4294967295 funcref) (table 4294967295 funcref))"#);
    let LoadProblem::Table { elements, .. } = refusal(&most, &elements(10)) else { panic!() };
    assert_eq!(elements, 2 * u64::from(u32::MAX));
}

#[test]
fn element_segments_count_too() {
    // A segment takes memory of its own, whether it is copied into a table or not.
    let source = |n: usize| {
        let list = "$f ".repeat(n);
        format!(r#"(module (table 2 funcref) (elem func {list}) (func $f (export "f")))"#)
    };
    assert_eq!(numbers(&source(8), &elements(10), "f", &[]).result, Ok(vec![]));
    let problem = refusal(&wat(&source(9)), &elements(10));
    assert_eq!(problem, LoadProblem::Table { elements: 11, limit: 10 });
    let expressions = wat("(module (elem funcref (ref.null func) (ref.null func)))");
    assert_eq!(refusal(&expressions, &elements(1)), LoadProblem::Table { elements: 2, limit: 1 });
}

#[test]
fn a_table_never_grows_once_the_instance_stands() {
    let source = r#"(module (table $t 1 1000 funcref)
        (func (export "f") (param i32) (result i32 i32)
          (table.grow $t (ref.null func) (local.get 0)) (table.size $t)))"#;
    for by in [1, 10, 999, 1000, -1] {
        let report = numbers(source, &Limits::default(), "f", &[by.into()]);
        assert_eq!(report.result, Ok(vec![Value::I32(-1), Value::I32(1)]), "grow by {by}");
    }
}

#[test]
fn a_trap_after_a_denied_table_growth_says_so() {
    let source = r#"(module (table $t 1 funcref) (func (export "f")
        (drop (table.grow $t (ref.null func) (i32.const 5))) (unreachable)))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    let Err(stop @ Stop::MemoryDenied { denied, .. }) = &report.result else { panic!("{report:?}") };
    assert_eq!(*denied, Denied::Table { wanted: 6 });
    assert!(stop.to_string().contains("table to 6 elements"), "{stop}");
}

/// Grows a table by a few elements, again and again, at every distance from the end of a fuel slice, and
/// counts on a value that is kept in a local meanwhile. In wasmi 2.0.0 a `table.grow` that ran out of fuel
/// left no resume point; the run then went on with changed slots. `pause` shifts where the slices end.
fn attack(rounds: u32, pause: u32, by: u32) -> String {
    format!(
        r#"(module (table $t 10 funcref)
             (func (export "f") (result i32 i32 i32) (local $n i32) (local $sum i32) (local $m i32)
               (local.set $n (i32.const {rounds}))
               (loop $l
                 (local.set $m (i32.const {pause}))
                 (loop $p (br_if $p (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))
                 (local.set $sum (i32.add (local.get $sum)
                   (i32.add (i32.const 3) (table.grow $t (ref.null func) (i32.const {by})))))
                 (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
               (local.get $sum) (local.get $n) (table.size $t)))"#
    )
}

#[test]
fn growing_tables_over_slice_borders_changes_no_result() {
    for pause in [1, 2, 3, 7, 50, 99, 1000] {
        let rounds = 20_000;
        for by in [1, 90_000] {
            let source = attack(rounds, pause, by);
            let report = numbers(&source, &Limits::default(), "f", &[]);
            // Each growth is denied (-1), so each round adds 2.
            let expected = [2 * rounds as i32, 0, 10].map(Value::I32).to_vec();
            assert_eq!(report.result, Ok(expected), "pause {pause}, by {by}");
            assert!(report.usage.fuel > SLICE_FUEL, "{}", report.usage.fuel);
        }
    }
}

#[test]
fn growing_tables_with_any_small_budget_ends_in_order() {
    let source = attack(5, 2, 90_000);
    let needed = numbers(&source, &Limits::default(), "f", &[]).usage.fuel;
    for limit in 1..=needed + 5 {
        let report = numbers(&source, &fuel_only(limit), "f", &[]);
        match report.result {
            Ok(values) => {
                assert!(limit >= needed, "{limit} of {needed}");
                assert_eq!(values, [10, 0, 10].map(Value::I32));
            }
            Err(stop) => {
                assert!(limit < needed, "{limit} of {needed}");
                assert_eq!(stop, Stop::OutOfFuel { limit });
            }
        }
    }
}
