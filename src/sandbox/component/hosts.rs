//! Finds the functions of the host that a component imports, and checks that it imports them with their types.

use crate::base::error::LoadProblem;
use crate::host::component::embedder::HostBody;
use crate::host::component::function::Row;
use crate::host::component::wasi;
use crate::host::component::wit::Names;
use crate::host::embedder::functions::HostFunctions;
use crate::module::component::plan::{FuncCode, Plan, Resource};
use crate::module::component::types::{FuncTy, ResourceId};
use crate::module::component::unversioned;
use std::sync::Arc;

/// A function of the host.
#[derive(Clone)]
pub enum HostFunc {
    /// One of fuelbox.
    Row(&'static Row),
    /// One of the embedding program.
    Embedder {
        /// Its name.
        title: Box<str>,
        /// What it does.
        call: Arc<HostBody>,
    },
}

/// For each function of the plan, the host's function that it is. Those of the `embedder` come first.
///
/// # Errors
/// The first import that is not provided, or has another type.
pub fn resolve(plan: &mut Plan, embedder: &HostFunctions) -> Result<Vec<Option<HostFunc>>, LoadProblem> {
    let Plan { types, funcs, resources, .. } = plan;
    let mut resource = |interface: &str, name: &str| -> ResourceId {
        let known = resources.iter().position(|resource| {
            matches!(resource, Resource::Host { interface: i, name: n } if **i == *interface && **n == *name)
        });
        let place = known.unwrap_or_else(|| {
            resources.push(Resource::Host { interface: interface.into(), name: name.into() });
            resources.len() - 1
        });
        ResourceId(place as u32)
    };
    let interface = |name: &str| match embedder.interface(name) {
        Some(interface) => Some(&interface.interface),
        None => wasi::find(name),
    };
    let mut names = Names::new(types, &interface, &mut resource);
    funcs
        .iter()
        .map(|func| match &func.code {
            FuncCode::Lifted(..) => Ok(None),
            FuncCode::Host { interface, name } => {
                find(&mut names, &func.ty, (interface, name), embedder).map(Some)
            }
        })
        .collect()
}

fn find(
    names: &mut Names<'_, '_>,
    ty: &Arc<FuncTy>,
    (interface, name): (&str, &str),
    embedder: &HostFunctions,
) -> Result<HostFunc, LoadProblem> {
    let title = || if interface.is_empty() { name.into() } else { format!("{interface}#{name}") };
    let refuse = |why: String| LoadProblem::Import { import: title(), why };
    let own = embedder.interface(interface);
    let function = own.and_then(|own| own.find(name));
    let (provided, wit, function) = match (own, function) {
        (Some(own), Some(function)) => {
            let call = HostFunc::Embedder { title: title().into(), call: Arc::clone(&function.call) };
            (&own.interface, function.ty, call)
        }
        _ => {
            if interface.starts_with("wasi:") && !is_supported(interface) {
                return Err(refuse("which is of another version than WASI 0.2".into()));
            }
            let provided = wasi::find(unversioned(interface));
            let row = provided.and_then(|interface| interface.rows.iter().find(|row| row.name == name));
            let (Some(provided), Some(row)) = (provided, row) else {
                return Err(refuse("which fuelbox does not provide".into()));
            };
            (provided, row.ty, HostFunc::Row(row))
        }
    };
    let expected = names.function(provided, name, wit).map_err(LoadProblem::Invalid)?;
    let is_same = expected.result == ty.result
        && expected.params.iter().map(|(_, ty)| ty).eq(ty.params.iter().map(|(_, ty)| ty));
    match function {
        function if is_same => Ok(function),
        HostFunc::Row(_) => Err(refuse("with another type than WASI 0.2 gives it".into())),
        HostFunc::Embedder { .. } => Err(refuse(format!("with another type than func{wit}"))),
    }
}

/// Whether an interface of WASI has a version 0.2.x. By the rules of semantic versioning all of these are compatible.
fn is_supported(interface: &str) -> bool {
    let version = interface.split_once('@').map_or("", |(_, version)| version);
    let mut parts = version.split('.');
    parts.next() == Some("0") && parts.next() == Some("2")
}
