//! Names of a module's functions, for people: of the section `name`, or else of exports.

use crate::base::escape::{cut, printable};
use crate::base::limits::{FUNCTION_NAME_BYTES_MAX, FUNCTIONS_MAX, IMPORTS_MAX};
use std::collections::BTreeMap;
use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload};

/// Indices that functions can have.
const INDICES_MAX: u32 = FUNCTIONS_MAX + IMPORTS_MAX;

/// The names of functions, escaped and cut. A function without one is `func[12]`.
#[derive(Debug, Default)]
pub struct Symbols(BTreeMap<u32, String>);

impl Symbols {
    /// The names in `wasm` of the functions in `wanted`. What cannot be read has no names: the section is not part of what
    /// is validated.
    pub fn read(wasm: &[u8], wanted: impl Fn(u32) -> bool) -> Symbols {
        let mut symbols = BTreeMap::new();
        let mut next = 0;
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
                            // Each index occurs once, in order (core specification, section 7.4.1). A section that
                            // repeats some could take as long as it has bytes, after the deadline of a run.
                            if naming.index < next || naming.index >= INDICES_MAX {
                                break;
                            }
                            next = naming.index + 1;
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

#[cfg(test)]
mod tests {
    use super::Symbols;
    use std::cell::Cell;

    /// A module whose section `name` has these functions, each twice in a section of its own.
    fn module(names: &[(u8, &str)]) -> Vec<u8> {
        let mut map = vec![names.len() as u8];
        for (index, name) in names {
            map.extend([*index, name.len() as u8]);
            map.extend_from_slice(name.as_bytes());
        }
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        for _ in 0..2 {
            wasm.extend([0, map.len() as u8 + 7, 4]);
            wasm.extend_from_slice(b"name\x01");
            wasm.push(map.len() as u8);
            wasm.extend_from_slice(&map);
        }
        wasm
    }

    #[test]
    fn names_are_read_once() {
        let asked = Cell::new(0);
        let read = |names: &[(u8, &str)]| {
            asked.set(0);
            Symbols::read(&module(names), |_| {
                asked.set(asked.get() + 1);
                true
            })
        };
        let ordered = read(&[(0, "a"), (3, "b\x1b")]);
        assert_eq!(
            [ordered.name(0), ordered.name(1), ordered.name(3)],
            ["a".into(), "func[1]".into(), "b\\u{1b}".to_string()]
        );
        assert_eq!(asked.get(), 2);
        assert_eq!(read(&[(2, "a"), (2, "b"), (3, "c")]).name(2), "a");
        assert_eq!(asked.get(), 1);
    }
}
