//! Statements: code that leaves the stack as it was.

use super::body::Body;
use super::ops;
use super::plan::{PASSIVE_BYTES, PASSIVE_ELEMENTS, any_type};
use crate::value::Ty;
use wasm_encoder::{BlockType, Instruction as I};

impl Body<'_, '_> {
    /// None, one or some statements.
    pub fn statements(&mut self, depth: u32) {
        for _ in 0..self.c.weighted(&[40, 35, 15, 10]) {
            self.statement(depth);
        }
    }

    /// A statement.
    pub fn statement(&mut self, depth: u32) {
        let depth = depth.saturating_sub(1);
        if !self.afford(1) {
            return;
        }
        match self.c.weighted(&[30, 14, 18, 8, 5, 5, 5, 4, 6, 3, 1]) {
            0 => match self.c.below(self.free.max(1)) {
                index if index < self.free => self.assignment(index as u32, depth),
                _ => self.put(I::Nop),
            },
            1 => {
                let ty = any_type(self.c);
                let Some(global) = self.global(ty, true) else { return };
                self.expr(ty, depth);
                self.put(I::GlobalSet(global));
            }
            2 => self.store(depth),
            3 => self.if_statement(depth),
            4 => {
                self.put(I::Block(BlockType::Empty));
                self.labels.push(Vec::new());
                self.statements(depth);
                self.labels.pop();
                self.put(I::End);
            }
            5 => {
                let ty = any_type(self.c);
                self.expr(ty, depth);
                self.put(I::Drop);
            }
            6 => self.memory_bulk(depth),
            7 => self.table_bulk(depth),
            8 => {
                let ty = any_type(self.c);
                self.br_if_values(ty, depth);
                self.sink(ty);
            }
            9 => {
                self.bounded_loop(Ty::I32, depth);
                self.sink(Ty::I32);
            }
            _ => self.put(I::Nop),
        }
    }

    /// Sets a local, sometimes in a block that may be left before.
    pub fn assignment(&mut self, local: u32, depth: u32) {
        let ty = self.locals[local as usize];
        let kind = self.c.weighted(&[60, 20, 20]);
        match kind {
            0 => self.expr(ty, depth),
            1 => {
                self.condition(depth);
                self.put(I::If(BlockType::Empty));
                self.labels.push(Vec::new());
                self.expr(ty, depth);
            }
            _ => {
                self.put(I::Block(BlockType::Empty));
                self.labels.push(Vec::new());
                if self.c.chance(60) {
                    self.condition(depth);
                    self.put(I::BrIf(0));
                }
                self.expr(ty, depth);
            }
        }
        if self.c.chance(85) {
            self.put(I::LocalSet(local));
        } else {
            self.puts([I::LocalTee(local), I::Drop]);
        }
        if kind > 0 {
            self.labels.pop();
            self.put(I::End);
        }
    }

    fn if_statement(&mut self, depth: u32) {
        self.condition(depth);
        self.put(I::If(BlockType::Empty));
        self.labels.push(Vec::new());
        self.statements(depth);
        if self.c.chance(40) {
            self.put(I::Else);
            self.statements(depth);
        }
        self.labels.pop();
        self.put(I::End);
    }

    fn store(&mut self, depth: u32) {
        let ty = Ty::NUMBERS[self.c.weighted(&[40, 30, 15, 15])];
        self.address(depth);
        if matches!(ty, Ty::F32 | Ty::F64) {
            self.exact_float(ty, depth)
        } else {
            self.expr(ty, depth)
        }
        let (width, access) = *self.c.pick(ops::store(ty));
        let argument = self.offset(width);
        if !self.shape.far_stores && argument.offset > 0xffff {
            match ty {
                Ty::I32 => self.puts([I::I32Const(0), I::I32Or]),
                Ty::I64 => self.puts([I::I64Const(0), I::I64Or]),
                _ => {}
            }
        }
        self.put(access(argument));
    }

    /// A length, mostly a small one.
    fn length(&mut self, most: usize, depth: u32) {
        if self.c.chance(70) {
            let length = self.c.below(most + 1) as i32;
            return self.put(I::I32Const(length));
        }
        self.expr(Ty::I32, depth);
        if self.c.chance(90) {
            self.puts([I::I32Const(7), I::I32And]);
        }
    }

    fn memory_bulk(&mut self, depth: u32) {
        let segment = self.c.below(3) as u32;
        match self.c.weighted(&[30, 30, 30, 10]) {
            0 => {
                self.address(depth);
                self.address(depth);
                self.length(48, depth);
                self.put(I::MemoryCopy { src_mem: 0, dst_mem: 0 });
            }
            1 => {
                self.address(depth);
                self.expr(Ty::I32, depth);
                self.length(48, depth);
                self.put(I::MemoryFill(0));
            }
            2 => {
                self.address(depth);
                self.length(8, depth);
                self.length(PASSIVE_BYTES - 8, depth);
                self.put(I::MemoryInit { mem: 0, data_index: segment });
            }
            _ => self.put(I::DataDrop(segment)),
        }
    }

    fn table_bulk(&mut self, depth: u32) {
        let table = self.c.weighted(&[30, 20, 50]);
        let ty = if table == 1 { Ty::Extern } else { Ty::Func };
        let segment = self.c.below(3) as u32;
        match self.c.weighted(&[40, 20, 15, 15, 5]) {
            0 => {
                self.index_into(table, depth);
                self.expr(ty, depth);
                self.put(I::TableSet(table as u32));
            }
            1 => {
                let from = if table == 1 { 1 } else { 2 * self.c.below(2) };
                self.index_into(table, depth);
                self.index_into(from, depth);
                self.length(2, depth);
                self.put(I::TableCopy { src_table: from as u32, dst_table: table as u32 });
            }
            2 => {
                self.index_into(table, depth);
                self.expr(ty, depth);
                self.length(2, depth);
                self.put(I::TableFill(table as u32));
            }
            3 => {
                let table = 2 * self.c.below(2);
                self.index_into(table, depth);
                self.length(2, depth);
                self.length(PASSIVE_ELEMENTS - 2, depth);
                self.put(I::TableInit { elem_index: segment, table: table as u32 });
            }
            _ => self.put(I::ElemDrop(segment)),
        }
    }
}
