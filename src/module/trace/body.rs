//! The instrumentation of a function's body.
//!
//! ```text
//! (call_indirect enter (f64.const INDEX) (global.get $at))   ;; by whom, and from where
//! (global.set $at (f64.const OFFSET))
//! loop (result ...)                                          ;; only so that what follows is charged after `enter`
//!   block (result ...)
//!     ...                                                    ;; `return` and branches to the function's label end here
//!   end
//! end
//! (global.set $at (call_indirect leave))                     ;; where the caller is
//! ```

use super::names::{HOST_FUNCTIONS, OPERANDS};
use super::operands::{Before, before};
use super::spaces::{Function, Spaces};
use crate::base::error::{LoadProblem, invalid};
use crate::base::heap;
use crate::module::edit::{Edit, Insertion};
use crate::module::leb128::leb128;
use wasmparser::{FunctionBody, ValType};

/// `i32.const 0; drop`, which costs as much as most instructions, and does nothing.
const COST: [u8; 3] = [0x41, 0x00, 0x1a];

const LOOP: u8 = 0x03;
const BLOCK: u8 = 0x02;
const END: u8 = 0x0b;
const BR: u8 = 0x0c;
const CALL_INDIRECT: u8 = 0x11;
const GLOBAL_GET: u8 = 0x23;
const GLOBAL_SET: u8 = 0x24;
const F64_CONST: u8 = 0x44;

/// Types of the globals that hold an operand for a moment.
const HELD: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];

/// Numbers of what is added to a module.
pub struct Ids {
    /// The global with the offset.
    pub at: u32,
    /// The globals with operands.
    pub operands: [u32; OPERANDS],
    /// The first of the globals that hold an operand for a moment.
    held: u32,
    /// The first of two constants, 0 and 1: the places of the host's functions in their table.
    constants: u32,
    /// The table of the host's functions.
    pub table: u32,
    /// The types of the host's functions: the first, and the one after it.
    types: u32,
}

impl Ids {
    /// Those after what a module has.
    pub fn after(spaces: &Spaces) -> Ids {
        let at = spaces.globals;
        let held = at + 1 + OPERANDS as u32;
        Ids {
            at,
            operands: std::array::from_fn(|number| at + 1 + number as u32),
            held,
            constants: held + HELD.len() as u32,
            table: spaces.tables,
            types: spaces.host_types(),
        }
    }

    /// The globals as entries of a global section, and how many there are.
    pub fn globals(&self) -> (Vec<u8>, u32) {
        let mut out = Vec::new();
        let mut global = |ty: ValType, is_mutable: bool, value: u8| {
            let (ty, init): (u8, &[u8]) = match ty {
                ValType::I64 => (0x7e, &[0x42, 0]),
                ValType::F32 => (0x7d, &[0x43, 0, 0, 0, 0]),
                ValType::F64 => (0x7c, &[F64_CONST, 0, 0, 0, 0, 0, 0, 0, 0]),
                _ => (0x7f, &[0x41, value]),
            };
            out.extend_from_slice(&[ty, is_mutable.into()]);
            out.extend_from_slice(init);
            out.push(END);
        };
        global(ValType::F64, true, 0);
        self.operands.iter().for_each(|_| global(ValType::I32, true, 0));
        HELD.iter().for_each(|ty| global(*ty, true, 0));
        (0..HOST_FUNCTIONS).for_each(|value| global(ValType::I32, false, value as u8));
        (out, self.constants + HOST_FUNCTIONS - self.at)
    }

    /// The global that holds a value of this type for a moment.
    fn held(&self, ty: ValType) -> u32 {
        let number = HELD.iter().position(|held| *held == ty).unwrap_or(0);
        self.held + number as u32
    }
}

/// The instrumented body of `function`, with the insertions of `edit`.
///
/// # Errors
/// What cannot be read.
pub fn instrument(
    wasm: &[u8],
    body: &FunctionBody<'_>,
    edit: Option<&Edit>,
    function: &Function,
    ids: &Ids,
) -> Result<Vec<u8>, LoadProblem> {
    let mut reader = body.get_operators_reader().map_err(invalid)?;
    let mut insertions = edit.map_or(&[][..], |edit| &edit.insertions).iter().peekable();
    let mut writer = Writer { wasm, from: body.range().start, out: Vec::new(), ids };
    let begin = reader.original_position();
    writer.copy(begin)?;
    writer.prologue(function, begin)?;
    // Open blocks of the module.
    let mut depth = 0u32;
    while !reader.eof() {
        let at = reader.original_position();
        let operator = reader.read().map_err(invalid)?;
        let end = reader.original_position();
        while let Some(insertion) = insertions.next_if(|insertion: &&Insertion| insertion.at() == at) {
            writer.copy(at)?;
            writer.put(insertion.bytes())?;
        }
        let first = wasm.get(at).copied().unwrap_or_default();
        match before(&operator, first) {
            Before::Nothing => {}
            Before::Return => {
                writer.copy(at)?;
                writer.numbered(BR, depth)?;
                writer.from = end;
            }
            Before::Opens { is_loop } => {
                depth += 1;
                if is_loop {
                    writer.copy(end)?;
                    writer.place(at)?;
                }
            }
            Before::End if depth == 0 => {
                writer.copy(end)?;
                writer.epilogue()?;
                break;
            }
            Before::End => depth -= 1,
            what => {
                writer.copy(at)?;
                writer.before(what, at)?;
            }
        }
    }
    Ok(writer.out)
}

/// Copies a body and inserts into it.
struct Writer<'a> {
    wasm: &'a [u8],
    /// What is copied up to here.
    from: usize,
    out: Vec<u8>,
    ids: &'a Ids,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), LoadProblem> {
        let all = (self.out.len() + bytes.len()) as u64;
        heap::extend(&mut self.out, bytes).map_err(|_| LoadProblem::NoMemory { bytes: all })
    }

    /// Copies up to this byte of the module.
    fn copy(&mut self, to: usize) -> Result<(), LoadProblem> {
        let wasm = self.wasm;
        let bytes = wasm.get(self.from..to).unwrap_or_default();
        self.from = to;
        self.put(bytes)
    }

    fn numbered(&mut self, operator: u8, number: u32) -> Result<(), LoadProblem> {
        let mut bytes = vec![operator];
        leb128(number, &mut bytes);
        self.put(&bytes)
    }

    fn constant(&mut self, value: usize) -> Result<(), LoadProblem> {
        self.put(&[F64_CONST])?;
        self.put(&(value as f64).to_le_bytes())
    }

    /// Calls the host's function in this place of the table.
    fn call_host(&mut self, place: u32) -> Result<(), LoadProblem> {
        self.numbered(GLOBAL_GET, self.ids.constants + place)?;
        self.numbered(CALL_INDIRECT, self.ids.types + place)?;
        let mut table = Vec::new();
        leb128(self.ids.table, &mut table);
        self.put(&table)
    }

    /// Notes the offset of an instruction.
    fn place(&mut self, at: usize) -> Result<(), LoadProblem> {
        self.constant(at)?;
        self.numbered(GLOBAL_SET, self.ids.at)
    }

    fn prologue(&mut self, function: &Function, begin: usize) -> Result<(), LoadProblem> {
        self.constant(function.index as usize)?;
        self.numbered(GLOBAL_GET, self.ids.at)?;
        self.call_host(0)?;
        self.place(begin)?;
        for operator in [LOOP, BLOCK] {
            self.put(&[operator])?;
            self.put(&function.block)?;
        }
        Ok(())
    }

    /// What follows the end of the block.
    fn epilogue(&mut self) -> Result<(), LoadProblem> {
        self.put(&[END])?;
        self.call_host(1)?;
        self.numbered(GLOBAL_SET, self.ids.at)?;
        self.put(&[END])
    }

    fn before(&mut self, what: Before, at: usize) -> Result<(), LoadProblem> {
        if matches!(what, Before::Cost | Before::Call | Before::CallIndirect) {
            self.put(&COST)?;
        }
        if what != Before::Cost {
            self.place(at)?;
        }
        let ids = self.ids;
        let first = ids.operands[0];
        match what {
            Before::Load | Before::CallIndirect => self.kept(&[first]),
            Before::Store(ty) => self.kept(&[first, ids.held(ty)]),
            Before::Bulk => self.kept(&ids.operands),
            _ => Ok(()),
        }
    }

    /// Notes the values on top of the stack in these globals, the topmost in the last one.
    fn kept(&mut self, globals: &[u32]) -> Result<(), LoadProblem> {
        globals.iter().rev().try_for_each(|global| self.numbered(GLOBAL_SET, *global))?;
        globals.iter().try_for_each(|global| self.numbered(GLOBAL_GET, *global))
    }
}
