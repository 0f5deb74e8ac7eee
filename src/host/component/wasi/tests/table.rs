//! The tables of all interfaces together.

use super::super::INTERFACES;
use super::World;
use crate::host::component::value::Value;
use crate::host::streams::Stdin;
use std::collections::BTreeSet;

#[test]
fn no_name_is_there_twice() {
    let mut names = BTreeSet::new();
    for interface in INTERFACES {
        assert!(names.insert((interface.name, "")), "{}", interface.name);
        for row in interface.rows {
            assert!(names.insert((interface.name, row.name)), "{} {}", interface.name, row.name);
        }
    }
}

#[test]
fn methods_name_a_resource_of_their_interface() {
    for interface in INTERFACES {
        for row in interface.rows {
            let Some((_, method)) = row.name.split_once(']') else { continue };
            let resource = method.split_once('.').expect(row.name).0;
            assert!(interface.types.contains(&format!("resource {resource};")), "{}", row.name);
            assert!(row.ty.starts_with(&format!("(self: borrow<{resource}>")), "{}", row.ty);
        }
    }
}

#[test]
fn what_is_used_from_another_interface_is_declared_there() {
    for interface in INTERFACES {
        for used in interface.types.split(';').filter_map(|one| one.trim().strip_prefix("use ")) {
            let (other, names) = used.split_once(".{").expect(used);
            let other = super::find(other).expect(other);
            for name in names.trim_end_matches('}').split(',').map(str::trim) {
                let words: Vec<&str> =
                    other.types.split(|c: char| !(c.is_alphanumeric() || "-%".contains(c))).collect();
                assert!(words.contains(&name), "{used}");
            }
        }
    }
}

/// Arguments that are none of those that any function takes, and too few of them, never end the host.
#[test]
fn wrong_arguments_stop_no_more_than_the_guest() {
    let wrong = [
        vec![],
        vec![Value::Char('x'); 12],
        vec![super::borrow(77); 12],
        vec![Value::U64(u64::MAX); 12],
        vec![Value::List(vec![Value::Bool(true)]); 12],
        vec![Value::Variant(99, None); 12],
        vec![Value::Record(vec![]); 12],
        vec![Value::String("x".into()); 12],
    ];
    for interface in INTERFACES {
        for row in interface.rows {
            for args in &wrong {
                let mut world = World::new(Stdin::Empty);
                let answer = world.call(interface.name, row.name, args);
                if row.ty.starts_with("(self") {
                    super::traps(answer, "");
                }
            }
        }
    }
}
