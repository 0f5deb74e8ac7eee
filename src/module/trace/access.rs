//! What an instruction that trapped wanted of a memory or a table, from its bytes and its operands.

use super::names::OPERANDS;
use wasmparser::{BinaryReader, ConstExpr, MemArg, Operator};

/// What the instruction at the byte `at` of `wasm` wanted, if that lies outside of a memory of this many bytes, or is a
/// place in a table.
pub fn fault(wasm: &[u8], at: usize, operands: [u32; OPERANDS], memory_bytes: u64) -> Option<String> {
    let reader = BinaryReader::new(wasm.get(at..)?, at);
    let operator = ConstExpr::new(reader).get_operators_reader().read().ok()?;
    let [first, second, third] = operands.map(u64::from);
    let outside = |what: String| Some(format!("{what}, in a memory of {memory_bytes} bytes"));
    if let Some((is_store, memarg)) = memory_access(&operator) {
        let bytes = width(&operator);
        if first + memarg.offset + bytes <= memory_bytes {
            return None;
        }
        let verb = if is_store { "write" } else { "read" };
        return outside(format!("{verb} of {bytes} bytes at address {first:#x} + offset {}", memarg.offset));
    }
    let is_outside = |address: u64| address + third > memory_bytes;
    match operator {
        Operator::MemoryFill { .. } if is_outside(first) => {
            outside(format!("fill of {third} bytes at address {first:#x}"))
        }
        Operator::MemoryCopy { .. } if is_outside(first) || is_outside(second) => {
            outside(format!("copy of {third} bytes from address {second:#x} to {first:#x}"))
        }
        Operator::MemoryInit { data_index, .. } => outside(format!(
            "copy of {third} bytes from offset {second} of data segment {data_index} to {first:#x}"
        )),
        Operator::CallIndirect { table_index, .. } => {
            Some(format!("call of element {first} of table {table_index}"))
        }
        _ => None,
    }
}

/// Whether a load or store is a store, and where it goes.
#[rustfmt::skip]
fn memory_access(operator: &Operator<'_>) -> Option<(bool, MemArg)> {
    use Operator::*;
    Some(match *operator {
        I32Load { memarg } | I64Load { memarg } | F32Load { memarg } | F64Load { memarg } | I32Load8S { memarg }
        | I32Load8U { memarg } | I32Load16S { memarg } | I32Load16U { memarg } | I64Load8S { memarg }
        | I64Load8U { memarg } | I64Load16S { memarg } | I64Load16U { memarg } | I64Load32S { memarg }
        | I64Load32U { memarg } => (false, memarg),
        I32Store { memarg } | I64Store { memarg } | F32Store { memarg } | F64Store { memarg } | I32Store8 { memarg }
        | I32Store16 { memarg } | I64Store8 { memarg } | I64Store16 { memarg } | I64Store32 { memarg } => (true, memarg),
        _ => return None,
    })
}

/// Bytes that a load reads or a store writes.
#[rustfmt::skip]
fn width(operator: &Operator<'_>) -> u64 {
    use Operator::*;
    match operator {
        I32Load8S { .. } | I32Load8U { .. } | I64Load8S { .. } | I64Load8U { .. } | I32Store8 { .. } | I64Store8 { .. } => 1,
        I32Load16S { .. } | I32Load16U { .. } | I64Load16S { .. } | I64Load16U { .. } | I32Store16 { .. }
        | I64Store16 { .. } => 2,
        I64Load { .. } | F64Load { .. } | I64Store { .. } | F64Store { .. } => 8,
        _ => 4,
    }
}
