//! Adds up the costs of a function's instructions, one after the other.
//!
//! `code_limits.rs` reads the sums after each instruction, and decides what is too much and what must be
//! rewritten.

use crate::module::edit::Insert;
use wasmparser::{BlockType, BrTable, MemArg, ValType, VisitOperator};

/// Time to translate an instruction, in nanoseconds on a desktop core: measured on 2 MB of each kind, taking
/// the most expensive of a kind.
const OPERATOR_NS: u64 = 26;
/// A `local.get`, with the copy that is made when the variable changes before the value is used.
const LOCAL_GET_NS: u64 = 26;
/// A constant, `drop`, `nop` or `end`.
const LIGHT_NS: u64 = 7;
/// Additional time of an `if`, beyond [`OPERATOR_NS`].
const IF_NS: u64 = 86;
/// What an `else` takes in addition.
const ELSE_NS: u64 = 46;
/// What a `loop` takes in addition.
const LOOP_NS: u64 = 34;
/// What a `local.set` or `local.tee` takes in addition.
const LOCAL_SET_NS: u64 = 6;
/// What a branch takes in addition.
const BRANCH_NS: u64 = 8;
/// Additional time of each value that a branch copies, of each parameter and result of a call, and of each
/// target of a `br_table`.
const COPY_NS: u64 = 10;

/// Bytes of a translated instruction, with what the translator keeps meanwhile; measured in the same way.
const OPERATOR_BYTES: u64 = 12;
/// A `local.get`, or a constant.
const VALUE_BYTES: u64 = 8;
/// Additional bytes of an `if`, beyond [`OPERATOR_BYTES`].
const IF_BYTES: u64 = 80;
/// What an `else` takes in addition.
const ELSE_BYTES: u64 = 60;
/// Additional bytes of a `loop`, a branch or a call.
const LABEL_BYTES: u64 = 24;
/// Additional bytes of each value that a branch copies or a call takes.
const COPY_BYTES: u64 = 16;

/// The largest offset of a store that the interpreter encodes in 16 bits.
const NEAR_OFFSET_MAX: u64 = 0xffff;

/// The types of the module's functions.
pub trait Types {
    /// Stack cells of the parameters and results of a type, by its index.
    fn of_type(&self, index: u32) -> (u32, u32);
    /// The same of a function, by its index.
    fn of_function(&self, index: u32) -> (u32, u32);
}

/// The top of the stack after an instruction, as far as the next instructions need it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    /// A value that is not a local variable's: a constant, or a loaded value.
    Fresh,
    /// The value of this local variable.
    Local(u32),
    /// Anything else.
    Unknown,
}

/// The sums.
pub struct Operators<'a> {
    types: &'a dyn Types,
    /// Stack cells that a branch to each open block copies. The first is the function's own.
    labels: Vec<u32>,
    /// Stack cells that branches copy.
    pub copies: u64,
    /// Number of `memory.grow` and `table.grow`.
    pub grows: u64,
    /// Stack cells of the parameters of blocks.
    pub block_params: u64,
    /// Stack cells that the widest `br_table` passes.
    pub table_cells: u32,
    /// Insertion needed before the last instruction, because of a fault of the interpreter.
    pub insert: Option<Insert>,
    /// Whether the last instruction changed any of the above.
    pub changed: bool,
    /// The top of the stack after the last instruction but one, and after the last one.
    tops: [Top; 2],
    top: Top,
    count: u64,
    local_gets: u64,
    light: u64,
    extra_ns: u64,
    extra_bytes: u64,
}

impl<'a> Operators<'a> {
    /// Starts a function whose parameters and results take so many stack cells. Its body is a block with its own label.
    pub fn new((params, results): (u32, u32), types: &'a dyn Types) -> Operators<'a> {
        Operators {
            types,
            labels: vec![results],
            copies: 0,
            grows: 0,
            block_params: 0,
            table_cells: 0,
            insert: None,
            changed: false,
            tops: [Top::Unknown; 2],
            top: Top::Unknown,
            count: 0,
            local_gets: 0,
            light: 0,
            extra_ns: u64::from(params) * COPY_NS,
            extra_bytes: 0,
        }
    }

    /// Number of open blocks, without the function's body.
    pub fn depth(&self) -> usize {
        self.labels.len().saturating_sub(1)
    }

    /// Estimated translation time, in nanoseconds on a desktop core.
    pub fn translation_ns(&self) -> u64 {
        let heavy = self.count - self.local_gets - self.light;
        heavy * OPERATOR_NS + self.local_gets * LOCAL_GET_NS + self.light * LIGHT_NS + self.extra_ns
    }

    /// Estimated size of the translated code, in bytes.
    pub fn translated_bytes(&self) -> u64 {
        let heavy = self.count - self.local_gets - self.light;
        heavy * OPERATOR_BYTES + (self.local_gets + self.light) * VALUE_BYTES + self.extra_bytes
    }

    /// Call this before each instruction.
    pub fn begin(&mut self) {
        self.count += 1;
        self.changed = false;
        self.insert = None;
        self.tops = [self.tops[1], self.top];
        self.top = Top::Unknown;
    }

    /// Opens a block whose label takes this many stack cells.
    fn open(&mut self, ty: BlockType, cells: u32) {
        self.labels.push(cells);
        self.block_params += u64::from(self.params(ty));
        self.changed = true;
    }

    fn results(&self, ty: BlockType) -> u32 {
        match ty {
            BlockType::Empty => 0,
            BlockType::Type(ty) => cells(ty),
            BlockType::FuncType(index) => self.types.of_type(index).1,
        }
    }

    fn params(&self, ty: BlockType) -> u32 {
        match ty {
            BlockType::Empty | BlockType::Type(_) => 0,
            BlockType::FuncType(index) => self.types.of_type(index).0,
        }
    }

    /// Stack cells that a branch to this label copies; none for an unknown label, which validation refuses.
    fn label(&self, depth: u32) -> u32 {
        let index = self.labels.len().checked_sub(depth as usize + 1);
        index.map_or(0, |index| self.labels[index])
    }

    fn branch(&mut self, depth: u32) {
        let copies = u64::from(self.label(depth));
        self.copies += copies;
        self.extra_ns += BRANCH_NS + copies * COPY_NS;
        self.extra_bytes += LABEL_BYTES + copies * COPY_BYTES;
        self.changed = true;
    }

    /// A call with this many stack cells of parameters and of results.
    fn call(&mut self, (params, results): (u32, u32)) {
        self.extra_ns += u64::from(params + results) * COPY_NS;
        self.extra_bytes += LABEL_BYTES + u64::from(params) * COPY_BYTES;
    }

    fn insert(&mut self, insert: Insert) {
        self.insert = Some(insert);
        self.changed = true;
    }

    /// A store of an integer. The interpreter's translator panics if address and value are the same local
    /// variable, unless the offset is small. Everything else that it could treat as the same is guarded too.
    fn store(&mut self, memarg: MemArg, guard: Insert) {
        let is_other = match self.tops {
            [_, Top::Fresh] | [Top::Fresh, Top::Local(_)] => true,
            [Top::Local(address), Top::Local(value)] => address != value,
            _ => false,
        };
        if memarg.offset > NEAR_OFFSET_MAX && !is_other {
            self.insert(guard);
        }
    }
}

/// Stack cells of a value.
pub fn cells(ty: ValType) -> u32 {
    if ty == ValType::V128 { 2 } else { 1 }
}

/// A visitor method for each instruction; few do anything. A visitor takes half the time of a list of
/// `Operator`, and loading a large module is mostly reading its instructions.
#[rustfmt::skip]
macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(visit! { one $visit ($($($arg: $ty),*)?) })*
    };
    (one visit_i32_const $args:tt) => { visit! { constant visit_i32_const $args } };
    (one visit_i64_const $args:tt) => { visit! { constant visit_i64_const $args } };
    (one visit_f32_const $args:tt) => { visit! { constant visit_f32_const $args } };
    (one visit_f64_const $args:tt) => { visit! { constant visit_f64_const $args } };
    (one visit_drop $args:tt) => { visit! { light visit_drop $args } };
    (one visit_nop $args:tt) => { visit! { light visit_nop $args } };
    (one visit_i32_load $args:tt) => { visit! { load visit_i32_load $args } };
    (one visit_i64_load $args:tt) => { visit! { load visit_i64_load $args } };
    (one visit_f32_load $args:tt) => { visit! { load visit_f32_load $args } };
    (one visit_f64_load $args:tt) => { visit! { load visit_f64_load $args } };
    (one visit_i32_load8_s $args:tt) => { visit! { load visit_i32_load8_s $args } };
    (one visit_i32_load8_u $args:tt) => { visit! { load visit_i32_load8_u $args } };
    (one visit_i32_load16_s $args:tt) => { visit! { load visit_i32_load16_s $args } };
    (one visit_i32_load16_u $args:tt) => { visit! { load visit_i32_load16_u $args } };
    (one visit_i64_load8_s $args:tt) => { visit! { load visit_i64_load8_s $args } };
    (one visit_i64_load8_u $args:tt) => { visit! { load visit_i64_load8_u $args } };
    (one visit_i64_load16_s $args:tt) => { visit! { load visit_i64_load16_s $args } };
    (one visit_i64_load16_u $args:tt) => { visit! { load visit_i64_load16_u $args } };
    (one visit_i64_load32_s $args:tt) => { visit! { load visit_i64_load32_s $args } };
    (one visit_i64_load32_u $args:tt) => { visit! { load visit_i64_load32_u $args } };
    (one visit_i32_store $args:tt) => { visit! { store_i32 visit_i32_store $args } };
    (one visit_i32_store8 $args:tt) => { visit! { store_i32 visit_i32_store8 $args } };
    (one visit_i32_store16 $args:tt) => { visit! { store_i32 visit_i32_store16 $args } };
    (one visit_i64_store $args:tt) => { visit! { store_i64 visit_i64_store $args } };
    (one visit_i64_store8 $args:tt) => { visit! { store_i64 visit_i64_store8 $args } };
    (one visit_i64_store16 $args:tt) => { visit! { store_i64 visit_i64_store16 $args } };
    (one visit_i64_store32 $args:tt) => { visit! { store_i64 visit_i64_store32 $args } };
    (one visit_select $args:tt) => { visit! { select visit_select $args } };
    (one visit_typed_select $args:tt) => { visit! { select visit_typed_select $args } };
    (one visit_memory_grow $args:tt) => { visit! { grow visit_memory_grow $args } };
    (one visit_table_grow $args:tt) => { visit! { grow visit_table_grow $args } };
    (one visit_br $args:tt) => { visit! { branch visit_br $args } };
    (one visit_br_if $args:tt) => { visit! { branch visit_br_if $args } };
    (one visit_local_set $args:tt) => { visit! { set visit_local_set $args } };
    (one visit_local_tee $args:tt) => { visit! { set visit_local_tee $args } };
    (one visit_block $args:tt) => {
        fn visit_block(&mut self, ty: BlockType) {
            self.open(ty, self.results(ty));
        }
    };
    (one visit_if $args:tt) => {
        fn visit_if(&mut self, ty: BlockType) {
            self.extra_ns += IF_NS;
            self.extra_bytes += IF_BYTES;
            self.open(ty, self.results(ty));
        }
    };
    (one visit_else $args:tt) => {
        fn visit_else(&mut self) {
            self.extra_ns += ELSE_NS;
            self.extra_bytes += ELSE_BYTES;
        }
    };
    (one visit_loop $args:tt) => {
        fn visit_loop(&mut self, ty: BlockType) {
            self.extra_ns += LOOP_NS;
            self.extra_bytes += LABEL_BYTES;
            self.open(ty, self.params(ty));
        }
    };
    (one visit_end $args:tt) => {
        fn visit_end(&mut self) {
            self.light += 1;
            self.labels.pop();
        }
    };
    (one visit_local_get $args:tt) => {
        fn visit_local_get(&mut self, index: u32) {
            self.local_gets += 1;
            self.top = Top::Local(index);
        }
    };
    (one visit_call $args:tt) => {
        fn visit_call(&mut self, function: u32) {
            self.call(self.types.of_function(function));
        }
    };
    (one visit_call_indirect $args:tt) => {
        fn visit_call_indirect(&mut self, ty: u32, _: u32) {
            self.call(self.types.of_type(ty));
        }
    };
    (one visit_return $args:tt) => {
        fn visit_return(&mut self) {
            self.branch(self.depth() as u32);
        }
    };
    (one visit_br_table $args:tt) => {
        fn visit_br_table(&mut self, targets: BrTable<'a>) {
            for depth in targets.targets().flatten().chain([targets.default()]) {
                self.branch(depth);
                self.extra_ns += COPY_NS;
                self.table_cells = self.table_cells.max(self.label(depth));
            }
        }
    };
    (one $visit:ident ($($arg:ident: $ty:ty),*)) => {
        fn $visit(&mut self $(, _: $ty)*) {}
    };
    (constant $visit:ident ($($arg:ident: $ty:ty),*)) => {
        fn $visit(&mut self $(, _: $ty)*) {
            self.light += 1;
            self.top = Top::Fresh;
        }
    };
    (set $visit:ident ($index:ident: $ty:ty)) => {
        fn $visit(&mut self, _: u32) {
            self.extra_ns += LOCAL_SET_NS;
        }
    };
    (light $visit:ident ()) => {
        fn $visit(&mut self) {
            self.light += 1;
        }
    };
    (load $visit:ident ($memarg:ident: $ty:ty)) => {
        fn $visit(&mut self, _: $ty) {
            self.top = Top::Fresh;
        }
    };
    (store_i32 $visit:ident ($memarg:ident: $ty:ty)) => {
        fn $visit(&mut self, memarg: MemArg) {
            self.store(memarg, Insert::OrZero32);
        }
    };
    (store_i64 $visit:ident ($memarg:ident: $ty:ty)) => {
        fn $visit(&mut self, memarg: MemArg) {
            self.store(memarg, Insert::OrZero64);
        }
    };
    (select $visit:ident ($($arg:ident: $ty:ty),*)) => {
        fn $visit(&mut self $(, _: $ty)*) {
            self.insert(Insert::OrZero32);
        }
    };
    (grow $visit:ident ($index:ident: $ty:ty)) => {
        fn $visit(&mut self, _: u32) {
            self.grows += 1;
            self.changed = true;
        }
    };
    (branch $visit:ident ($depth:ident: $ty:ty)) => {
        fn $visit(&mut self, depth: u32) {
            self.branch(depth);
        }
    };
}

impl<'a> VisitOperator<'a> for Operators<'_> {
    type Output = ();

    // Without this, a SIMD instruction would be an error here, and the code after it would not be counted.
    #[cfg(feature = "simd")]
    fn simd_visitor(&mut self) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

#[cfg(feature = "simd")]
impl wasmparser::VisitSimdOperator<'_> for Operators<'_> {
    wasmparser::for_each_visit_simd_operator!(visit);
}
