//! Finds the functions of the host that a component imports, and checks that it imports them with their types.

use crate::base::error::LoadProblem;
use crate::host::component::function::Row;
use crate::host::component::wasi;
use crate::host::component::wit::Names;
use crate::module::component::plan::{FuncCode, Plan, Resource};
use crate::module::component::types::{FuncTy, ResourceId};
use crate::module::component::unversioned;
use std::sync::Arc;

/// For each function of the plan, the host's function that it is.
///
/// # Errors
/// The first import that is not provided, or has another type.
pub fn resolve(plan: &mut Plan) -> Result<Vec<Option<&'static Row>>, LoadProblem> {
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
    let mut names = Names::new(types, &wasi::find, &mut resource);
    funcs
        .iter()
        .map(|func| match &func.code {
            FuncCode::Lifted(..) => Ok(None),
            FuncCode::Host { interface, name } => find(&mut names, &func.ty, interface, name).map(Some),
        })
        .collect()
}

fn find(
    names: &mut Names<'_>,
    ty: &Arc<FuncTy>,
    interface: &str,
    name: &str,
) -> Result<&'static Row, LoadProblem> {
    let refuse = |why: &str| LoadProblem::Import {
        import: if interface.is_empty() { name.into() } else { format!("{interface}#{name}") },
        why: why.into(),
    };
    if interface.starts_with("wasi:") && !is_supported(interface) {
        return Err(refuse("which is of another version than WASI 0.2"));
    }
    let provided = wasi::find(unversioned(interface));
    let row = provided.and_then(|interface| interface.rows.iter().find(|row| row.name == name));
    let (Some(provided), Some(row)) = (provided, row) else {
        return Err(refuse("which fuelbox does not provide"));
    };
    let expected = names.function(provided, row).map_err(LoadProblem::Invalid)?;
    let is_same = expected.result == ty.result
        && expected.params.iter().map(|(_, ty)| ty).eq(ty.params.iter().map(|(_, ty)| ty));
    if is_same { Ok(row) } else { Err(refuse("with another type than WASI 0.2 gives it")) }
}

/// Whether an interface of WASI has a version 0.2.x. By the rules of semantic versioning all of these are compatible.
fn is_supported(interface: &str) -> bool {
    let version = interface.split_once('@').map_or("", |(_, version)| version);
    let mut parts = version.split('.');
    parts.next() == Some("0") && parts.next() == Some("2")
}
