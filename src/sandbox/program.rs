//! Compiles modules: wasmi's configuration and [`Program`], a module ready for instantiation.

use crate::base::error::{Error, LoadProblem};
use crate::base::limits::{Limits, PAGE_BYTES, SHORT_TRANSLATION_NS, SLICE_FUEL, TEXT_BYTES_MAX};
use crate::base::share::Share;
use crate::host::functions::Row;
use crate::host::store::Host;
use crate::host::wasi::ctx::WasiCtx;
use crate::module::reader::ModuleInfo;
#[cfg(feature = "component")]
use crate::sandbox::component::compile::Component;
use crate::sandbox::slot::Slot;
use crate::sandbox::spares::Spares;
use crate::sandbox::{compile, region, tail_calls};
use std::borrow::Cow;
use std::panic::catch_unwind;
use std::time::Instant;
use wasmi::{Engine, MemoryType, Module, Store};

/// A compiled module with its declarations. `Send + Sync`; any number of runs may share it.
///
/// Each program has its own engine. wasmi's code store only grows, so with a shared engine, a plug-in that is
/// replaced every hour would never be freed.
///
/// ```
/// use fuelbox::{Call, Limits, Program, Runner, RunnerConfig};
///
/// let limits = Limits { memory_pages: 16, ..Limits::default() };
/// let wasm = std::fs::read("guests/prebuilt/add.wasm").unwrap();
/// let program = Program::compile("add", &wasm, &limits)?;
/// let runner = Runner::new(RunnerConfig { limits, ..RunnerConfig::default() })?;
/// for n in 0..3 {
///     let report = runner.run(&program, Call::values("add", &[n.into(), 1.into()]))?;
///     assert_eq!(report.result?, [(n + 1).into()]);
/// }
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Program {
    pub(crate) engine: Engine,
    pub(crate) code: Code,
    pub(crate) spares: Spares,
    /// Whether it imports clocks, some of which have to be read when a run starts.
    pub(crate) reads_clocks: bool,
    /// Fuel handed out at a time.
    pub(crate) slice_fuel: u64,
    pub(super) name: String,
    pub(super) is_lazy: bool,
    pub(super) _translated: Option<Share>,
    pub(super) translation_ns: u64,
    pub(super) info: ModuleInfo,
    pub(super) size: usize,
}

/// What a program is made of.
pub(crate) enum Code {
    /// A core module.
    Module(CoreModule),
    /// A component.
    #[cfg(feature = "component")]
    Component(Box<Component>),
}

/// A compiled core module, with what the host has to know of it.
pub(crate) struct CoreModule {
    pub module: Module,
    /// The functions that it imports.
    pub imports: Box<[&'static Row]>,
    /// The type of its memory, which is the last import.
    pub memory: Option<MemoryType>,
    /// The exported name of its start function.
    pub start: Option<String>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("size", &self.size).finish_non_exhaustive()
    }
}

/// How a module is compiled; for tests of the engine itself.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// Whether modules are refused or rewritten because of the interpreter's known faults. Without it, guests
    /// compute wrong results and can end the process.
    pub work_arounds: bool,
    /// Fuel handed out at a time.
    pub slice_fuel: u64,
    /// When functions are translated.
    pub translation: Translation,
}

/// When functions are translated. All are validated before any guest runs.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Translation {
    /// All of them once before the program is returned, at any cost. A panic of the interpreter's translator is then an
    /// error; while a guest runs, it would end the process.
    AtLoad,
    /// At their first call, for a process that serves one run.
    AtFirstCall,
    /// At their first call. Another process has validated and translated the same bytes, and ends this one if it is late.
    Known,
}

impl Default for CompileOptions {
    fn default() -> Self {
        CompileOptions { work_arounds: true, slice_fuel: SLICE_FUEL, translation: Translation::AtLoad }
    }
}

impl Program {
    /// Checks and compiles `bytes`, a binary module or (with the feature `wat`) its text format.
    /// `name` is what errors and the log call it.
    ///
    /// # Errors
    /// [`Error::Load`] with the reason: too large, no module, invalid, too much memory or too large tables
    /// for `limits`, or an import that is not provided.
    ///
    /// ```
    /// use fuelbox::{Limits, LoadProblem, Program, Error};
    ///
    /// // `(module (memory 65536))`
    /// let wasm = b"\0asm\x01\0\0\0\x05\x05\x01\0\x80\x80\x04";
    /// let refused = Program::compile("greedy", wasm, &Limits::default());
    /// let Err(Error::Load { problem, .. }) = refused else { panic!() };
    /// assert_eq!(problem, LoadProblem::Memory { pages: 65_536, limit: 320 });
    /// ```
    pub fn compile(name: &str, bytes: &[u8], limits: &Limits) -> Result<Program, Error> {
        Program::compile_with(name, bytes, limits, &CompileOptions::default())
    }

    /// As [`Program::compile`], in another way.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn compile_with(
        name: &str,
        bytes: &[u8],
        limits: &Limits,
        options: &CompileOptions,
    ) -> Result<Program, Error> {
        Program::compile_bytes(name, bytes.into(), limits, options)
    }

    /// As [`Program::compile_with`]. Owned bytes are rewritten in place.
    pub(crate) fn compile_bytes(
        name: &str,
        bytes: Cow<'_, [u8]>,
        limits: &Limits,
        options: &CompileOptions,
    ) -> Result<Program, Error> {
        tail_calls::check_early()?;
        region::prepare();
        limits.check().map_err(Error::Limits)?;
        // A module that panics the interpreter's compiler is refused like any other.
        let compiled = catch_unwind(|| compile::compile(name, bytes, limits, options))
            .unwrap_or_else(|_| Err(LoadProblem::Invalid("the interpreter panicked on it".into())));
        compiled.map_err(|problem| Error::Load { name: name.into(), problem })
    }

    /// The module's declarations.
    #[doc(hidden)]
    pub fn info(&self) -> &ModuleInfo {
        &self.info
    }

    /// Whether all of its code was translated at compile time. Otherwise each function is translated at its
    /// first call.
    #[doc(hidden)]
    pub fn is_translated(&self) -> bool {
        !self.is_lazy
    }

    /// Whether translation of functions may delay a run by more than a moment.
    pub(crate) fn is_slow_to_translate(&self) -> bool {
        self.is_lazy && self.has_much_code()
    }

    /// Whether all of its code takes more than a moment to translate.
    pub(crate) fn has_much_code(&self) -> bool {
        self.translation_ns > SHORT_TRANSLATION_NS
    }

    /// A slot for its instances.
    pub(crate) fn slot(&self, wasi: WasiCtx, limits: &Limits) -> Box<Slot> {
        Box::new(Slot::new(Store::new(&self.engine, Host::new(wasi, limits))))
    }

    /// Bytes of its memory at the start.
    pub(crate) fn declared_bytes(&self) -> usize {
        // No more than the limits allow (`check_declared`).
        self.info.memory.map_or(0, |memory| memory.min_pages as usize * PAGE_BYTES)
    }

    /// Bytes that its memory can grow to under `limits`; 0 without a memory. None if already its start is too much.
    pub(crate) fn capacity(&self, limits: &Limits) -> Option<usize> {
        let imports_memory = matches!(&self.code, Code::Module(CoreModule { memory: Some(_), .. }));
        let Some(memory) = self.info.memory.filter(|_| imports_memory) else { return Some(0) };
        let declared = memory.max_pages.map_or(u32::MAX, |pages| u32::try_from(pages).unwrap_or(u32::MAX));
        let most = limits.memory_pages.min(declared);
        (memory.min_pages <= u64::from(most)).then(|| (most as usize).saturating_mul(PAGE_BYTES))
    }

    /// Whether memory is kept for later calls.
    #[doc(hidden)]
    pub fn has_spares(&self) -> bool {
        !self.spares.is_empty()
    }

    /// Gives back the memory that is kept for later calls, unless it was used within the last second.
    pub fn trim(&self) {
        self.spares.expire(Instant::now());
    }

    /// The component that it is, if it is no core module.
    #[cfg(feature = "component")]
    pub(crate) fn component(&self) -> Option<&Component> {
        match &self.code {
            Code::Module(_) => None,
            Code::Component(component) => Some(component),
        }
    }

    /// Its name in errors and the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the binary module.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// Converts `bytes` to the binary form, if they are text.
///
/// # Errors
/// Text that does not parse, or text in a build without the feature `wat`.
pub fn to_binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadProblem> {
    if !looks_like_text(bytes) {
        return Ok(bytes.into());
    }
    if bytes.len() > TEXT_BYTES_MAX {
        let (size, max) = (bytes.len(), TEXT_BYTES_MAX);
        return Err(LoadProblem::NotWasm(format!(
            "its text has {size} bytes, more than the {max} supported"
        )));
    }
    #[cfg(feature = "wat")]
    return wat::parse_bytes(bytes)
        // The message repeats the line, which may be the whole file.
        .map_err(|error| {
            LoadProblem::NotWasm(crate::base::escape::cut(
                &error.to_string(),
                crate::base::limits::MESSAGE_BYTES_MAX,
            ))
        });
    #[cfg(not(feature = "wat"))]
    return Err(LoadProblem::NotWasm(
        "it is in the text format, which this build does not support (cargo feature `wat`)".into(),
    ));
}

/// Text starts, after white space, with a parenthesis or a comment.
pub(super) fn looks_like_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"(") || text.starts_with(b";;")
}
