//! Bounds what runs when a module of a component is instantiated. The interpreter charges no fuel for it
//! (`docs/upstream.md`, fault 12).
//!
//! Languages that link their libraries when a component is built place data by an addition
//! (`global.get; i32.const; i32.add`), so these modules may have more than one instruction there.

use crate::base::error::{LoadProblem, invalid};
use crate::base::limits::INITIALISER_OPERATORS_MAX;
use wasmparser::{ConstExpr, DataKind, ElementItems, ElementKind, Parser, Payload};

/// Checks each initial value of a global, each place of a segment and each element of `wasm`.
///
/// # Errors
/// One has too many instructions, or does not parse.
pub fn check(wasm: &[u8]) -> Result<(), LoadProblem> {
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::GlobalSection(globals) => {
                for global in globals {
                    one(&global.map_err(invalid)?.init_expr)?;
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    if let wasmparser::TableInit::Expr(init) = table.map_err(invalid)?.init {
                        one(&init)?;
                    }
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments {
                    if let DataKind::Active { offset_expr, .. } = segment.map_err(invalid)?.kind {
                        one(&offset_expr)?;
                    }
                }
            }
            Payload::ElementSection(segments) => {
                for segment in segments {
                    let segment = segment.map_err(invalid)?;
                    if let ElementKind::Active { offset_expr, .. } = &segment.kind {
                        one(offset_expr)?;
                    }
                    if let ElementItems::Expressions(_, items) = segment.items {
                        for item in items {
                            one(&item.map_err(invalid)?)?;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn one(init: &ConstExpr<'_>) -> Result<(), LoadProblem> {
    let mut count = 0;
    for operator in init.get_operators_reader() {
        operator.map_err(invalid)?;
        count += 1;
        // The last one is the end.
        if count > INITIALISER_OPERATORS_MAX + 1 {
            return Err(LoadProblem::Invalid(format!(
                "an initialiser has more than the {INITIALISER_OPERATORS_MAX} instructions supported"
            )));
        }
    }
    Ok(())
}
