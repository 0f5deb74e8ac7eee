//! The declarations of a module that other rooms need.

#[cfg(feature = "isolation")]
use crate::base::limits::{EXPORTS_MAX, IMPORTS_MAX, TYPE_PARAMS_MAX, TYPE_RESULTS_MAX};
use crate::base::limits::{INSTANCE_BYTES_FREE, TYPE_VALUES_SHOWN};
use crate::module::names::ByName;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
use wasmparser::ValType;

/// A value type, as far as calling conventions distinguish types.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref,
}

impl Ty {
    pub(crate) fn of(ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(_) => Ty::Ref,
        }
    }

    /// Whether it is a number type.
    pub fn is_number(self) -> bool {
        !matches!(self, Ty::V128 | Ty::Ref)
    }

    /// Its name in the text format.
    pub fn name(self) -> &'static str {
        match self {
            Ty::I32 => "i32",
            Ty::I64 => "i64",
            Ty::F32 => "f32",
            Ty::F64 => "f64",
            Ty::V128 => "v128",
            Ty::Ref => "ref",
        }
    }
}

/// The type of a function.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// Parameter types.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "crate::base::bounded::list::<_, _, TYPE_PARAMS_MAX>")
    )]
    pub params: Vec<Ty>,
    /// Result types.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "crate::base::bounded::list::<_, _, TYPE_RESULTS_MAX>")
    )]
    pub results: Vec<Ty>,
    /// The type in WIT, of a component's function. It has no core types then.
    pub wit: Option<String>,
}

impl Signature {
    /// What stands between the name of a function and this type: WIT has a colon there.
    pub fn separator(&self) -> &'static str {
        if self.wit.is_some() { ": " } else { "" }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wit) = &self.wit {
            return f.write_str(wit);
        }
        // Of many, the first ones.
        let list = |types: &[Ty]| {
            let shown = types.iter().take(TYPE_VALUES_SHOWN).map(|ty| ty.name());
            let more = types.len().saturating_sub(TYPE_VALUES_SHOWN);
            let more = (more > 0).then(|| format!("and {more} more"));
            shown.map(String::from).chain(more).collect::<Vec<_>>().join(", ")
        };
        write!(f, "({})", list(&self.params))?;
        match self.results.len() {
            0 => Ok(()),
            1 => write!(f, " -> {}", list(&self.results)),
            _ => write!(f, " -> ({})", list(&self.results)),
        }
    }
}

/// An imported or exported item.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A function with its type.
    Function(Signature),
    /// A linear memory.
    Memory,
    /// A table.
    Table,
    /// A global variable.
    Global,
    /// An exception tag.
    Tag,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Function(signature) => signature.fmt(f),
            Item::Memory => f.write_str(" memory"),
            Item::Table => f.write_str(" table"),
            Item::Global => f.write_str(" global"),
            Item::Tag => f.write_str(" tag"),
        }
    }
}

/// One import.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The module part of the name.
    pub module: String,
    /// The field part of the name.
    pub name: String,
    /// The required item.
    pub item: Item,
}

/// One export.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// The item.
    pub item: Item,
    /// Its index among the module's functions, memories and so on. Two names of one item have the same index.
    pub index: u32,
}

/// The size of a module's linear memory.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySize {
    /// Pages of 64 KiB at the start.
    pub min_pages: u64,
    /// Its declared maximum, in pages.
    pub max_pages: Option<u64>,
}

/// The declarations of a module.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Everything it imports.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "crate::base::bounded::list::<_, _, { IMPORTS_MAX as usize }>")
    )]
    pub imports: Vec<Import>,
    /// Everything it exports.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "crate::base::bounded::list::<_, _, { EXPORTS_MAX as usize }>")
    )]
    pub exports: Vec<Export>,
    /// Its linear memory (the first, if there are more).
    pub memory: Option<MemorySize>,
    /// Whether it is a component that answers HTTP requests (`wasi:http/incoming-handler`).
    pub answers_http: bool,
    /// Elements of its tables and element segments together.
    pub table_elements: u64,
    /// The index of its `start` function.
    pub start: Option<u32>,
    /// Bytes of all function bodies.
    pub code_bytes: u64,
    /// Bytes that the host keeps for an instance, beside its memory: functions, segments, tables, globals.
    pub instance_bytes: u64,
    #[cfg_attr(feature = "isolation", serde(skip))]
    exports_by_name: ByName,
    /// Indices of the reserved functions, sorted; computed at the first use.
    #[cfg_attr(feature = "isolation", serde(skip))]
    reserved: OnceLock<Box<[u32]>>,
    /// The modules that it imports from.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "crate::base::bounded::set::<_, _, { IMPORTS_MAX as usize }>")
    )]
    pub import_modules: BTreeSet<String>,
}

impl ModuleInfo {
    /// Builds the index for [`ModuleInfo::function`].
    pub(crate) fn index_exports(&mut self) {
        let exports = &self.exports;
        self.exports_by_name = ByName::of(exports.len(), |place| &exports[place].name);
    }

    /// Counts `count` items that take this many bytes of each instance.
    pub(crate) fn count_instance(&mut self, count: u64, bytes: u64) {
        self.instance_bytes = self.instance_bytes.saturating_add(count.saturating_mul(bytes));
    }

    /// Bytes of an instance, beside its memory, that count to the memory of the guest.
    pub fn counted_bytes(&self) -> u64 {
        self.instance_bytes.saturating_sub(INSTANCE_BYTES_FREE)
    }

    /// The type of the exported function `name`.
    pub fn function(&self, name: &str) -> Option<&Signature> {
        let Some(Item::Function(signature)) = self.export(name) else { return None };
        Some(signature)
    }

    /// Whether `is_reserved` reserves the exported function `name`, by this name or by another name of it. The
    /// result must depend only on the module: it is computed once for each name.
    pub(crate) fn is_reserved(&self, name: &str, is_reserved: impl Fn(&str, &Signature) -> bool) -> bool {
        let reserved = self.reserved.get_or_init(|| {
            let function = |export: &&Export| match &export.item {
                Item::Function(signature) => is_reserved(&export.name, signature),
                _ => false,
            };
            let mut reserved: Vec<u32> = self.exports.iter().filter(function).map(|e| e.index).collect();
            reserved.sort_unstable();
            reserved.dedup();
            reserved.into()
        });
        self.find(name).is_some_and(|export| {
            matches!(export.item, Item::Function(_)) && reserved.binary_search(&export.index).is_ok()
        })
    }

    fn find(&self, name: &str) -> Option<&Export> {
        let place = self.exports_by_name.find(name, |place| &self.exports[place].name);
        place.map(|place| &self.exports[place])
    }

    fn export(&self, name: &str) -> Option<&Item> {
        self.find(name).map(|export| &export.item)
    }

    /// All exported functions.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &Signature)> {
        self.exports.iter().filter_map(|export| match &export.item {
            Item::Function(signature) => Some((export.name.as_str(), signature)),
            _ => None,
        })
    }

    /// Whether a memory is exported under the name that calling conventions use.
    pub fn exports_memory(&self) -> bool {
        self.export("memory") == Some(&Item::Memory)
    }
}
