//! Finds the functions that a module imports: of the embedding program, of WASI preview1, of Extism, of `wasi_experimental_http`, and AssemblyScript's
//! `abort`.

use crate::base::error::LoadProblem;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::outcome::Stop;
use crate::host::embedder::functions::{Function, HostFunctions};
use crate::host::functions::{Interface, Row};
use crate::host::store::{Halt, Host};
use crate::host::{experimental_http, extism, wasi};
use crate::module::reader::{Import, Item, Signature};
use wasmi::{Caller, Error, Func, Store};

/// The interfaces that guests can import from.
const INTERFACES: [Interface; 4] =
    [wasi::INTERFACE, extism::INTERFACE, experimental_http::INTERFACE, ASSEMBLYSCRIPT];

/// What AssemblyScript's compiler imports.
const ASSEMBLYSCRIPT: Interface =
    Interface { module: "env", rows: &[Row::new("abort", "iiii", "", |store| Func::wrap(store, abort))] };

/// A function that a guest imports.
pub enum Imported {
    /// One of fuelbox.
    Row(&'static Row),
    /// One of the embedding program.
    Embedder(Function),
}

impl Imported {
    /// The function, for the guests of `store`.
    pub fn create(&self, store: &mut Store<Host>) -> Func {
        match self {
            Imported::Row(row) => row.create(store),
            Imported::Embedder(function) => function.create(store),
        }
    }
}

/// The functions that `imports` ask for, in their order. Those of the `embedder` come first.
///
/// # Errors
/// The first import that is not provided, or has another type.
pub fn resolve(imports: &[Import], embedder: &HostFunctions) -> Result<Box<[Imported]>, LoadProblem> {
    imports.iter().map(|import| find(import, imports, embedder)).collect()
}

fn find(import: &Import, imports: &[Import], embedder: &HostFunctions) -> Result<Imported, LoadProblem> {
    let refuse =
        |why: String| LoadProblem::Import { import: format!("{}.{}", import.module, import.name), why };
    let typed = |provided: &Signature, function: Imported| match &import.item {
        Item::Function(wanted) if wanted == provided => Ok(function),
        Item::Function(wanted) => Err(refuse(format!("as {wanted}, but it is {provided}"))),
        other => Err(refuse(format!("as a{other}, but it is a function"))),
    };
    if let Some(function) = embedder.find(&import.module, &import.name) {
        return typed(function.signature(), Imported::Embedder(function.clone()));
    }
    match import.module.as_str() {
        extism::USER_MODULE => return Err(of_embedder(imports, embedder)),
        "env" | "GOT.mem" | "GOT.func" if is_dynamic(imports) => return Err(refuse(DYNAMIC.into())),
        _ => {}
    }
    let interface = INTERFACES.iter().find(|interface| interface.module == import.module);
    let row = match import.module.as_str() {
        wasi::unstable::MODULE => wasi::unstable::find(&import.name),
        _ => interface.and_then(|interface| interface.find(&import.name)),
    };
    let row = row.ok_or_else(|| refuse("which fuelbox does not provide".into()))?;
    typed(&row.signature(), Imported::Row(row))
}

/// Why a module that expects a dynamic linker is refused.
const DYNAMIC: &str =
    "which a dynamic linker provides: it is a shared library (or imports its memory); link it statically";

/// Whether a module expects a dynamic linker (tool conventions, `DynamicLinking.md`), or another module's memory.
fn is_dynamic(imports: &[Import]) -> bool {
    imports.iter().any(|import| {
        matches!(import.item, Item::Memory)
            || matches!(import.name.as_str(), "__memory_base" | "__table_base" | "__stack_pointer")
            || import.module.starts_with("GOT.")
    })
}

/// The refusal of a module that imports functions of an embedding host which are not there; names all of them.
fn of_embedder(imports: &[Import], embedder: &HostFunctions) -> LoadProblem {
    let mut names = Vec::new();
    for import in imports.iter().filter(|import| import.module == extism::USER_MODULE) {
        if embedder.find(&import.module, &import.name).is_none() && !names.contains(&import.name) {
            names.push(import.name.clone());
        }
    }
    LoadProblem::HostFunctions { names }
}

/// AssemblyScript's `abort(message, file, line, column)`: both texts are UTF-16LE with their length in
/// bytes in the four bytes before them (AssemblyScript book, "Runtime", string layout).
fn abort(caller: Caller<'_, Host>, message: u32, file: u32, line: u32, column: u32) -> Result<(), Error> {
    let memory: &[u8] = match caller.data().memory {
        Some(handle) => handle.data(&caller),
        None => &[],
    };
    let what = format!("abort: {} at {}:{line}:{column}", utf16(memory, message), utf16(memory, file));
    Err(Error::host(Halt::Stop(Stop::Trap(what))))
}

fn utf16(memory: &[u8], ptr: u32) -> String {
    let text = || {
        let len = wasi::memory::read_u32(memory, ptr.checked_sub(4)?).ok()?;
        let len = len.min(MESSAGE_BYTES_MAX as u32) & !1;
        let bytes = wasi::memory::slice(memory, ptr, len).ok()?;
        let units = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    };
    text().unwrap_or_else(|| "?".into())
}
