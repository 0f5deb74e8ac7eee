//! Which core item each import of a core instance gets.

use super::build::missing;
use super::plan::{CoreExports, CoreFunc, CoreItem, Plan};
use crate::base::error::LoadProblem;
use std::collections::HashMap;
use std::sync::Arc;

/// An import of a core module.
pub struct Wanted<'m> {
    /// The name of the module that it is imported from.
    pub module: &'m str,
    /// Its name.
    pub name: &'m str,
    /// What it is.
    pub kind: Kind,
}

/// What is imported.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Kind {
    Func,
    Memory,
    TableOrGlobal,
}

impl Plan {
    /// For each core instance, what its module's imports are, in their order. `imports` are those of the plan's modules.
    ///
    /// # Errors
    /// Something is not there, which validation has excluded.
    pub fn link(&mut self, imports: &[Vec<Wanted<'_>>]) -> Result<Vec<Vec<CoreItem>>, LoadProblem> {
        let mut places = Places::default();
        let mut linked = Vec::with_capacity(self.core_instances.len());
        for number in 0..self.core_instances.len() {
            let instance = &self.core_instances[number];
            let mut args: HashMap<&str, &CoreExports> = HashMap::new();
            for (name, exports) in &instance.args {
                args.entry(name).or_insert(exports);
            }
            let mut wanted = Vec::new();
            for import in &imports[instance.module] {
                let exports = args.get(import.module).ok_or_else(|| missing("an argument"))?;
                wanted.push(((*exports).clone(), import));
            }
            let items = wanted.into_iter().map(|(exports, import)| match exports {
                CoreExports::Named(items) => {
                    items.get(import.name).copied().ok_or_else(|| missing("a core export"))
                }
                CoreExports::Of(instance) => Ok(places.of(self, instance, import)),
            });
            linked.push(items.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(linked)
    }
}

/// Places of exports that were given one here.
#[derive(Default)]
struct Places(HashMap<(u32, Arc<str>), CoreItem>);

impl Places {
    fn of(&mut self, plan: &mut Plan, instance: u32, import: &Wanted<'_>) -> CoreItem {
        let key: (u32, Arc<str>) = (instance, import.name.into());
        *self.0.entry(key).or_insert_with_key(|(instance, name)| {
            let export = (*instance, Arc::clone(name));
            match import.kind {
                Kind::Func => {
                    plan.core_funcs.push(CoreFunc::Export(export.0, export.1));
                    CoreItem::Func(plan.core_funcs.len() as u32 - 1)
                }
                Kind::Memory => {
                    plan.memories.push(export);
                    CoreItem::Memory(plan.memories.len() as u32 - 1)
                }
                Kind::TableOrGlobal => {
                    plan.others.push(export);
                    CoreItem::Other(plan.others.len() as u32 - 1)
                }
            }
        })
    }
}
