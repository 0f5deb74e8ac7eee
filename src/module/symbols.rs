//! Names of a module's functions, for people: of the section `name`, or else of exports.

use crate::base::escape::{cut, printable};
use crate::base::limits::FUNCTION_NAME_BYTES_MAX;
use std::collections::BTreeMap;
use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload};

/// The names of functions, escaped and cut. A function without one is `func[12]`.
#[derive(Debug, Default)]
pub struct Symbols(BTreeMap<u32, String>);

impl Symbols {
    /// The names in `wasm` of the functions in `wanted`. What cannot be read has no names: the section is not part of what
    /// is validated.
    pub fn read(wasm: &[u8], wanted: impl Fn(u32) -> bool) -> Symbols {
        let mut symbols = BTreeMap::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload {
                Ok(Payload::ExportSection(exports)) => {
                    for export in exports.into_iter().map_while(Result::ok) {
                        if export.kind == ExternalKind::Func && wanted(export.index) {
                            symbols.entry(export.index).or_insert_with(|| shown(export.name));
                        }
                    }
                }
                Ok(Payload::CustomSection(section)) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        let functions =
                            names.into_iter().map_while(Result::ok).filter_map(|part| match part {
                                Name::Function(functions) => Some(functions),
                                _ => None,
                            });
                        for naming in functions.flatten().map_while(Result::ok) {
                            if wanted(naming.index) && !naming.name.is_empty() {
                                symbols.insert(naming.index, shown(naming.name));
                            }
                        }
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Symbols(symbols)
    }

    /// The name of a function.
    pub fn name(&self, function: u32) -> String {
        self.0.get(&function).cloned().unwrap_or_else(|| format!("func[{function}]"))
    }
}

fn shown(name: &str) -> String {
    printable(&cut(name, FUNCTION_NAME_BYTES_MAX))
}
