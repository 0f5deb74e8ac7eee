//! Looks through function bodies for what would cost the host more than the guest pays for it, and for what the
//! interpreter computes wrongly. The binary reader counts functions and types; these checks bound what a few bytes
//! of code can become, and say what must be inserted before the interpreter sees the code (`rewrite.rs`).

use crate::edit::{Insert, Insertion};
use crate::error::{LoadProblem, invalid};
use crate::limits::{
    BRANCH_COPIES_SPARE, CONTROL_DEPTH_MAX, GROWS_MAX, LOCALS_FREE, LOCALS_MAX, LOCALS_PER_NOP, SELECTS_SPARE,
};
use wasmparser::{BlockType, BrTable, FunctionBody, ValType, VisitOperator};

/// Parameters and results of a function type, by its index.
pub type Arity<'a> = &'a dyn Fn(u32) -> (u32, u32);

/// What the interpreter takes to translate an instruction, in nanoseconds of a desktop core: measured on 2 MB of each
/// kind, the dearest of a kind kept.
const OPERATOR_NS: u64 = 32;
/// A `local.get`, with the copy that is made of it when the variable changes before the value is used.
const LOCAL_GET_NS: u64 = 26;
/// A constant, `drop`, `nop` or `end`.
const LIGHT_NS: u64 = 7;
/// What an `if` takes beyond [`OPERATOR_NS`].
const IF_NS: u64 = 80;
/// What an `else` takes beyond that.
const ELSE_NS: u64 = 40;
/// What a `loop` takes beyond that.
const LOOP_NS: u64 = 28;
/// What each value that a branch copies takes, and each target of a `br_table`.
const COPY_NS: u64 = 10;

/// What is found in a function body.
pub struct Found {
    /// What must be inserted into it, in order.
    pub insertions: Vec<Insertion>,
    /// What the interpreter takes to translate it, in nanoseconds of a desktop core.
    pub translation_ns: u64,
}

/// Checks one function body that gives `results` values. Nothing is refused or inserted for the interpreter's
/// faults without `work_arounds`.
///
/// # Errors
/// More locals, nesting, growth instructions, `select` instructions, or values copied by branches than a program
/// needs; a block that takes parameters; code that cannot be read.
pub fn body(
    body: &FunctionBody<'_>,
    results: u32,
    arity: Arity<'_>,
    work_arounds: bool,
) -> Result<Found, LoadProblem> {
    let cells = count_locals(body)?;
    let mut operators = body.get_operators_reader().map_err(invalid)?;
    let mut insertions = Vec::new();
    if let Some(nops) =
        cells.saturating_sub(LOCALS_FREE).div_ceil(LOCALS_PER_NOP).try_into().ok().filter(|n| *n > 0)
    {
        insertions.push(Insertion { at: operators.original_position(), what: Insert::Nops(nops) });
    }
    let mut counts = Counts::new(results, arity);
    let bytes = body.range().len() as u64;
    let mut count = 0;
    while !operators.eof() {
        count += 1;
        let at = operators.original_position();
        operators.visit_operator(&mut counts).map_err(invalid)?;
        if !std::mem::take(&mut counts.changed) {
            continue;
        }
        check("nested blocks", counts.depth() as u64, CONTROL_DEPTH_MAX)?;
        check("memory.grow and table.grow instructions", counts.grows, GROWS_MAX)?;
        check("values copied by branches", counts.copies, BRANCH_COPIES_SPARE + bytes)?;
        if work_arounds && counts.block_params > 0 {
            let why =
                "a block, loop or if takes parameters, which is not supported (multi-value results are)";
            return Err(LoadProblem::Invalid(why.into()));
        }
        if work_arounds && std::mem::take(&mut counts.is_select) {
            insertions.push(Insertion { at, what: Insert::SelectGuard });
            let guard = Insert::SelectGuard.bytes().len() as u64;
            check("select instructions", insertions.len() as u64, SELECTS_SPARE + bytes / guard)?;
        }
    }
    Ok(Found { insertions, translation_ns: counts.translation_ns(count) })
}

/// What is counted, instruction by instruction.
struct Counts<'a> {
    arity: Arity<'a>,
    /// Values that a branch to each open block copies.
    labels: Vec<u32>,
    copies: u64,
    grows: u64,
    /// What the interpreter takes to translate the instructions, beyond [`OPERATOR_NS`] for each.
    extra_ns: u64,
    /// `local.get` instructions.
    local_gets: u64,
    /// Constants, `drop`, `nop` and `end` instructions.
    light: u64,
    /// Parameters of blocks; there must be none.
    block_params: u32,
    /// Whether the last instruction is a `select`.
    is_select: bool,
    /// Whether the last instruction changed any of this.
    changed: bool,
}

impl<'a> Counts<'a> {
    /// For a function that gives `results` values: its body is a block with a label of its own.
    fn new(results: u32, arity: Arity<'a>) -> Counts<'a> {
        let labels = vec![results];
        let (copies, grows, extra_ns, local_gets, light, block_params) = Default::default();
        let (is_select, changed) = (false, false);
        Counts { arity, labels, copies, grows, extra_ns, local_gets, light, block_params, is_select, changed }
    }

    /// What `count` instructions take to translate.
    fn translation_ns(&self, count: u64) -> u64 {
        let heavy = count - self.local_gets - self.light;
        heavy * OPERATOR_NS + self.local_gets * LOCAL_GET_NS + self.light * LIGHT_NS + self.extra_ns
    }

    /// Opens a block whose label takes `values`.
    fn open(&mut self, ty: BlockType, values: u32) {
        self.labels.push(values);
        self.block_params += params(ty, self.arity);
        self.changed = true;
    }

    /// Blocks that are open, the function's body not counted.
    fn depth(&self) -> usize {
        self.labels.len().saturating_sub(1)
    }

    fn select(&mut self) {
        self.is_select = true;
        self.changed = true;
    }

    fn branch(&mut self, depth: u32) {
        let copies = label(&self.labels, depth);
        self.copies += copies;
        self.extra_ns += copies * COPY_NS;
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
            self.open(blockty, results(blockty, self.arity));
        }
    };
    (one visit_else ($($rest:tt)*)) => {
        fn visit_else(&mut self) {
            self.extra_ns += ELSE_NS;
        }
    };
    (one visit_if ($($rest:tt)*)) => {
        fn visit_if(&mut self, blockty: BlockType) {
            self.extra_ns += IF_NS;
            self.open(blockty, results(blockty, self.arity));
        }
    };
    (one visit_loop ($($rest:tt)*)) => {
        fn visit_loop(&mut self, blockty: BlockType) {
            self.extra_ns += LOOP_NS;
            self.open(blockty, params(blockty, self.arity));
        }
    };
    (one visit_end ($($rest:tt)*)) => {
        fn visit_end(&mut self) {
            self.light += 1;
            self.labels.pop();
        }
    };
    (one visit_local_get ($($rest:tt)*)) => {
        fn visit_local_get(&mut self, _: u32) {
            self.local_gets += 1;
        }
    };
    (one visit_i32_const ($($rest:tt)*)) => {
        fn visit_i32_const(&mut self, _: i32) {
            self.light += 1;
        }
    };
    (one visit_i64_const ($($rest:tt)*)) => {
        fn visit_i64_const(&mut self, _: i64) {
            self.light += 1;
        }
    };
    (one visit_f32_const ($($rest:tt)*)) => {
        fn visit_f32_const(&mut self, _: wasmparser::Ieee32) {
            self.light += 1;
        }
    };
    (one visit_f64_const ($($rest:tt)*)) => {
        fn visit_f64_const(&mut self, _: wasmparser::Ieee64) {
            self.light += 1;
        }
    };
    (one visit_drop ($($rest:tt)*)) => {
        fn visit_drop(&mut self) {
            self.light += 1;
        }
    };
    (one visit_nop ($($rest:tt)*)) => {
        fn visit_nop(&mut self) {
            self.light += 1;
        }
    };
    (one visit_return ($($rest:tt)*)) => {
        fn visit_return(&mut self) {
            self.branch(self.depth() as u32);
        }
    };
    (one visit_select ($($rest:tt)*)) => {
        fn visit_select(&mut self) {
            self.select();
        }
    };
    (one visit_typed_select ($($rest:tt)*)) => {
        fn visit_typed_select(&mut self, _: ValType) {
            self.select();
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
            self.extra_ns += u64::from(targets.len()) * COPY_NS;
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

/// Counts the local variables, and gives how many of the interpreter's stack cells they take.
fn count_locals(body: &FunctionBody<'_>) -> Result<u64, LoadProblem> {
    let (mut count, mut cells) = (0, 0);
    for group in body.get_locals_reader().map_err(invalid)? {
        let (locals, ty) = group.map_err(invalid)?;
        count += u64::from(locals);
        cells += u64::from(locals) * if ty == ValType::V128 { 2 } else { 1 };
        check("local variables", count, LOCALS_MAX)?;
    }
    Ok(cells)
}

/// How many values a branch to this label copies; none for a label that is not there, which validation refuses.
/// The outermost label is the function's own.
fn label(labels: &[u32], depth: u32) -> u64 {
    let index = labels.len().checked_sub(depth as usize + 1);
    index.map_or(0, |index| u64::from(labels[index]))
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
