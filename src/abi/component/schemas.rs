//! The JSON Schemas of a component's functions, for documents about them.

use super::call::is_raw;
use super::json::{args_schema, schema};
use crate::base::limits::SCHEMAS_BYTES_MAX;
use crate::sandbox::component::exports::START;
use crate::sandbox::program::Program;
use serde_json::{Map, Value};

/// For each function that is called with JSON, by its name: `arguments`, and `result` if it has one that is JSON. As text;
/// empty if there is none.
pub fn schemas(program: &Program) -> String {
    let Some(component) = program.component() else { return String::new() };
    let types = &component.plan.types;
    let mut all = Map::new();
    let mut room = SCHEMAS_BYTES_MAX;
    for offered in component.offered.iter().filter(|offered| offered.name != START) {
        let ty = &component.plan.funcs[offered.func as usize].ty;
        let mut one = Map::new();
        if !matches!(&*ty.params, [(_, only)] if is_raw(types, *only)) {
            one.insert("arguments".into(), args_schema(types, ty));
        }
        if let Some(result) = ty.result.filter(|result| !is_raw(types, *result)) {
            one.insert("result".into(), schema(types, result));
        }
        let one = Value::Object(one);
        let Some(left) = room.checked_sub(one.to_string().len() + offered.name.len()) else { break };
        room = left;
        all.insert(offered.name.clone(), one);
    }
    if all.is_empty() { String::new() } else { Value::Object(all).to_string() }
}
