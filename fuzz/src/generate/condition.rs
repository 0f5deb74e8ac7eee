//! Conditions in every form that a translator may fuse with what uses them, and `select`.

use super::body::Body;
use super::ops;
use super::plan::val_type;
use crate::value::{Num, Ty};
use wasm_encoder::Instruction as I;

impl Body<'_, '_> {
    /// Pushes an `i32` that is meant as a condition.
    pub fn condition(&mut self, depth: u32) {
        if depth == 0 || !self.afford(1) {
            return self.simple_condition();
        }
        let depth = depth - 1;
        match self.c.weighted(&[18, 14, 14, 30, 8, 10, 6, 6, 8, 6]) {
            0 => {
                self.expr(Ty::I32, depth);
                self.put(I::I32Eqz);
            }
            1 => self.compare_zero(depth),
            2 => {
                self.condition(depth);
                let times = 1 + self.c.below(3);
                self.puts((0..times).map(|_| I::I32Eqz));
            }
            3 => self.compare(depth),
            4 => {
                self.expr(Ty::I64, depth);
                self.put(I::I64Eqz);
            }
            5 => {
                self.condition(depth);
                self.condition(depth);
                let op = self.c.pick(&[I::I32And, I::I32Or, I::I32Xor, I::I32Ne, I::I32Eq]).clone();
                self.put(op);
            }
            6 => {
                self.expr(Ty::I64, depth);
                self.put(I::I32WrapI64);
            }
            7 => {
                self.expr(Ty::I32, depth);
                self.puts([I::I32Const(1), I::I32And]);
            }
            8 => {
                self.condition(depth);
                if let Some(local) = self.local(Ty::I32) {
                    self.put(I::LocalTee(local));
                }
            }
            _ => self.expr(Ty::I32, depth),
        }
    }

    fn simple_condition(&mut self) {
        self.leaf(Ty::I32);
        match self.c.below(4) {
            0 => {}
            1 => self.put(I::I32Eqz),
            2 => self.puts([I::I32Const(0), I::I32Ne]),
            _ => {
                self.leaf(Ty::I32);
                let op = self.c.pick(ops::compare(Ty::I32)).clone();
                self.put(op);
            }
        }
    }

    /// `x == 0`, `0 == x`, `x != 0`, `0 != x` of a type, or another comparison with 0.
    fn compare_zero(&mut self, depth: u32) {
        let ty = Ty::NUMBERS[self.c.weighted(&[60, 25, 8, 7])];
        let zero = match ty {
            Ty::I32 => Num::I32(0),
            Ty::I64 => Num::I64(0),
            Ty::F32 => Num::F32(0),
            _ => Num::F64(0),
        };
        let first = self.c.chance(35);
        if first {
            self.constant(zero);
        }
        self.expr(ty, depth);
        if !first {
            self.constant(zero);
        }
        let all = ops::compare(ty);
        let op = if self.c.chance(75) { self.c.pick(&all[..2]) } else { self.c.pick(all) };
        let op = op.clone();
        self.put(op);
    }

    fn compare(&mut self, depth: u32) {
        let ty = Ty::NUMBERS[self.c.weighted(&[40, 25, 18, 17])];
        // Constants on both sides are folded.
        let depth = if self.c.chance(15) { 0 } else { depth };
        self.expr(ty, depth);
        self.expr(ty, depth);
        let op = self.c.pick(ops::compare(ty)).clone();
        self.put(op);
    }

    /// `select` of two values.
    pub fn select(&mut self, ty: Ty, depth: u32) {
        self.expr(ty, depth);
        self.expr(ty, depth);
        self.condition(depth);
        if !self.shape.selects {
            self.puts([I::I32Const(0), I::I32Or]);
        }
        if self.c.chance(25) || !ty.is_number() {
            self.put(I::TypedSelect(val_type(ty)));
        } else {
            self.put(I::Select);
        }
    }
}
