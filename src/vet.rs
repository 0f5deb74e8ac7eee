//! Looks through function bodies for what would cost the host more than the guest pays for it. The
//! binary reader counts functions and types; these bound what a few bytes of code can become.

use crate::error::LoadProblem;
use crate::limits::{BRANCH_COPIES_SPARE, CONTROL_DEPTH_MAX, GROWS_MAX, LOCALS_MAX};
use wasmparser::{BlockType, BrTable, FunctionBody, VisitOperator};

/// Parameters and results of a function type, by its index.
pub type Arity<'a> = &'a dyn Fn(u32) -> (u32, u32);

/// Checks one function body.
///
/// # Errors
/// More locals, nesting, growth instructions, or values copied by branches than a program needs. A body
/// that cannot be read is left to the interpreter's validation, which refuses it.
pub fn body(body: &FunctionBody<'_>, arity: Arity<'_>) -> Result<(), LoadProblem> {
    check_locals(body)?;
    let Ok(mut operators) = body.get_operators_reader() else { return Ok(()) };
    let mut counts = Counts { arity, labels: Vec::new(), copies: 0, grows: 0, changed: false };
    let copies_max = BRANCH_COPIES_SPARE + body.range().len() as u64;
    while !operators.eof() && operators.visit_operator(&mut counts).is_ok() {
        if std::mem::take(&mut counts.changed) {
            check("nested blocks", counts.labels.len() as u64, CONTROL_DEPTH_MAX)?;
            check("memory.grow and table.grow instructions", counts.grows, GROWS_MAX)?;
            check("values copied by branches", counts.copies, copies_max)?;
        }
    }
    Ok(())
}

/// What is counted, instruction by instruction.
struct Counts<'a> {
    arity: Arity<'a>,
    /// Values that a branch to each open block copies.
    labels: Vec<u32>,
    copies: u64,
    grows: u64,
    changed: bool,
}

impl Counts<'_> {
    fn open(&mut self, values: u32) {
        self.labels.push(values);
        self.changed = true;
    }

    fn branch(&mut self, depth: u32) {
        self.copies += label(&self.labels, depth);
        self.changed = true;
    }

    fn grow(&mut self) {
        self.grows += 1;
        self.changed = true;
    }
}

/// A method for each instruction, of which few do anything. To visit them takes half the time of having them
/// given as a list of `Operator`, and loading a large module is mostly reading its instructions.
macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(visit!{ one $visit ($($($arg: $ty),*)?) })*
    };
    (one visit_block ($($rest:tt)*)) => {
        fn visit_block(&mut self, blockty: BlockType) {
            self.open(results(blockty, self.arity));
        }
    };
    (one visit_if ($($rest:tt)*)) => {
        fn visit_if(&mut self, blockty: BlockType) {
            self.open(results(blockty, self.arity));
        }
    };
    (one visit_loop ($($rest:tt)*)) => {
        fn visit_loop(&mut self, blockty: BlockType) {
            self.open(params(blockty, self.arity));
        }
    };
    (one visit_end ($($rest:tt)*)) => {
        fn visit_end(&mut self) {
            self.labels.pop();
        }
    };
    (one visit_br ($($rest:tt)*)) => {
        fn visit_br(&mut self, depth: u32) {
            self.branch(depth);
        }
    };
    (one visit_br_if ($($rest:tt)*)) => {
        fn visit_br_if(&mut self, depth: u32) {
            self.branch(depth);
        }
    };
    (one visit_br_table ($($rest:tt)*)) => {
        fn visit_br_table(&mut self, targets: BrTable<'a>) {
            self.branch(targets.default());
            self.copies += targets.targets().flatten().map(|depth| label(&self.labels, depth)).sum::<u64>();
        }
    };
    (one visit_memory_grow ($($rest:tt)*)) => {
        fn visit_memory_grow(&mut self, _: u32) {
            self.grow();
        }
    };
    (one visit_table_grow ($($rest:tt)*)) => {
        fn visit_table_grow(&mut self, _: u32) {
            self.grow();
        }
    };
    (one $visit:ident ($($arg:ident: $ty:ty),*)) => {
        fn $visit(&mut self $(, _: $ty)*) {}
    };
}

impl<'a> VisitOperator<'a> for Counts<'_> {
    type Output = ();

    // Without it a SIMD instruction would be an error here, and what follows it would not be counted.
    #[cfg(feature = "simd")]
    fn simd_visitor(&mut self) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

#[cfg(feature = "simd")]
impl wasmparser::VisitSimdOperator<'_> for Counts<'_> {
    wasmparser::for_each_visit_simd_operator!(visit);
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
