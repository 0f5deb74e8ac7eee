//! Checks function bodies for code that costs the host more than the guest pays, and for code that the
//! interpreter translates incorrectly. The reader (`reader.rs`) counts functions and types. These checks limit
//! what a few bytes of code can become, and decide what `rewrite.rs` inserts before the interpreter sees the
//! code.

use crate::base::error::{LoadProblem, invalid};
use crate::base::limits::{
    BRANCH_COPIES_SPARE, CONTROL_DEPTH_MAX, GROWS_MAX, GUARDS_SPARE, LOCALS_FREE, LOCALS_MAX, LOCALS_PER_NOP,
};
use crate::module::edit::{Insert, Insertion};
use crate::module::operators::{Operators, Types, cells};
use wasmparser::FunctionBody;

/// The result for a function body.
pub struct Found {
    /// Insertions, in order.
    pub insertions: Vec<Insertion>,
    /// Estimated translation time, in nanoseconds on a desktop core.
    pub translation_ns: u64,
    /// Estimated size of the translated code, in bytes.
    pub translated_bytes: u64,
}

/// Checks a function body whose parameters and results take so many stack cells. Without `work_arounds`, nothing is refused
/// or inserted because of the interpreter's faults.
///
/// # Errors
/// More locals, nesting, growth instructions, `select` instructions, or values copied by branches than a program
/// needs; a block that takes parameters; a `br_table` that passes several values; code that cannot be read.
pub fn body(
    body: &FunctionBody<'_>,
    (params, results): (u32, u32),
    types: &dyn Types,
    work_arounds: bool,
) -> Result<Found, LoadProblem> {
    let locals = count_locals(body)?;
    let mut reader = body.get_operators_reader().map_err(invalid)?;
    let mut insertions = Vec::new();
    let nops = locals.saturating_sub(LOCALS_FREE).div_ceil(LOCALS_PER_NOP);
    // `LOCALS_MAX` ensures that it fits a byte.
    if let Ok(nops @ 1..) = u8::try_from(nops) {
        insert(&mut insertions, reader.original_position(), Insert::Nops(nops))?;
    }
    let mut operators = Operators::new((params, results), types);
    let bytes = body.range().len() as u64;
    while !reader.eof() {
        let at = reader.original_position();
        operators.begin();
        reader.visit_operator(&mut operators).map_err(invalid)?;
        if !operators.changed {
            continue;
        }
        check("nested blocks", operators.depth() as u64, CONTROL_DEPTH_MAX)?;
        check("memory.grow and table.grow instructions", operators.grows, GROWS_MAX)?;
        check("values copied by branches", operators.copies, BRANCH_COPIES_SPARE + bytes)?;
        if !work_arounds {
            continue;
        }
        if operators.block_params > 0 {
            return Err(unsupported("a block, loop or if takes parameters"));
        }
        if operators.table_cells > 1 {
            return Err(unsupported("a br_table passes more than one value"));
        }
        if let Some(what) = operators.insert {
            insert(&mut insertions, at, what)?;
            let most = GUARDS_SPARE + bytes / what.bytes().len() as u64;
            check("select instructions", insertions.len() as u64, most)?;
        }
    }
    let (translation_ns, translated_bytes) = (operators.translation_ns(), operators.translated_bytes());
    Ok(Found { insertions, translation_ns, translated_bytes })
}

/// Adds an insertion of `what` at `at`. The module decides how many there are.
fn insert(insertions: &mut Vec<Insertion>, at: usize, what: Insert) -> Result<(), LoadProblem> {
    let bytes = 2 * size_of_val(&insertions[..]) as u64;
    insertions.try_reserve(1).map_err(|_| LoadProblem::NoMemory { bytes })?;
    insertions.extend(Insertion::new(at, what));
    Ok(())
}

/// Compilers do not emit these, and the interpreter gets them wrong.
fn unsupported(what: &str) -> LoadProblem {
    LoadProblem::Invalid(format!("{what}, which is not supported"))
}

// Runs for each block and branch of a module. The rest of the build is optimised for size.
#[inline(always)]
fn check(what: &str, count: u64, max: u64) -> Result<(), LoadProblem> {
    if count <= max { Ok(()) } else { Err(exceeded(what, max)) }
}

#[cold]
fn exceeded(what: &str, max: u64) -> LoadProblem {
    LoadProblem::Invalid(format!("a function has more than the {max} {what} supported"))
}

/// Counts the local variables, and returns the interpreter's stack cells that they take.
fn count_locals(body: &FunctionBody<'_>) -> Result<u64, LoadProblem> {
    let (mut count, mut taken) = (0, 0);
    for group in body.get_locals_reader().map_err(invalid)? {
        let (locals, ty) = group.map_err(invalid)?;
        count += u64::from(locals);
        taken += u64::from(locals) * u64::from(cells(ty));
        check("local variables", count, LOCALS_MAX)?;
    }
    Ok(taken)
}
