//! Makes a module that shows a difference smaller, by leaving instructions out.
//!
//! It works on the binary: a body is a list of instructions, each of some bytes. Whatever is still valid and
//! still shows a difference for the same call is kept.

use crate::compare::{Counts, Difference, Roads, module};
use crate::generate::Made;
use wasm_encoder::{Instruction, Module, RawSection};
use wasmparser::{FunctionBody, Parser, Payload};

/// Attempts at most.
const ATTEMPTS: usize = 30_000;

/// A module taken apart.
#[derive(Clone)]
struct Parts {
    /// Sections in order, by number; the code section's bytes are ignored.
    sections: Vec<(u8, Vec<u8>)>,
    bodies: Vec<Body>,
}

#[derive(Clone, PartialEq)]
struct Body {
    locals: Vec<u8>,
    instructions: Vec<Vec<u8>>,
}

/// A smaller module with a difference in the same call, and that difference.
pub fn reduce(wasm: &[u8], found: &Difference, roads: Roads) -> (Vec<u8>, Difference) {
    let mut best = found.clone();
    let Some(mut parts) = take_apart(wasm) else { return (wasm.into(), best) };
    let mut attempts = 0;
    let mut try_it = |parts: &Parts| -> bool {
        attempts += 1;
        if attempts > ATTEMPTS {
            return false;
        }
        let found = shows(&put_together(parts), &best, roads);
        found.map(|found| best = found).is_some()
    };
    while round(&mut parts, &mut try_it) {}
    (put_together(&parts), best)
}

fn shows(wasm: &[u8], old: &Difference, roads: Roads) -> Option<Difference> {
    wasmparser::validate(wasm).ok()?;
    let made = Made { wasm: wasm.into(), calls: vec![(old.function.clone(), old.args.clone())] };
    let found = module(&made, roads, &mut Counts::default())?;
    // A panic stays a panic, and nothing else becomes one.
    let panics = |difference: &Difference| difference.what.starts_with("panic");
    (panics(&found) == panics(old) && found.road == old.road).then(|| Difference {
        function: old.function.clone(),
        args: old.args.clone(),
        ..found
    })
}

/// One pass over all bodies. True if anything became smaller.
fn round(parts: &mut Parts, try_it: &mut dyn FnMut(&Parts) -> bool) -> bool {
    let mut is_smaller = false;
    let fillers: Vec<Vec<Vec<u8>>> = vec![
        vec![],
        vec![bytes(&Instruction::I32Const(1))],
        vec![bytes(&Instruction::I64Const(1))],
        vec![bytes(&Instruction::F32Const(1.0.into()))],
        vec![bytes(&Instruction::F64Const(1.0.into()))],
        vec![bytes(&Instruction::Drop)],
    ];
    for index in 0..parts.bodies.len() {
        let whole = parts.bodies[index].instructions.len();
        let trap = vec![bytes(&Instruction::Unreachable), bytes(&Instruction::End)];
        if whole > 2 && replaced(parts, index, 0..whole, &trap, try_it) {
            is_smaller = true;
            continue;
        }
        let mut size = whole.saturating_sub(1).max(1);
        while size > 0 {
            let mut from = 0;
            while from + size < parts.bodies[index].instructions.len() {
                let one = fillers
                    .iter()
                    .filter(|filler| filler.len() < size)
                    .any(|filler| replaced(parts, index, from..from + size, filler, try_it));
                is_smaller |= one;
                from += usize::from(!one);
            }
            // Every size up to 8: an operand and its instruction may be some apart.
            size = if size > 8 { size / 2 } else { size - 1 };
        }
    }
    is_smaller
}

fn replaced(
    parts: &mut Parts,
    index: usize,
    range: std::ops::Range<usize>,
    filler: &[Vec<u8>],
    try_it: &mut dyn FnMut(&Parts) -> bool,
) -> bool {
    let old = parts.bodies[index].clone();
    parts.bodies[index].instructions.splice(range, filler.iter().cloned());
    let is_kept = parts.bodies[index] != old && try_it(parts);
    if !is_kept {
        parts.bodies[index] = old;
    }
    is_kept
}

fn bytes(instruction: &Instruction<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(instruction, &mut bytes);
    bytes
}

fn take_apart(wasm: &[u8]) -> Option<Parts> {
    const CODE: u8 = 10;
    let mut parts = Parts { sections: Vec::new(), bodies: Vec::new() };
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.ok()?;
        if let Payload::CodeSectionEntry(body) = &payload {
            parts.bodies.push(body_of(body, wasm)?);
            continue;
        }
        let (id, range) = payload.as_section().unwrap_or((0, 0..0));
        match id {
            0 => {}
            CODE => parts.sections.push((CODE, Vec::new())),
            _ => parts.sections.push((id, wasm[range].to_vec())),
        }
    }
    Some(parts)
}

fn body_of(body: &FunctionBody<'_>, wasm: &[u8]) -> Option<Body> {
    let reader = body.get_operators_reader().ok()?;
    let start = reader.original_position();
    let locals = wasm[body.range().start..start].to_vec();
    let mut starts: Vec<usize> =
        reader.into_iter_with_offsets().map(|one| one.map(|(_, at)| at)).collect::<Result<_, _>>().ok()?;
    starts.push(body.range().end);
    let instructions = starts.windows(2).map(|pair| wasm[pair[0]..pair[1]].to_vec()).collect();
    Some(Body { locals, instructions })
}

fn put_together(parts: &Parts) -> Vec<u8> {
    let mut module = Module::new();
    for (id, data) in &parts.sections {
        if *id != 10 {
            module.section(&RawSection { id: *id, data });
            continue;
        }
        let mut code = wasm_encoder::CodeSection::new();
        for body in &parts.bodies {
            code.raw(&[&body.locals[..], &body.instructions.concat()].concat());
        }
        module.section(&code);
    }
    module.finish()
}
