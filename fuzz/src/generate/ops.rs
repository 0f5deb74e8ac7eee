//! Tables of instructions by the types that they take and give.

use crate::value::Ty;
use wasm_encoder::{Instruction as I, MemArg};

/// Two operands of a type, one result of it. Division of integers is apart, as it traps.
pub fn binary(ty: Ty) -> &'static [I<'static>] {
    match ty {
        Ty::I32 => &[
            I::I32Add,
            I::I32Sub,
            I::I32Mul,
            I::I32And,
            I::I32Or,
            I::I32Xor,
            I::I32Shl,
            I::I32ShrS,
            I::I32ShrU,
            I::I32Rotl,
            I::I32Rotr,
        ],
        Ty::I64 => &[
            I::I64Add,
            I::I64Sub,
            I::I64Mul,
            I::I64And,
            I::I64Or,
            I::I64Xor,
            I::I64Shl,
            I::I64ShrS,
            I::I64ShrU,
            I::I64Rotl,
            I::I64Rotr,
        ],
        Ty::F32 => &[I::F32Add, I::F32Sub, I::F32Mul, I::F32Div, I::F32Min, I::F32Max],
        _ => &[I::F64Add, I::F64Sub, I::F64Mul, I::F64Div, I::F64Min, I::F64Max],
    }
}

/// Division of integers.
pub fn division(ty: Ty) -> &'static [I<'static>] {
    match ty {
        Ty::I32 => &[I::I32DivS, I::I32DivU, I::I32RemS, I::I32RemU],
        _ => &[I::I64DivS, I::I64DivU, I::I64RemS, I::I64RemU],
    }
}

/// One operand of a type, one result of it.
pub fn unary(ty: Ty) -> &'static [I<'static>] {
    match ty {
        Ty::I32 => &[I::I32Clz, I::I32Ctz, I::I32Popcnt, I::I32Extend8S, I::I32Extend16S],
        Ty::I64 => &[I::I64Clz, I::I64Ctz, I::I64Popcnt, I::I64Extend8S, I::I64Extend16S, I::I64Extend32S],
        Ty::F32 => &[I::F32Abs, I::F32Neg, I::F32Sqrt, I::F32Ceil, I::F32Floor, I::F32Trunc, I::F32Nearest],
        _ => &[I::F64Abs, I::F64Neg, I::F64Sqrt, I::F64Ceil, I::F64Floor, I::F64Trunc, I::F64Nearest],
    }
}

/// Comparisons of two operands of a type.
pub fn compare(ty: Ty) -> &'static [I<'static>] {
    match ty {
        Ty::I32 => &[
            I::I32Eq,
            I::I32Ne,
            I::I32LtS,
            I::I32LtU,
            I::I32GtS,
            I::I32GtU,
            I::I32LeS,
            I::I32LeU,
            I::I32GeS,
            I::I32GeU,
        ],
        Ty::I64 => &[
            I::I64Eq,
            I::I64Ne,
            I::I64LtS,
            I::I64LtU,
            I::I64GtS,
            I::I64GtU,
            I::I64LeS,
            I::I64LeU,
            I::I64GeS,
            I::I64GeU,
        ],
        Ty::F32 => &[I::F32Eq, I::F32Ne, I::F32Lt, I::F32Gt, I::F32Le, I::F32Ge],
        _ => &[I::F64Eq, I::F64Ne, I::F64Lt, I::F64Gt, I::F64Le, I::F64Ge],
    }
}

/// Conversions to a type, with the type that they take. Those that trap or show bits of a NaN are apart.
pub fn convert(to: Ty) -> &'static [(Ty, I<'static>)] {
    match to {
        Ty::I32 => &[
            (Ty::I64, I::I32WrapI64),
            (Ty::F32, I::I32TruncSatF32S),
            (Ty::F32, I::I32TruncSatF32U),
            (Ty::F64, I::I32TruncSatF64S),
            (Ty::F64, I::I32TruncSatF64U),
        ],
        Ty::I64 => &[
            (Ty::I32, I::I64ExtendI32S),
            (Ty::I32, I::I64ExtendI32U),
            (Ty::F32, I::I64TruncSatF32S),
            (Ty::F32, I::I64TruncSatF32U),
            (Ty::F64, I::I64TruncSatF64S),
            (Ty::F64, I::I64TruncSatF64U),
        ],
        Ty::F32 => &[
            (Ty::I32, I::F32ConvertI32S),
            (Ty::I32, I::F32ConvertI32U),
            (Ty::I64, I::F32ConvertI64S),
            (Ty::I64, I::F32ConvertI64U),
            (Ty::F64, I::F32DemoteF64),
            (Ty::I32, I::F32ReinterpretI32),
        ],
        _ => &[
            (Ty::I32, I::F64ConvertI32S),
            (Ty::I32, I::F64ConvertI32U),
            (Ty::I64, I::F64ConvertI64S),
            (Ty::I64, I::F64ConvertI64U),
            (Ty::F32, I::F64PromoteF32),
            (Ty::I64, I::F64ReinterpretI64),
        ],
    }
}

/// Conversions to integers that trap.
pub fn truncate(to: Ty) -> &'static [(Ty, I<'static>)] {
    match to {
        Ty::I32 => &[
            (Ty::F32, I::I32TruncF32S),
            (Ty::F32, I::I32TruncF32U),
            (Ty::F64, I::I32TruncF64S),
            (Ty::F64, I::I32TruncF64U),
        ],
        _ => &[
            (Ty::F32, I::I64TruncF32S),
            (Ty::F32, I::I64TruncF32U),
            (Ty::F64, I::I64TruncF64S),
            (Ty::F64, I::I64TruncF64U),
        ],
    }
}

type Access = fn(MemArg) -> I<'static>;

/// Loads of a type, each with the logarithm of its width in bytes.
pub fn load(ty: Ty) -> &'static [(u32, Access)] {
    match ty {
        Ty::I32 => {
            &[(2, I::I32Load), (0, I::I32Load8S), (0, I::I32Load8U), (1, I::I32Load16S), (1, I::I32Load16U)]
        }
        Ty::I64 => &[
            (3, I::I64Load),
            (0, I::I64Load8S),
            (0, I::I64Load8U),
            (1, I::I64Load16S),
            (1, I::I64Load16U),
            (2, I::I64Load32S),
            (2, I::I64Load32U),
        ],
        Ty::F32 => &[(2, I::F32Load)],
        _ => &[(3, I::F64Load)],
    }
}

/// Stores of a type, each with the logarithm of its width in bytes.
pub fn store(ty: Ty) -> &'static [(u32, Access)] {
    match ty {
        Ty::I32 => &[(2, I::I32Store), (0, I::I32Store8), (1, I::I32Store16)],
        Ty::I64 => &[(3, I::I64Store), (0, I::I64Store8), (1, I::I64Store16), (2, I::I64Store32)],
        Ty::F32 => &[(2, I::F32Store)],
        _ => &[(3, I::F64Store)],
    }
}
