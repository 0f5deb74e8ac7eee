//! Writes one function: the state of it, and which kind of expression comes next.
//!
//! An expression is code that leaves one value of a type on the stack and takes nothing from it. What it
//! does on the way (blocks, branches, assignments) happens while the operands before it lie on the stack.

use super::Shape;
use super::ops;
use super::plan::{Plan, Signature};
use crate::choices::Choices;
use crate::value::{Num, Ty};
use wasm_encoder::{Ieee32, Ieee64, Instruction as I};

/// Expressions and statements of one function.
const BUDGET: i32 = 90;

/// A function as it is written.
pub struct Body<'a, 'c> {
    /// The source of decisions.
    pub c: &'a mut Choices<'c>,
    /// What the module declares.
    pub plan: &'a mut Plan,
    /// What may be used.
    pub shape: Shape,
    /// The code so far.
    pub code: Vec<I<'static>>,
    /// Types of the locals, parameters first.
    pub locals: Vec<Ty>,
    /// How many of `locals` code may set; those behind are counters of loops and scratch.
    pub free: usize,
    /// For each open label the types that a branch to it takes; the innermost is last.
    pub labels: Vec<Vec<Ty>>,
    /// Loops around this place.
    pub loops: u32,
    budget: i32,
}

impl<'a, 'c> Body<'a, 'c> {
    /// An empty function of type `signature` with further locals `locals`.
    pub fn new(
        c: &'a mut Choices<'c>,
        plan: &'a mut Plan,
        shape: Shape,
        signature: &Signature,
        locals: &[Ty],
    ) -> Body<'a, 'c> {
        let locals = [&signature.params[..], locals].concat();
        let labels = vec![signature.results.clone()];
        let (code, free) = (Vec::new(), locals.len());
        Body { c, plan, shape, code, locals, free, labels, loops: 0, budget: BUDGET }
    }

    /// Appends an instruction.
    pub fn put(&mut self, instruction: I<'static>) {
        self.code.push(instruction);
    }

    /// Appends instructions.
    pub fn puts(&mut self, instructions: impl IntoIterator<Item = I<'static>>) {
        self.code.extend(instructions);
    }

    /// A local that no code sets but the caller's.
    pub fn private_local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    /// A local of this type that code may set.
    pub fn local(&mut self, ty: Ty) -> Option<u32> {
        let fitting: Vec<u32> = (0..self.free as u32).filter(|i| self.locals[*i as usize] == ty).collect();
        if fitting.is_empty() { None } else { Some(*self.c.pick(&fitting)) }
    }

    /// Pushes a constant.
    pub fn constant(&mut self, value: Num) {
        self.put(match value {
            Num::I32(v) => I::I32Const(v),
            Num::I64(v) => I::I64Const(v),
            Num::F32(bits) => I::F32Const(Ieee32::new(bits)),
            Num::F64(bits) => I::F64Const(Ieee64::new(bits)),
        });
    }

    /// Takes `cost` from the budget; false if it is used up.
    pub fn afford(&mut self, cost: i32) -> bool {
        self.budget -= cost;
        self.budget > 0
    }

    /// Pushes one value of each type.
    pub fn exprs(&mut self, types: &[Ty], depth: u32) {
        types.iter().for_each(|ty| self.expr(*ty, depth));
    }

    /// Pushes a value of type `ty`.
    pub fn expr(&mut self, ty: Ty, depth: u32) {
        if depth == 0 || !self.afford(1) {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        if !ty.is_number() {
            return self.reference(ty, depth);
        }
        match self.c.weighted(&[14, 22, 8, 9, 7, 13, 9, 7, 4, 5, 4, 4, 5, 3, 3, 8, 3, 6, 1]) {
            0 => self.leaf(ty),
            1 => self.binary(ty, depth),
            2 => self.unary(ty, depth),
            3 => self.conversion(ty, depth),
            4 => self.load(ty, depth),
            5 => self.select(ty, depth),
            6 => self.block(ty, depth),
            7 => self.if_else(ty, depth),
            8 => self.bounded_loop(ty, depth),
            9 => self.call(ty, depth),
            10 => self.call_indirect(ty, depth),
            11 => self.tee(ty, depth),
            12 => self.br_if_values(ty, depth),
            13 => self.br_table(ty, depth),
            14 => {
                self.statement(depth);
                self.expr(ty, depth);
            }
            15 => self.stale_local(ty, depth),
            16 if ty == Ty::I32 => self.small_answer(depth),
            16 => self.leaf(ty),
            17 => self.twins(ty, depth),
            _ => self.leave(ty, depth),
        }
    }

    fn binary(&mut self, ty: Ty, depth: u32) {
        if ty == Ty::I32 && self.c.chance(35) {
            return self.condition(depth);
        }
        if matches!(ty, Ty::I32 | Ty::I64) && self.c.chance(12) {
            return self.divide(ty, depth);
        }
        if !matches!(ty, Ty::I32 | Ty::I64) && self.c.chance(10) {
            self.expr(ty, depth);
            self.exact_float(ty, depth);
            return self.put(if ty == Ty::F32 { I::F32Copysign } else { I::F64Copysign });
        }
        self.expr(ty, depth);
        self.expr(ty, depth);
        let op = self.c.pick(ops::binary(ty)).clone();
        self.put(op);
    }

    /// Division, seldom by 0.
    fn divide(&mut self, ty: Ty, depth: u32) {
        self.expr(ty, depth);
        let one = if ty == Ty::I32 { I::I32Const(1) } else { I::I64Const(1) };
        match self.c.weighted(&[60, 30, 10]) {
            0 => {
                let divisor = [3, 1, -1, 2, 8, 10, 0x7fff][self.c.below(7)];
                self.constant(if ty == Ty::I32 { Num::I32(divisor) } else { Num::I64(divisor.into()) });
            }
            1 => {
                self.expr(ty, depth);
                self.puts([one, if ty == Ty::I32 { I::I32Or } else { I::I64Or }]);
            }
            _ => self.expr(ty, depth),
        }
        let op = self.c.pick(ops::division(ty)).clone();
        self.put(op);
    }

    fn unary(&mut self, ty: Ty, depth: u32) {
        self.expr(ty, depth);
        let op = self.c.pick(ops::unary(ty)).clone();
        self.put(op);
    }

    fn conversion(&mut self, ty: Ty, depth: u32) {
        match ty {
            Ty::I32 | Ty::I64 if self.c.chance(15) => {
                let float = if ty == Ty::I32 { Ty::F32 } else { Ty::F64 };
                self.exact_float(float, depth);
                self.put(if ty == Ty::I32 { I::I32ReinterpretF32 } else { I::I64ReinterpretF64 });
            }
            Ty::I32 | Ty::I64 if self.c.chance(8) => self.convert_by(ops::truncate(ty), depth),
            _ => self.convert_by(ops::convert(ty), depth),
        }
    }

    fn convert_by(&mut self, table: &[(Ty, I<'static>)], depth: u32) {
        let (from, op) = self.c.pick(table).clone();
        self.expr(from, depth);
        self.put(op);
    }

    /// A local that is read, then set in code that may branch, and then read again.
    fn stale_local(&mut self, ty: Ty, depth: u32) {
        let Some(local) = self.local(ty) else { return self.expr(ty, depth) };
        self.put(I::LocalGet(local));
        if self.c.chance(30) {
            self.statement(depth);
        }
        self.assignment(local, depth);
        if self.c.chance(50) {
            self.put(I::LocalGet(local));
        } else {
            self.expr(ty, depth);
        }
        let op = self.c.pick(ops::binary(ty)).clone();
        self.put(op);
    }

    /// Both operands are one local, which has just been set and may still be in a register.
    fn twins(&mut self, ty: Ty, depth: u32) {
        let compared = Ty::NUMBERS[self.c.below(4)];
        let is_comparison = ty == Ty::I32 && self.c.chance(50);
        let of = if is_comparison { compared } else { ty };
        self.expr(of, depth);
        let Some(local) = self.local(of) else {
            self.put(I::Drop);
            return self.leaf(ty);
        };
        if self.c.chance(50) {
            self.put(I::LocalTee(local));
        } else {
            self.puts([I::LocalSet(local), I::LocalGet(local)]);
        }
        let other = self.local(of).filter(|_| self.c.chance(30)).unwrap_or(local);
        self.put(I::LocalGet(other));
        let op = self.c.pick(if is_comparison { ops::compare(of) } else { ops::binary(of) }).clone();
        self.put(op);
    }

    fn tee(&mut self, ty: Ty, depth: u32) {
        self.expr(ty, depth);
        if let Some(local) = self.local(ty) {
            self.put(I::LocalTee(local));
        }
    }

    /// An `i32` of an instruction that gives nothing else.
    fn small_answer(&mut self, depth: u32) {
        match self.c.below(5) {
            0 => self.put(I::MemorySize(0)),
            1 => {
                let pages = self.c.below(3) as i32;
                if self.c.chance(70) {
                    self.put(I::I32Const(pages))
                } else {
                    self.expr(Ty::I32, 0)
                }
                self.put(I::MemoryGrow(0));
            }
            2 => {
                let table = self.c.below(3) as u32;
                self.put(I::TableSize(table));
            }
            _ => {
                let ty = [Ty::Func, Ty::Extern][self.c.below(2)];
                self.expr(ty, depth);
                self.put(I::RefIsNull);
            }
        }
    }
}
