//! What it takes to validate functions of the canonical ABI: the validator looks through their types anew for each function.

use super::problem::too_many;
use crate::base::error::LoadProblem;
use crate::base::limits::COMPONENT_LIFTED_NODES_MAX;
use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{CanonicalFunction, SectionLimited};

/// The types that functions of a component were made of.
#[derive(Default)]
pub struct Canonicals {
    /// Types within a type, each counted as often as it occurs.
    nodes: HashMap<ComponentDefinedTypeId, u64>,
    sum: u64,
}

impl Canonicals {
    /// Counts the functions of a section before it is validated. `types` are those that were before it.
    ///
    /// # Errors
    /// The types of all functions are too large together.
    pub fn section(
        &mut self,
        types: TypesRef<'_>,
        section: &SectionLimited<'_, CanonicalFunction>,
    ) -> Result<(), LoadProblem> {
        let mut lifted: Vec<Option<ComponentFuncTypeId>> = Vec::new();
        // What does not parse, or does not exist, is left to the validator.
        for function in section.clone().into_iter().map_while(Result::ok) {
            let ty = match function {
                CanonicalFunction::Lift { type_index, .. } => {
                    let ty = (type_index < types.component_type_count())
                        .then(|| types.component_any_type_at(type_index));
                    let ty = match ty {
                        Some(ComponentAnyTypeId::Func(ty)) => Some(ty),
                        _ => None,
                    };
                    lifted.push(ty);
                    ty
                }
                CanonicalFunction::Lower { func_index, .. } => {
                    match func_index.checked_sub(types.component_function_count()) {
                        None => Some(types.component_function_at(func_index)),
                        Some(new) => lifted.get(new as usize).copied().flatten(),
                    }
                }
                _ => None,
            };
            let Some(ty) = ty else { continue };
            let ty = &types[ty];
            for ty in ty.params.iter().map(|(_, ty)| *ty).chain(ty.result) {
                self.sum = self.sum.saturating_add(self.nodes(types, ty));
            }
            if self.sum > COMPONENT_LIFTED_NODES_MAX {
                let most = COMPONENT_LIFTED_NODES_MAX as usize;
                return Err(too_many("types within the types of its functions together", most));
            }
        }
        Ok(())
    }

    /// Types are no deeper than `depth.rs` lets them be.
    fn nodes(&mut self, types: TypesRef<'_>, ty: ComponentValType) -> u64 {
        let ComponentValType::Type(id) = ty else { return 1 };
        if let Some(nodes) = self.nodes.get(&id) {
            return *nodes;
        }
        let mut sum = |inner: &mut dyn Iterator<Item = ComponentValType>| {
            inner.map(|ty| self.nodes(types, ty)).fold(1, u64::saturating_add)
        };
        let nodes = match &types[id] {
            ComponentDefinedType::Record(record) => sum(&mut record.fields.values().copied()),
            ComponentDefinedType::Variant(variant) => {
                sum(&mut variant.cases.values().filter_map(|case| case.ty)).max(variant.cases.len() as u64)
            }
            ComponentDefinedType::Tuple(tuple) => sum(&mut tuple.types.iter().copied()),
            ComponentDefinedType::Option(ty) => sum(&mut std::iter::once(*ty)),
            ComponentDefinedType::Result { ok, err } => sum(&mut ok.iter().chain(err).copied()),
            // The rest is not looked into.
            _ => 1,
        };
        self.nodes.insert(id, nodes);
        nodes
    }
}
