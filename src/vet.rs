//! Looks through function bodies for what would cost the host more than the guest pays for it. The
//! binary reader counts functions and types; these bound what a few bytes of code can become.

use crate::error::LoadProblem;
use crate::limits::{BRANCH_COPIES_SPARE, CONTROL_DEPTH_MAX, GROWS_MAX, LOCALS_MAX};
use wasmparser::{BlockType, FunctionBody, Operator};

/// Parameters and results of a function type, by its index.
pub type Arity<'a> = &'a dyn Fn(u32) -> (u32, u32);

/// Checks one function body.
///
/// # Errors
/// More locals, nesting, growth instructions, or values copied by branches than a program needs. A body
/// that cannot be read is left to the interpreter's validation, which refuses it.
pub fn body(body: &FunctionBody<'_>, arity: Arity<'_>) -> Result<(), LoadProblem> {
    check_locals(body)?;
    let Ok(operators) = body.get_operators_reader() else { return Ok(()) };
    let copies_max = BRANCH_COPIES_SPARE + body.range().len() as u64;
    let mut labels: Vec<u32> = Vec::new();
    let (mut copies, mut grows) = (0u64, 0u32);
    for operator in operators {
        let Ok(operator) = operator else { return Ok(()) };
        match operator {
            Operator::Block { blockty } | Operator::If { blockty } => labels.push(results(blockty, arity)),
            Operator::Loop { blockty } => labels.push(params(blockty, arity)),
            Operator::End => {
                labels.pop();
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                copies += label(&labels, relative_depth);
            }
            Operator::BrTable { targets } => {
                copies += label(&labels, targets.default());
                copies += targets.targets().flatten().map(|depth| label(&labels, depth)).sum::<u64>();
            }
            Operator::MemoryGrow { .. } | Operator::TableGrow { .. } => grows += 1,
            _ => {}
        }
        check("nested blocks", labels.len() as u64, CONTROL_DEPTH_MAX)?;
        check("memory.grow and table.grow instructions", u64::from(grows), GROWS_MAX)?;
        check("values copied by branches", copies, copies_max)?;
    }
    Ok(())
}

fn check(what: &str, count: u64, max: u64) -> Result<(), LoadProblem> {
    if count <= max {
        return Ok(());
    }
    Err(LoadProblem::Invalid(format!("a function has more than the {max} {what} supported")))
}

fn check_locals(body: &FunctionBody<'_>) -> Result<(), LoadProblem> {
    let Ok(groups) = body.get_locals_reader() else { return Ok(()) };
    let count = groups.into_iter().flatten().map(|(count, _)| u64::from(count)).sum();
    check("local variables", count, LOCALS_MAX)
}

/// How many values a branch to this label copies. One out of the function copies its results, which are
/// few (`TYPE_VALUES_MAX`).
fn label(labels: &[u32], depth: u32) -> u64 {
    let index = labels.len().checked_sub(depth as usize + 1);
    index.map_or(1, |index| u64::from(labels[index]))
}

fn results(ty: BlockType, arity: Arity<'_>) -> u32 {
    match ty {
        BlockType::Empty => 0,
        BlockType::Type(_) => 1,
        BlockType::FuncType(index) => arity(index).1,
    }
}

fn params(ty: BlockType, arity: Arity<'_>) -> u32 {
    match ty {
        BlockType::Empty | BlockType::Type(_) => 0,
        BlockType::FuncType(index) => arity(index).0,
    }
}
