//! What has to be known before an instruction runs.

use wasmparser::{Operator, ValType};

/// The prefix of SIMD instructions (core specification, section 5.4.8).
const SIMD_PREFIX: u8 = 0xfd;

/// What comes before an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// What it costs: instructions of its kind are free.
    Cost,
    /// Where it is: it may trap.
    Place,
    /// Its cost and its place: it calls a function.
    Call,
    /// The same, and the index in the table, which is the top of the stack.
    CallIndirect,
    /// Its place, and the address, which is the top of the stack.
    Load,
    /// Its place, and the address, which is below a value of this type.
    Store(ValType),
    /// Its place, and the three numbers on top of the stack.
    Bulk,
    /// It returns from the function.
    Return,
    /// It opens a block. A loop is a place after it: a guest may stay there until a limit stops it.
    Opens {
        /// Whether it is a loop.
        is_loop: bool,
    },
    /// It ends a block.
    End,
}

/// What comes before `operator`, whose first byte is `first`.
#[rustfmt::skip]
pub fn before(operator: &Operator<'_>, first: u8) -> Before {
    use Operator::*;
    match operator {
        // The kinds that are free in this mode, because the instrumentation is made of them.
        Br { .. } | GlobalGet { .. } | GlobalSet { .. } | F64Const { .. } => Before::Cost,
        Call { .. } => Before::Call,
        CallIndirect { .. } => Before::CallIndirect,
        Return => Before::Return,
        Block { .. } | If { .. } => Before::Opens { is_loop: false },
        Loop { .. } => Before::Opens { is_loop: true },
        End => Before::End,
        I32Load { .. } | I64Load { .. } | F32Load { .. } | F64Load { .. } | I32Load8S { .. } | I32Load8U { .. }
        | I32Load16S { .. } | I32Load16U { .. } | I64Load8S { .. } | I64Load8U { .. } | I64Load16S { .. }
        | I64Load16U { .. } | I64Load32S { .. } | I64Load32U { .. } => Before::Load,
        I32Store { .. } | I32Store8 { .. } | I32Store16 { .. } => Before::Store(ValType::I32),
        I64Store { .. } | I64Store8 { .. } | I64Store16 { .. } | I64Store32 { .. } => Before::Store(ValType::I64),
        F32Store { .. } => Before::Store(ValType::F32),
        F64Store { .. } => Before::Store(ValType::F64),
        MemoryInit { .. } | MemoryCopy { .. } | MemoryFill { .. } => Before::Bulk,
        Unreachable | TableGet { .. } | TableSet { .. } | TableInit { .. } | TableCopy { .. } | TableFill { .. }
        | I32DivS | I32DivU | I32RemS | I32RemU | I64DivS | I64DivU | I64RemS | I64RemU
        | I32TruncF32S | I32TruncF32U | I32TruncF64S | I32TruncF64U
        | I64TruncF32S | I64TruncF32U | I64TruncF64S | I64TruncF64U => Before::Place,
        // Of these, only loads and stores trap.
        _ if first == SIMD_PREFIX => Before::Place,
        _ => Before::Nothing,
    }
}
