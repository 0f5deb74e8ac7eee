//! Puts a module together: sections, functions, and what shows their effects.
//!
//! Each function under test, `i`, has an export `e<i>` that calls it and gives its results and a checksum
//! of the memory's windows and of the globals. Functions that take or give references have no export; others
//! call them.

use super::Shape;
use super::body::Body;
use super::leaf::canonical;
use super::plan::{PASSIVE_BYTES, Plan, Signature, TABLE_SIZES, WINDOW_BYTES, any_type, plan, val_type};
use crate::choices::Choices;
use crate::value::{Num, Ty, number};
use wasm_encoder as w;
use wasm_encoder::{ConstExpr, HeapType, Instruction as I};

/// A module, and how it is called.
pub struct Made {
    /// The binary module.
    pub wasm: Vec<u8>,
    /// Calls to make, each in a fresh instance.
    pub calls: Vec<(String, Vec<Num>)>,
}

/// Calls of each exported function.
const CALLS_OF_EACH: usize = 12;

/// Makes a module and arguments.
pub fn make(c: &mut Choices<'_>, shape: Shape) -> Made {
    let mut plan = plan(c);
    let signatures = plan.functions.clone();
    let mut code = w::CodeSection::new();
    let mut functions = w::FunctionSection::new();
    for signature in &signatures {
        functions.function(plan.types.index(&signature.params, &signature.results));
        code.function(&function(c, &mut plan, shape, signature));
    }
    let checksum_index = signatures.len() as u32;
    functions.function(plan.types.index(&[], &[Ty::I64]));
    code.function(&checksum(&plan, shape));
    let mut exports = w::ExportSection::new();
    exports.export("memory", w::ExportKind::Memory, 0);
    let mut calls = Vec::new();
    for (index, signature) in signatures.iter().enumerate() {
        if !signature.params.iter().chain(&signature.results).all(|ty| ty.is_number()) {
            continue;
        }
        let results = [&signature.results[..], &[Ty::I64]].concat();
        functions.function(plan.types.index(&signature.params, &results));
        code.function(&wrapper(index as u32, signature.params.len() as u32, checksum_index));
        let name = format!("e{index}");
        exports.export(&name, w::ExportKind::Func, functions.len() - 1);
        let times = if signature.params.is_empty() { 1 } else { CALLS_OF_EACH };
        for _ in 0..times {
            calls.push((name.clone(), signature.params.iter().map(|ty| number(*ty, c)).collect()));
        }
    }
    (0..plan.globals.len()).filter(|index| plan.globals[*index].ty.is_number()).for_each(|index| {
        exports.export(&format!("g{index}"), w::ExportKind::Global, index as u32);
    });
    Made { wasm: assemble(&plan, &functions, &exports, &code), calls }
}

fn assemble(
    plan: &Plan,
    functions: &w::FunctionSection,
    exports: &w::ExportSection,
    code: &w::CodeSection,
) -> Vec<u8> {
    let mut memories = w::MemorySection::new();
    let (minimum, maximum) = (plan.pages, Some(3));
    memories.memory(w::MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None });
    let mut module = w::Module::new();
    module.section(&plan.types.section()).section(functions).section(&tables()).section(&memories);
    module.section(&globals(plan)).section(exports).section(&elements(plan));
    module.section(&w::DataCountSection { count: 3 }).section(code).section(&data());
    module.finish()
}

fn tables() -> w::TableSection {
    let mut section = w::TableSection::new();
    let types = [w::RefType::FUNCREF, w::RefType::EXTERNREF, w::RefType::FUNCREF];
    for (element_type, minimum) in types.into_iter().zip(TABLE_SIZES) {
        let maximum = Some(minimum);
        section.table(w::TableType { element_type, minimum, maximum, table64: false, shared: false });
    }
    section
}

fn globals(plan: &Plan) -> w::GlobalSection {
    let mut section = w::GlobalSection::new();
    for global in &plan.globals {
        let first = match (global.ty, global.first) {
            (Ty::Func, _) => ConstExpr::ref_null(HeapType::FUNC),
            (Ty::Extern, _) => ConstExpr::ref_null(HeapType::EXTERN),
            (_, Num::I32(v)) => ConstExpr::i32_const(v),
            (_, Num::I64(v)) => ConstExpr::i64_const(v),
            (_, Num::F32(bits)) => ConstExpr::f32_const(w::Ieee32::new(bits)),
            (_, Num::F64(bits)) => ConstExpr::f64_const(w::Ieee64::new(bits)),
        };
        let ty = w::GlobalType { val_type: val_type(global.ty), mutable: global.is_mutable, shared: false };
        section.global(ty, &first);
    }
    section
}

fn elements(plan: &Plan) -> w::ElementSection {
    let mut section = w::ElementSection::new();
    let list = |elements: &[Option<u32>]| -> Vec<ConstExpr> {
        let one = |element: &Option<u32>| match element {
            Some(function) => ConstExpr::ref_func(*function),
            None => ConstExpr::ref_null(HeapType::FUNC),
        };
        elements.iter().map(one).collect()
    };
    let expressions = |all: &[Option<u32>]| list(all);
    let first = expressions(&plan.elements);
    section.active(
        Some(0),
        &ConstExpr::i32_const(0),
        w::Elements::Expressions(w::RefType::FUNCREF, first.into()),
    );
    for passive in &plan.passive {
        section.passive(w::Elements::Expressions(w::RefType::FUNCREF, expressions(passive).into()));
    }
    let all: Vec<u32> = (0..plan.functions.len() as u32).collect();
    section.declared(w::Elements::Functions(all.into()));
    section
}

fn data() -> w::DataSection {
    let bytes = |salt: u8| (0..PASSIVE_BYTES as u8).map(move |i| i.wrapping_mul(37) ^ salt);
    let mut section = w::DataSection::new();
    section.active(0, &ConstExpr::i32_const(8), bytes(0x5a));
    section.passive(bytes(0x11)).passive(bytes(0xee));
    section
}

/// A function under test. It returns at once when all calls of the run are used up.
fn function(c: &mut Choices<'_>, plan: &mut Plan, shape: Shape, signature: &Signature) -> w::Function {
    let locals: Vec<Ty> = (0..c.below(7)).map(|_| any_type(c)).collect();
    let mut body = Body::new(c, plan, shape, signature, &locals);
    body.puts([I::GlobalGet(0), I::I32Eqz, I::If(w::BlockType::Empty)]);
    for ty in &signature.results {
        body.puts([match ty {
            Ty::I32 => I::I32Const(77),
            Ty::I64 => I::I64Const(77),
            Ty::F32 => I::F32Const(7.5.into()),
            Ty::F64 => I::F64Const(7.5.into()),
            Ty::Func => I::RefNull(HeapType::FUNC),
            Ty::Extern => I::RefNull(HeapType::EXTERN),
        }]);
    }
    body.puts([I::Return, I::End]);
    body.puts([I::GlobalGet(0), I::I32Const(1), I::I32Sub, I::GlobalSet(0)]);
    body.statements(5);
    body.statements(4);
    body.exprs(&signature.results, 5);
    if body.c.chance(50) {
        body.show_locals();
    }
    body.put(I::End);
    let (code, locals) = (body.code, body.locals);
    let own = locals[signature.params.len()..].iter().map(|ty| val_type(*ty));
    let mut function = w::Function::new_with_locals_types(own);
    code.iter().for_each(|instruction| {
        function.instruction(instruction);
    });
    function
}

impl Body<'_, '_> {
    /// Stores each local, so that the checksum covers what they ended with.
    fn show_locals(&mut self) {
        for index in 0..self.free {
            let ty = self.locals[index];
            if !ty.is_number() {
                continue;
            }
            self.puts([I::I32Const(192 + 8 * (index as i32 % 16)), I::LocalGet(index as u32)]);
            if matches!(ty, Ty::F32 | Ty::F64) {
                self.canonical(ty);
            }
            let argument = w::MemArg { offset: 0, align: 0, memory_index: 0 };
            self.put(match ty {
                Ty::I32 => I::I32Store(argument),
                Ty::I64 => I::I64Store(argument),
                Ty::F32 => I::F32Store(argument),
                _ => I::F64Store(argument),
            });
        }
    }
}

/// `e<i>`: calls function `i`, then the checksum.
fn wrapper(function: u32, params: u32, checksum: u32) -> w::Function {
    let mut code = w::Function::new([]);
    (0..params).for_each(|index| {
        code.instruction(&I::LocalGet(index));
    });
    code.instruction(&I::Call(function)).instruction(&I::Call(checksum)).instruction(&I::End);
    code
}

/// Folds the first bytes of pages 0 and 1, and the globals, into an `i64`. NaNs count as one value.
fn checksum(plan: &Plan, shape: Shape) -> w::Function {
    const SUM: u32 = 0;
    const AT: u32 = 1;
    let mut code = w::Function::new([
        (1, w::ValType::I64),
        (1, w::ValType::I32),
        (1, w::ValType::F32),
        (1, w::ValType::F64),
    ]);
    let mut put = |all: &[I<'static>]| {
        all.iter().for_each(|one| {
            code.instruction(one);
        })
    };
    let mix = [I::I64Xor, I::I64Const(0x0000_0100_0000_01b3), I::I64Mul, I::I64Const(29), I::I64Rotl];
    let mix_end = [I::LocalSet(SUM)];
    for page in 0..2 {
        put(&[I::MemorySize(0), I::I32Const(page), I::I32GtU, I::If(w::BlockType::Empty)]);
        put(&[I::I32Const(0), I::LocalSet(AT), I::Loop(w::BlockType::Empty), I::LocalGet(SUM)]);
        let argument = w::MemArg { offset: page as u64 * 0x1_0000, align: 3, memory_index: 0 };
        put(&[I::LocalGet(AT), I::I64Load(argument)]);
        put(&mix);
        put(&mix_end);
        put(&[I::LocalGet(AT), I::I32Const(8), I::I32Add, I::LocalTee(AT)]);
        put(&[I::I32Const(WINDOW_BYTES as i32), I::I32LtU, I::BrIf(0), I::End, I::End]);
    }
    for (index, global) in plan.globals.iter().enumerate().skip(1).filter(|(_, g)| g.is_mutable) {
        put(&[I::LocalGet(SUM), I::GlobalGet(index as u32)]);
        match global.ty {
            Ty::I32 => put(&[I::I64ExtendI32U]),
            Ty::I64 => {}
            Ty::F32 => {
                put(&canonical(Ty::F32, 2, !shape.selects));
                put(&[I::I32ReinterpretF32, I::I64ExtendI32U]);
            }
            Ty::F64 => {
                put(&canonical(Ty::F64, 3, !shape.selects));
                put(&[I::I64ReinterpretF64]);
            }
            Ty::Func | Ty::Extern => put(&[I::RefIsNull, I::I64ExtendI32U]),
        }
        put(&mix);
        put(&mix_end);
    }
    put(&[I::LocalGet(SUM), I::End]);
    code
}
