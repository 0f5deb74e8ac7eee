//! The tables of all interfaces together.

use super::super::INTERFACES;
use super::World;
use crate::host::component::value::Value;
use crate::host::component::wit::Names;
use crate::host::streams::Stdin;
use crate::module::component::types::{ResourceId, Types};
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
            let Some((kind, method)) = row.name.split_once(']') else { continue };
            let resource = match kind {
                "[constructor" => method,
                _ => method.split_once('.').expect(row.name).0,
            };
            assert!(interface.types.contains(&format!("resource {resource};")), "{}", row.name);
            match kind {
                "[method" => assert!(row.ty.starts_with(&format!("(self: borrow<{resource}>")), "{}", row.ty),
                "[constructor" => assert!(row.ty.ends_with(&format!("-> own<{resource}>")), "{}", row.ty),
                _ => assert_eq!(kind, "[static"),
            }
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
                let original = name.split_once(" as ").map_or(name, |(original, _)| original);
                assert!(words.contains(&original), "{used}");
            }
        }
    }
}

/// Of each function, also those that no test imports.
#[test]
fn every_type_can_be_read() {
    let mut resources = BTreeSet::new();
    let mut resource = |interface: &str, name: &str| {
        assert!(resources.insert(format!("{interface}.{name}")), "{interface}.{name} was asked for twice");
        ResourceId(resources.len() as u32)
    };
    let (mut types, find) = (Types::default(), super::find);
    let mut names = Names::new(&mut types, &find, &mut resource);
    for interface in INTERFACES {
        for row in interface.rows {
            let ty = names.function(interface, row.name, row.ty).unwrap();
            assert_eq!(
                ty.params.len(),
                row.ty.split("->").next().unwrap().matches(": ").count(),
                "{}",
                row.name
            );
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
