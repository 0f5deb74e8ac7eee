//! What a component offers: a program's start, and functions whose values have a text form.

use crate::base::error::LoadProblem;
use crate::base::limits::{EXPORTS_MAX, NAME_BYTES_MAX, NAMES_BYTES_MAX};
use crate::module::component::plan::{Export, Plan, Resource};
use crate::module::component::types::{Def, Ty};
use crate::module::component::{unversioned, world};
use crate::module::info::{self, Item, ModuleInfo, Signature};
use std::collections::HashMap;
use std::sync::Arc;

/// The interface that a program exports.
const RUN: &str = "wasi:cli/run";

/// The interface that a program exports which answers requests by `wasi:http`.
const HANDLER: &str = "wasi:http/incoming-handler";

/// The name under which a program is started, as that of a core module.
pub const START: &str = "_start";

/// A function that is offered: its name, and its place in the plan.
pub struct Offered {
    /// Its name: of an interface's function `interface/function`, or in full if that is not unique.
    pub name: String,
    /// The interface with its version, and a `#`, and the function.
    pub full_name: String,
    /// The place of the function in the plan.
    pub func: u32,
}

/// The functions that the component of this plan offers.
pub fn offered(plan: &Plan) -> Vec<Offered> {
    let mut all = Vec::new();
    let has_run = |(name, export): &(Arc<str>, Export)| {
        unversioned(name) == RUN
            && matches!(export, Export::Instance(items) if func_of(items, "run").is_some())
    };
    if let Some((name, func)) = handler(plan).filter(|_| !plan.exports.iter().any(has_run)) {
        all.push(Offered { name: START.into(), full_name: format!("{name}#handle"), func });
    }
    for (name, export) in &plan.exports {
        match export {
            Export::Func(func) if has_text(plan, *func) => {
                all.push(Offered { name: name.to_string(), full_name: name.to_string(), func: *func });
            }
            Export::Instance(items) if unversioned(name) == RUN => {
                all.extend(func_of(items, "run").map(|func| Offered {
                    name: START.into(),
                    full_name: format!("{name}#run"),
                    func,
                }));
            }
            Export::Instance(items) => {
                let short = unversioned(name).rsplit('/').next().unwrap_or(name);
                let functions = items.iter().filter_map(|(function, export)| match export {
                    Export::Func(func) if has_text(plan, *func) => Some(Offered {
                        name: format!("{short}/{function}"),
                        full_name: format!("{name}#{function}"),
                        func: *func,
                    }),
                    _ => None,
                });
                all.extend(functions);
            }
            _ => {}
        }
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for offered in &all {
        *counts.entry(offered.name.clone()).or_default() += 1;
    }
    for offered in &mut all {
        if counts.get(&offered.name).is_some_and(|count| *count > 1) {
            offered.name.clone_from(&offered.full_name);
        }
    }
    all
}

/// The function that answers requests by `wasi:http`, if there is one, and its interface with the version.
pub fn handler(plan: &Plan) -> Option<(&str, u32)> {
    let is_http = |ty: Ty, resource: &str| {
        let Ty::Def(id) = ty else { return false };
        let Def::Own(id) = plan.types.def(id) else { return false };
        matches!(&plan.resources[id.0 as usize], Resource::Host { interface, name }
            if **interface == *"wasi:http/types" && **name == *resource)
    };
    plan.exports.iter().find_map(|(name, export)| {
        let Export::Instance(items) = export else { return None };
        let func = func_of(items, "handle").filter(|_| unversioned(name) == HANDLER)?;
        let ty = &plan.funcs[func as usize].ty;
        match &*ty.params {
            [(_, request), (_, response)]
                if is_http(*request, "incoming-request")
                    && is_http(*response, "response-outparam")
                    && ty.result.is_none() =>
            {
                Some((&**name, func))
            }
            _ => None,
        }
    })
}

fn func_of(items: &[(Arc<str>, Export)], name: &str) -> Option<u32> {
    items.iter().find_map(|(own, export)| match export {
        Export::Func(func) if **own == *name => Some(*func),
        _ => None,
    })
}

/// Whether all values of a function have a text form: handles of resources have none.
fn has_text(plan: &Plan, func: u32) -> bool {
    let ty = &plan.funcs[func as usize].ty;
    ty.params.iter().map(|(_, ty)| *ty).chain(ty.result).all(|ty| !plan.types.shape(ty).has_handle)
}

/// Adds what the component offers to its declarations, and what it imports.
///
/// # Errors
/// It offers too many functions, or their names are too long.
pub fn declare(plan: &Plan, offered: &[Offered], info: &mut ModuleInfo) -> Result<(), LoadProblem> {
    let too = |what: String| Err(LoadProblem::Invalid(what));
    let count = offered.len();
    if count > EXPORTS_MAX as usize {
        return too(format!("{count} functions of a component, more than the {EXPORTS_MAX} supported"));
    }
    let (mut names, mut types) = (0, 0);
    for Offered { name, full_name, func } in offered {
        names += full_name.len();
        if full_name.len() > NAME_BYTES_MAX || names > NAMES_BYTES_MAX {
            return too(format!(
                "names of functions take more than {NAME_BYTES_MAX} bytes, or {NAMES_BYTES_MAX} in all"
            ));
        }
        // There is room for the types of usual components. Others show no more than that it is a function.
        let wit = (name != START).then(|| world::func(plan, *func, NAME_BYTES_MAX));
        types += wit.as_ref().map_or(0, String::len);
        let wit = wit.map(|wit| if types > NAMES_BYTES_MAX { "func".into() } else { wit });
        let item = Item::Function(Signature { wit, ..Signature::default() });
        info.exports.push(info::Export { name: name.clone(), item, index: *func });
    }
    info.import_modules = plan.imports.iter().map(|name| name.to_string()).collect();
    info.answers_http = handler(plan).is_some();
    info.index_exports();
    Ok(())
}
