//! Expressions that end a tree, and those whose bits are known: what may be shown of a float.

use super::body::Body;
use super::ops;
use super::plan::{TABLE_SIZES, WINDOW_BYTES};
use crate::value::{Ty, number};
use wasm_encoder::{HeapType, Instruction as I, MemArg};

impl Body<'_, '_> {
    /// A constant, a local or a global.
    pub fn leaf(&mut self, ty: Ty) {
        let global = self.c.chance(15);
        if global && let Some(index) = self.global(ty, false) {
            return self.put(I::GlobalGet(index));
        }
        if self.c.chance(62)
            && let Some(index) = self.local(ty)
        {
            return self.put(I::LocalGet(index));
        }
        match ty {
            Ty::Func if self.c.chance(60) => {
                let function = self.c.below(self.plan.functions.len()) as u32;
                self.put(I::RefFunc(function));
            }
            Ty::Func => self.put(I::RefNull(HeapType::FUNC)),
            Ty::Extern => self.put(I::RefNull(HeapType::EXTERN)),
            _ => {
                let value = number(ty, self.c);
                self.constant(value);
            }
        }
    }

    /// A global of this type, other than the number of calls left.
    pub fn global(&mut self, ty: Ty, to_set: bool) -> Option<u32> {
        let globals = self.plan.globals.iter().enumerate().skip(1);
        let fitting = globals.filter(|(_, global)| global.ty == ty && (global.is_mutable || !to_set));
        let fitting: Vec<u32> = fitting.map(|(index, _)| index as u32).collect();
        if fitting.is_empty() { None } else { Some(*self.c.pick(&fitting)) }
    }

    /// A reference.
    pub fn reference(&mut self, ty: Ty, depth: u32) {
        match self.c.weighted(&[30, 20, 12, 10, 10]) {
            0 => self.leaf(ty),
            1 => {
                let table = if ty == Ty::Extern { 1 } else { 2 * self.c.below(2) };
                self.index_into(table, depth);
                self.put(I::TableGet(table as u32));
            }
            2 => self.select(ty, depth),
            3 => self.block(ty, depth),
            _ => self.if_else(ty, depth),
        }
    }

    /// An index into a table, seldom one past its end.
    pub fn index_into(&mut self, table: usize, depth: u32) {
        let size = TABLE_SIZES[table];
        if self.c.chance(75) {
            let past = u64::from(self.c.chance(3));
            let index = self.c.below(size as usize) as u64 + past * size;
            return self.put(I::I32Const(index as i32));
        }
        self.expr(Ty::I32, depth);
        self.puts([I::I32Const(3), I::I32And]);
    }

    /// An address. Most are small, so that loads see what stores wrote.
    pub fn address(&mut self, depth: u32) {
        match self.c.weighted(&[45, 30, 8, 15, 2]) {
            0 => {
                let address = self.c.below(WINDOW_BYTES as usize - 40) as i32;
                self.put(I::I32Const(address));
            }
            1 => {
                self.expr(Ty::I32, depth);
                self.puts([I::I32Const(0xff), I::I32And]);
            }
            2 => {
                let address = [0xfff8, 0xffff, 0x1_0000, 0x1_0010, 0x1_fff9, -1, i32::MIN];
                let address = *self.c.pick(&address);
                self.put(I::I32Const(address));
            }
            3 => match self.local(Ty::I32) {
                // The local keeps the address, so that it is an operand in a slot.
                Some(local) => {
                    self.puts([I::LocalGet(local), I::I32Const(0x7f), I::I32And, I::LocalTee(local)])
                }
                None => self.put(I::I32Const(16)),
            },
            _ => self.expr(Ty::I32, depth),
        }
    }

    /// Offset and alignment for an access of `1 << width` bytes.
    pub fn offset(&mut self, width: u32) -> MemArg {
        let offset = match self.c.weighted(&[70, 15, 8, 6, 1]) {
            0 => self.c.below(32) as u64,
            1 => 0,
            2 => 0xff00 + self.c.below(0x100) as u64,
            3 => 0x1_0000 + self.c.below(64) as u64,
            _ => u64::from(u32::MAX) - self.c.below(64) as u64,
        };
        MemArg { offset, align: self.c.below(width as usize + 1) as u32, memory_index: 0 }
    }

    /// A value from memory.
    pub fn load(&mut self, ty: Ty, depth: u32) {
        self.address(depth);
        let (width, access) = *self.c.pick(ops::load(ty));
        let argument = self.offset(width);
        self.put(access(argument));
    }

    /// A float whose bits are the same on every engine, as code may look at them. Arithmetic may give any
    /// NaN, so what comes from there is made canonical.
    pub fn exact_float(&mut self, ty: Ty, depth: u32) {
        let is_single = ty == Ty::F32;
        match self.c.weighted(&[30, 15, 20, 10, 10, 15]) {
            0 => {
                self.expr(ty, depth);
                self.canonical(ty);
            }
            1 => {
                let value = number(ty, self.c);
                self.constant(value);
            }
            2 => {
                let from = [Ty::I32, Ty::I64][self.c.below(2)];
                self.expr(from, depth);
                self.put(match (is_single, from) {
                    (true, Ty::I32) => I::F32ConvertI32S,
                    (true, _) => I::F32ConvertI64U,
                    (false, Ty::I32) => I::F64ConvertI32U,
                    (false, _) => I::F64ConvertI64S,
                });
            }
            3 => {
                self.expr(if is_single { Ty::I32 } else { Ty::I64 }, depth);
                self.put(if is_single { I::F32ReinterpretI32 } else { I::F64ReinterpretI64 });
            }
            4 => self.load(ty, depth),
            _ => {
                self.exact_float(ty, depth.saturating_sub(1));
                let which = self.c.below(2);
                self.put(match (is_single, which) {
                    (true, 0) => I::F32Neg,
                    (true, _) => I::F32Abs,
                    (false, 0) => I::F64Neg,
                    (false, _) => I::F64Abs,
                });
            }
        }
    }

    /// Replaces a NaN on the stack by the canonical one.
    pub fn canonical(&mut self, ty: Ty) {
        let scratch = self.private_local(ty);
        self.puts(canonical(ty, scratch, !self.shape.selects));
    }
}

/// Code that replaces a NaN on the stack by the canonical one; `scratch` is a local of type `ty`.
pub fn canonical(ty: Ty, scratch: u32, guarded: bool) -> Vec<I<'static>> {
    let (nan, equal) = match ty {
        Ty::F32 => (I::F32Const(f32::NAN.into()), I::F32Eq),
        _ => (I::F64Const(f64::NAN.into()), I::F64Eq),
    };
    let mut code = vec![I::LocalTee(scratch), nan, I::LocalGet(scratch), I::LocalGet(scratch), equal];
    if guarded {
        code.extend([I::I32Const(0), I::I32Or]);
    }
    code.push(I::Select);
    code
}
