//! Blocks, loops, ifs, branches and calls: all that leaves a straight line.

use super::body::Body;
use super::ops;
use super::plan::any_type;
use crate::value::Ty;
use std::borrow::Cow;
use wasm_encoder::Instruction as I;

impl Body<'_, '_> {
    /// `[ty]` and sometimes more behind it.
    fn more(&mut self, ty: Ty) -> Vec<Ty> {
        let more = self.c.weighted(&[60, 20, 12, 8]);
        std::iter::once(ty).chain((0..more).map(|_| any_type(self.c)).collect::<Vec<_>>()).collect()
    }

    /// Types of a block's parameters; none unless they are asked for.
    fn some_params(&mut self) -> Vec<Ty> {
        if !self.shape.params || self.c.chance(50) {
            return Vec::new();
        }
        (0..1 + self.c.below(3)).map(|_| any_type(self.c)).collect()
    }

    /// Takes values off the stack until there are as many as `keep`.
    fn sink_to(&mut self, types: &[Ty], keep: usize) {
        for index in (keep..types.len()).rev() {
            let ty = types[index];
            let same_before = index > keep && types[index - 1] == ty && ty.is_number();
            if same_before && self.c.chance(50) {
                let op = self.c.pick(ops::binary(ty)).clone();
                self.put(op);
                continue;
            }
            self.sink(ty);
        }
    }

    /// Takes one value off the stack.
    pub fn sink(&mut self, ty: Ty) {
        match self.c.weighted(&[30, 55, 15]) {
            1 if let Some(local) = self.local(ty) => self.put(I::LocalSet(local)),
            2 if let Some(global) = self.global(ty, true) => self.put(I::GlobalSet(global)),
            _ => self.put(I::Drop),
        }
    }

    fn inside(&mut self, label: Vec<Ty>, params: &[Ty], write: impl FnOnce(&mut Self)) {
        self.labels.push(label);
        if self.c.chance(20) {
            self.put(I::Nop);
        }
        self.sink_to(params, 0);
        write(self);
        self.labels.pop();
    }

    /// `block`, with one result that stays and others that do not.
    pub fn block(&mut self, ty: Ty, depth: u32) {
        let (results, params) = (self.more(ty), self.some_params());
        self.exprs(&params, depth.min(1));
        let block = self.plan.types.block(&params, &results);
        self.put(I::Block(block));
        self.inside(results.clone(), &params, |body| {
            body.statements(depth);
            body.exprs(&results, depth);
        });
        self.put(I::End);
        self.sink_to(&results, 1);
    }

    /// `if` and `else`.
    pub fn if_else(&mut self, ty: Ty, depth: u32) {
        let (results, params) = (self.more(ty), self.some_params());
        self.exprs(&params, depth.min(1));
        self.condition(depth);
        let block = self.plan.types.block(&params, &results);
        self.put(I::If(block));
        for is_else in [false, true] {
            if is_else {
                self.put(I::Else);
            }
            self.inside(results.clone(), &params, |body| {
                body.statements(depth);
                body.exprs(&results, depth);
            });
        }
        self.put(I::End);
        self.sink_to(&results, 1);
    }

    /// A loop in a block. A counter that nothing else sets ends it, however often code branches back.
    pub fn bounded_loop(&mut self, ty: Ty, depth: u32) {
        if self.loops == 2 {
            return self.block(ty, depth);
        }
        let (results, params) = (self.more(ty), self.some_params());
        let counter = self.private_local(Ty::I32);
        let times = self.c.below(6) as i32;
        self.puts([I::I32Const(times), I::LocalSet(counter)]);
        let (out, again) = (self.plan.types.block(&[], &results), self.plan.types.block(&params, &results));
        self.put(I::Block(out));
        self.labels.push(results.clone());
        self.exprs(&params, depth.min(1));
        self.put(I::Loop(again));
        self.loops += 1;
        self.inside(params.clone(), &params, |body| {
            results.iter().for_each(|ty| body.leaf(*ty));
            body.puts([I::LocalGet(counter), I::I32Const(1), I::I32Sub, I::LocalTee(counter)]);
            body.puts([I::I32Const(0), I::I32LtS, I::BrIf(1)]);
            body.puts(results.iter().map(|_| I::Drop));
            body.statements(depth);
            body.exprs(&results, depth);
            body.exprs(&params, depth.min(1));
            body.condition(depth);
            body.put(I::BrIf(0));
            body.sink_to(&[&results[..], &params[..]].concat(), results.len());
        });
        self.loops -= 1;
        self.put(I::End);
        self.labels.pop();
        self.put(I::End);
        self.sink_to(&results, 1);
    }

    /// A label and what a branch to it takes.
    fn label(&mut self) -> (u32, Vec<Ty>) {
        let depth = self.c.below(self.labels.len());
        (depth as u32, self.labels[self.labels.len() - 1 - depth].clone())
    }

    /// `br_if` that passes values, which are still there if it is not taken.
    pub fn br_if_values(&mut self, ty: Ty, depth: u32) {
        let (label, types) = self.label();
        if types.len() > 4 {
            return self.expr(ty, depth);
        }
        self.exprs(&types, depth.min(1));
        self.condition(depth);
        self.put(I::BrIf(label));
        if types.first() == Some(&ty) {
            self.sink_to(&types, 1);
        } else {
            self.sink_to(&types, 0);
            self.expr(ty, depth);
        }
    }

    /// `br_table` to labels that take the same. What follows it is dead, so it is in two blocks of its own,
    /// whose labels may be as high as each other.
    pub fn br_table(&mut self, ty: Ty, depth: u32) {
        let results = if self.shape.br_tables { self.more(ty) } else { vec![ty] };
        let block = self.plan.types.block(&[], &results);
        self.put(I::Block(block));
        self.inside(results.clone(), &[], |body| {
            let between = body.some_below();
            body.put(I::Block(block));
            body.inside(results.clone(), &[], |body| body.br_table_here(depth));
            body.put(I::End);
            if !between.is_empty() {
                body.sink_to(&[&between[..], &results[..]].concat(), 0);
                body.exprs(&results, 0);
            }
        });
        self.put(I::End);
        self.sink_to(&results, 1);
    }

    fn br_table_here(&mut self, depth: u32) {
        // Sometimes what is passed does not lie where the labels expect it.
        self.some_below();
        let (mut default, mut types) = self.label();
        if self.c.chance(50) || types.len() > 1 && !self.shape.br_tables {
            (default, types) = (0, self.labels[self.labels.len() - 1].clone());
        }
        let same = self.labels.iter().rev().enumerate().filter(|(_, label)| **label == types);
        let same: Vec<u32> = same.map(|(depth, _)| depth as u32).collect();
        let targets: Vec<u32> = (0..self.c.below(5)).map(|_| *self.c.pick(&same)).collect();
        self.exprs(&types, depth.min(1));
        self.expr(Ty::I32, depth);
        if self.c.chance(60) {
            self.puts([I::I32Const(3), I::I32And]);
        }
        self.put(I::BrTable(Cow::Owned(targets), default));
    }

    /// Pushes values that nothing uses, or none.
    fn some_below(&mut self) -> Vec<Ty> {
        let types: Vec<Ty> = (0..self.c.weighted(&[60, 25, 15])).map(|_| any_type(self.c)).collect();
        self.exprs(&types, 0);
        types
    }

    /// Leaves for good: `br`, `return` or `unreachable`, mostly behind a condition.
    /// Without one, what follows is dead, and may take a `ty` from the stack all the same.
    pub fn leave(&mut self, ty: Ty, depth: u32) {
        let is_conditional = self.c.chance(60);
        if is_conditional {
            self.condition(depth);
            self.put(I::If(wasm_encoder::BlockType::Empty));
            self.labels.push(Vec::new());
        }
        match self.c.weighted(&[60, 30, 10]) {
            0 => {
                let (label, types) = self.label();
                self.exprs(&types, depth.min(1));
                self.put(I::Br(label));
            }
            1 => {
                let types = self.labels[0].clone();
                self.exprs(&types, depth.min(1));
                self.put(I::Return);
            }
            _ => self.put(I::Unreachable),
        }
        if is_conditional {
            self.labels.pop();
            self.put(I::End);
            self.expr(ty, depth);
        }
    }

    /// A call of any function.
    pub fn call(&mut self, ty: Ty, depth: u32) {
        let callee = self.callee(ty);
        let signature = self.plan.functions[callee].clone();
        self.exprs(&signature.params, depth.min(2));
        self.put(I::Call(callee as u32));
        self.keep(&signature.results, ty, depth);
    }

    /// A call through table 0, mostly with the type of the function that was in that element first.
    pub fn call_indirect(&mut self, ty: Ty, depth: u32) {
        let element = self.c.below(self.plan.elements.len());
        let there = self.plan.elements[element].filter(|_| !self.c.chance(4));
        let callee = there.map_or_else(|| self.callee(ty), |function| function as usize);
        let signature = self.plan.functions[callee].clone();
        self.exprs(&signature.params, depth.min(2));
        if self.c.chance(85) {
            self.put(I::I32Const(element as i32));
        } else {
            self.index_into(0, depth);
        }
        let type_index = self.plan.types.index(&signature.params, &signature.results);
        self.put(I::CallIndirect { type_index, table_index: 0 });
        self.keep(&signature.results, ty, depth);
    }

    /// A function, rather one that gives a `ty`.
    fn callee(&mut self, ty: Ty) -> usize {
        let functions = self.plan.functions.iter().enumerate();
        let fitting = functions.filter(|(_, function)| function.results.first() == Some(&ty));
        let fitting: Vec<usize> = fitting.map(|(index, _)| index).collect();
        if fitting.is_empty() || self.c.chance(20) {
            return self.c.below(self.plan.functions.len());
        }
        *self.c.pick(&fitting)
    }

    fn keep(&mut self, types: &[Ty], ty: Ty, depth: u32) {
        if types.first() == Some(&ty) {
            return self.sink_to(types, 1);
        }
        self.sink_to(types, 0);
        self.expr(ty, depth);
    }
}
