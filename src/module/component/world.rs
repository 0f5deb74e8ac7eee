//! What a component imports and exports, as WIT.

use super::plan::{Export, Plan, Resource};
use super::types::{DefId, ResourceId, Ty};
use super::wit_text::WitText;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// Bytes of the text of one type, after which it is cut.
const TYPE_BYTES_MAX: usize = 4096;

/// The world of a component: the names of what it imports, and its exports with their types. Writing to a String does not
/// fail, so the results of `writeln!` are dropped.
pub fn print(plan: &Plan) -> String {
    let names = type_names(&plan.exports);
    let resources = resource_names(plan);
    let resource_name = |id: ResourceId| resources.get(&id).cloned().unwrap_or_else(|| "resource".into());
    let wit =
        WitText { types: &plan.types, names: &names, resource_name: &resource_name, most: TYPE_BYTES_MAX };
    let mut out = String::from("world {\n");
    for name in &plan.imports {
        let _ = writeln!(out, "  import {name};");
    }
    for (name, export) in &plan.exports {
        match export {
            Export::Instance(items) => {
                let _ = writeln!(out, "  export {name}: interface {{");
                push(plan, &wit, items, &mut out);
                out.push_str("  }\n");
            }
            Export::Func(func) => {
                let _ = writeln!(out, "  export {name}: {};", wit.func(&plan.funcs[*func as usize].ty));
            }
            Export::Type(Ty::Def(id)) => {
                let _ = writeln!(out, "  {name} = {};", wit.definition(*id));
            }
            _ => {}
        }
    }
    out.push_str("}\n");
    out
}

fn push(plan: &Plan, wit: &WitText<'_>, items: &[(Arc<str>, Export)], out: &mut String) {
    for (name, export) in items {
        let _ = match export {
            Export::Func(func) => writeln!(out, "    {name}: {};", wit.func(&plan.funcs[*func as usize].ty)),
            Export::Type(Ty::Def(id)) => writeln!(out, "    type {name} = {};", wit.definition(*id)),
            Export::Type(ty) => writeln!(out, "    type {name} = {};", wit.ty(*ty)),
            Export::Resource(_) => writeln!(out, "    resource {name};"),
            Export::Instance(_) | Export::Other => Ok(()),
        };
    }
}

/// The type of the function with this place, without names of other types.
pub fn func(plan: &Plan, func: u32, most: usize) -> String {
    let none = HashMap::new();
    let wit = WitText { types: &plan.types, names: &none, resource_name: &|_| "resource".into(), most };
    wit.func(&plan.funcs[func as usize].ty)
}

fn type_names(exports: &[(Arc<str>, Export)]) -> HashMap<DefId, String> {
    let mut names = HashMap::new();
    let mut add = |name: &str, export: &Export| {
        if let Export::Type(Ty::Def(id)) = export {
            names.entry(*id).or_insert_with(|| name.to_string());
        }
    };
    for (name, export) in exports {
        add(name, export);
        if let Export::Instance(items) = export {
            items.iter().for_each(|(name, export)| add(name, export));
        }
    }
    names
}

fn resource_names(plan: &Plan) -> HashMap<ResourceId, String> {
    let of_host = plan.resources.iter().enumerate().filter_map(|(place, resource)| match resource {
        Resource::Host { name, .. } => Some((ResourceId(place as u32), name.to_string())),
        Resource::Guest { .. } => None,
    });
    let mut names: HashMap<_, _> = of_host.collect();
    let mut add = |name: &str, export: &Export| {
        if let Export::Resource(id) = export {
            names.insert(*id, name.to_string());
        }
    };
    for (name, export) in &plan.exports {
        add(name, export);
        if let Export::Instance(items) = export {
            items.iter().for_each(|(name, export)| add(name, export));
        }
    }
    names
}
