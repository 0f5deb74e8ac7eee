//! Compiles modules and components: checks, rewrites and translates their bytes.

use crate::base::error::LoadProblem;
use crate::base::heap;
use crate::base::limits::{
    INSTANCE_BYTES_FREE, KNOWN_TRANSLATION_PART, LAZY_TRANSLATION_NS, LAZY_TRANSLATION_ONCE_NS, Limits,
    MODULE_BYTES_DEFAULT, PAGE_BYTES, SHORT_TRANSLATION_NS, SLICE_FUEL, TEXT_BYTES_MAX, TRACE_BYTES_PER_BYTE,
    TRACE_NS_PER_BYTE, TRANSLATED_KEPT_BYTES, TRANSLATED_KEPT_BYTES_ALL, TRANSLATED_PER_BYTE,
};
use crate::base::share::{Budget, Share};
use crate::host::embedder::functions::HostFunctions;
use crate::host::linker::{self, Imported};
use crate::module::code;
use crate::module::proposals::explain;
use crate::module::reader::{self, MemorySize, ModuleInfo};
use crate::module::rewrite::{self, Rewritten};
#[cfg(feature = "component")]
use crate::module::{component, initialisers};
#[cfg(feature = "component")]
use crate::sandbox::component::compile::Component;
use crate::sandbox::engine;
use crate::sandbox::traced::Traced;
pub use crate::sandbox::traced::Tracing;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use wasmi::{CompilationMode, Engine, MemoryType, Module};

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
    /// Functions of the embedding program.
    pub host_functions: HostFunctions,
    /// Whether runs are traced.
    pub tracing: Tracing,
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
        CompileOptions {
            work_arounds: true,
            slice_fuel: SLICE_FUEL,
            translation: Translation::AtLoad,
            host_functions: HostFunctions::default(),
            tracing: Tracing::Off,
        }
    }
}

/// What a program is made of.
pub enum Code {
    /// A core module.
    Module(CoreModule),
    /// A component.
    #[cfg(feature = "component")]
    Component(Box<Component>),
}

/// A compiled core module, with what the host has to know of it.
pub struct CoreModule {
    /// The module.
    pub module: Module,
    /// The functions that it imports.
    pub imports: Box<[Imported]>,
    /// The type of its memory, which is the last import.
    pub memory: Option<MemoryType>,
    /// The exported name of its start function.
    pub start: Option<String>,
    /// What is kept of it if it is traced.
    pub traced: Option<Traced>,
}

/// What compilation gives.
pub struct Compiled {
    /// The module or component.
    pub code: Code,
    /// Its declarations.
    pub info: ModuleInfo,
    /// How it was translated.
    pub translated: Translated,
    /// Whether it imports clocks.
    pub reads_clocks: bool,
    /// Bytes of the binary form.
    pub size: usize,
}

/// How modules were translated.
pub struct Translated {
    /// The engine that they are compiled for.
    pub engine: Engine,
    /// Whether functions are translated at their first call.
    pub is_lazy: bool,
    /// A share for translated code that is kept.
    pub share: Option<Share>,
    /// How long translation takes at least.
    pub ns: u64,
}

/// Checks and compiles `bytes`.
///
/// # Errors
/// Why it is refused.
pub fn compile(
    bytes: Cow<'_, [u8]>,
    limits: &Limits,
    options: &CompileOptions,
) -> Result<Compiled, LoadProblem> {
    check_size(&bytes, limits.module_bytes)?;
    let wasm = if looks_like_text(&bytes) { to_binary(&bytes)?.into_owned().into() } else { bytes };
    let size = wasm.len();
    check_size(&wasm, limits.module_bytes)?;
    #[cfg(feature = "component")]
    if component::is_component(&wasm) {
        if options.tracing != Tracing::Off {
            return Err(LoadProblem::Invalid(
                "components cannot be traced yet (--trace, --profile, the policy key `trace`)".into(),
            ));
        }
        return of_component(&wasm, limits, options);
    }
    let part = Part::read(wasm, limits, options, true)?;
    check_declared(&part.info, limits)?;
    let (translated, modules) = translate(std::slice::from_ref(&part), limits, options, false)?;
    let module =
        modules.into_iter().next().ok_or_else(|| LoadProblem::Invalid("there is no module".into()))?;
    let Part { info, rewritten: Rewritten { start, imports_memory }, traced, .. } = part;
    let imports = linker::resolve(&info.imports, &options.host_functions)?;
    let memory = info.memory.filter(|_| imports_memory).map(|memory| memory_type(&memory)).transpose()?;
    let reads_clocks = info.imports.iter().any(|import| import.name == "clock_time_get");
    let code = Code::Module(CoreModule { module, imports, memory, start, traced });
    Ok(Compiled { code, info, translated, reads_clocks, size })
}

/// Compiles a component. Its declarations are those of its core instances together.
#[cfg(feature = "component")]
fn of_component(wasm: &[u8], limits: &Limits, options: &CompileOptions) -> Result<Compiled, LoadProblem> {
    use crate::sandbox::component::{compile as compiled, exports};
    let plan = component::plan(wasm)?;
    let mut parts = Vec::with_capacity(plan.modules.len());
    for range in &plan.modules {
        let bytes =
            wasm.get(range.clone()).ok_or_else(|| LoadProblem::Invalid("a module is cut off".into()))?;
        initialisers::check(bytes)?;
        parts.push(Part::read(bytes.into(), limits, options, false)?);
    }
    let mut info = ModuleInfo::default();
    let mut pages = 0u64;
    for instance in &plan.core_instances {
        let own = &parts[instance.module].info;
        if !own.imports.iter().any(|import| import.item == reader::Item::Memory) {
            pages = pages.saturating_add(own.memory.map_or(0, |memory| memory.min_pages));
        }
        info.table_elements = info.table_elements.saturating_add(own.table_elements);
        info.instance_bytes = info.instance_bytes.saturating_add(own.instance_bytes);
    }
    info.code_bytes = parts.iter().map(|part| part.info.code_bytes).sum();
    // In all of its memories together.
    if pages > u64::from(limits.memory_pages) {
        return Err(LoadProblem::Memory { pages, limit: limits.memory_pages });
    }
    check_declared(&info, limits)?;
    let (translated, modules) = translate(&parts, limits, options, true)?;
    let modules = modules.into_iter().zip(&parts).map(|(module, part)| compiled::CoreModule {
        module,
        start: part.rewritten.start.clone(),
        memory_bytes: part.info.memory.map_or(0, |memory| memory.min_pages.saturating_mul(PAGE_BYTES as u64)),
    });
    let component = compiled::Component::new(plan, modules.collect(), &options.host_functions)?;
    exports::declare(&component.plan, &component.offered, &mut info)?;
    let code = Code::Component(Box::new(component));
    // Of the clocks, only those of CPU time have to be read when a run starts, and WASI 0.2 has none.
    Ok(Compiled { code, info, translated, reads_clocks: false, size: wasm.len() })
}

/// A core module that is read and rewritten.
struct Part<'a> {
    wasm: Cow<'a, [u8]>,
    info: ModuleInfo,
    rewritten: Rewritten,
    translated_bytes: u64,
    translation_ns: u64,
    traced: Option<Traced>,
}

impl<'a> Part<'a> {
    /// Reads the module `wasm`. If it `may_import_memory`, its memory becomes an import.
    fn read(
        mut wasm: Cow<'a, [u8]>,
        limits: &Limits,
        options: &CompileOptions,
        may_import_memory: bool,
    ) -> Result<Part<'a>, LoadProblem> {
        let (info, code) = reader::read_code(&wasm, options.work_arounds).map_err(explain)?;
        check_translated(code.translated_bytes, wasm.len(), limits)?;
        let code::Code { mut edits, mut translated_bytes, mut translation_ns, .. } = code;
        let traced =
            Traced::instrument(&mut wasm, &info, &edits, limits, options.tracing).map_err(explain)?;
        if let Some(traced) = &traced {
            edits.clear();
            let more = wasm.len().saturating_sub(traced.wasm.len()) as u64;
            translated_bytes += more * TRACE_BYTES_PER_BYTE;
            translation_ns += more * TRACE_NS_PER_BYTE;
        }
        let rewritten = rewrite::rewrite(&mut wasm, &info, &edits, may_import_memory)?;
        Ok(Part { wasm, info, rewritten, translated_bytes, translation_ns, traced })
    }
}

/// Gives modules to the interpreter, all to the same engine.
fn translate(
    parts: &[Part<'_>],
    limits: &Limits,
    options: &CompileOptions,
    is_component: bool,
) -> Result<(Translated, Vec<Module>), LoadProblem> {
    let sum = |of: fn(&Part<'_>) -> u64| parts.iter().map(of).fold(0, u64::saturating_add);
    let translated_bytes = sum(|part| part.translated_bytes);
    check_translated(translated_bytes, sum(|part| part.wasm.len() as u64) as usize, limits)?;
    let translation_ns = sum(|part| part.translation_ns);
    // The translated form of a function grows by doubling, and is then copied.
    let compiling = translated_bytes.saturating_mul(3).saturating_add(2 * sum(|part| part.wasm.len() as u64));
    let no_memory = || LoadProblem::NoMemory { bytes: compiling };
    heap::check(usize::try_from(compiling).map_err(|_| no_memory())?).map_err(|_| no_memory())?;
    let is_traced = parts.iter().any(|part| part.traced.is_some());
    let modules = |mode| {
        let engine = Engine::new(&engine::config(limits, mode, is_component, is_traced));
        let module = |part: &Part<'_>| Module::new(&engine, &part.wasm);
        let modules = parts.iter().map(module).collect::<Result<Vec<_>, _>>();
        let modules = modules.map_err(|error| match error.to_string() {
            why if why.contains("out of system memory") => no_memory(),
            why => explain(LoadProblem::Invalid(why)),
        })?;
        Ok::<_, LoadProblem>((engine, modules))
    };
    let (mode, share) = match options.translation {
        Translation::Known if fits_in(limits.deadline, translation_ns) => (CompilationMode::Lazy, None),
        Translation::AtFirstCall if translation_ns <= LAZY_TRANSLATION_ONCE_NS => {
            (CompilationMode::LazyTranslation, None)
        }
        Translation::AtLoad if translation_ns <= LAZY_TRANSLATION_NS => match kept(translated_bytes) {
            None => {
                // Validated and tried. Kept, it would take three times the memory.
                drop(modules(CompilationMode::Eager)?);
                (CompilationMode::Lazy, None)
            }
            share => (CompilationMode::Eager, share),
        },
        _ => (CompilationMode::Eager, None),
    };
    let is_lazy = !matches!(mode, CompilationMode::Eager);
    let (engine, modules) = modules(mode)?;
    Ok((Translated { engine, is_lazy, share, ns: translation_ns }, modules))
}

/// Whether all of a module can be translated in a part of a run's time: a process that is ended because a function took too
/// long to translate would be followed by another that takes as long.
fn fits_in(deadline: Option<Duration>, translation_ns: u64) -> bool {
    let most = deadline.map_or(u64::MAX, |deadline| (deadline / KNOWN_TRANSLATION_PART).as_nanos() as u64);
    translation_ns <= most.max(SHORT_TRANSLATION_NS)
}

/// A share for translated code of so many bytes, if that is kept.
fn kept(translated_bytes: u64) -> Option<Share> {
    static BUDGET: LazyLock<Arc<Budget>> = LazyLock::new(|| Budget::new(TRANSLATED_KEPT_BYTES_ALL));
    let bytes = Some(translated_bytes).filter(|bytes| *bytes <= TRANSLATED_KEPT_BYTES)?;
    BUDGET.take(usize::try_from(bytes).ok()?)
}

fn memory_type(memory: &MemorySize) -> Result<MemoryType, LoadProblem> {
    let mut builder = MemoryType::builder();
    builder.min(memory.min_pages).max(memory.max_pages);
    builder.build().map_err(|error| LoadProblem::Invalid(error.to_string()))
}

fn check_size(bytes: &[u8], limit: usize) -> Result<(), LoadProblem> {
    if bytes.len() > limit {
        return Err(LoadProblem::TooLarge { size: bytes.len() as u64, limit });
    }
    Ok(())
}

fn check_declared(info: &ModuleInfo, limits: &Limits) -> Result<(), LoadProblem> {
    if let Some(memory) = info.memory
        && memory.min_pages > u64::from(limits.memory_pages)
    {
        return Err(LoadProblem::Memory { pages: memory.min_pages, limit: limits.memory_pages });
    }
    if info.table_elements > u64::from(limits.table_elements) {
        return Err(LoadProblem::Table { elements: info.table_elements, limit: limits.table_elements });
    }
    let (counted, pages) = (info.counted_bytes(), info.memory.map_or(0, |memory| memory.min_pages));
    if counted > 0 && pages * PAGE_BYTES as u64 + counted > limits.memory_bytes() as u64 {
        return Err(LoadProblem::Invalid(format!(
            "its functions, segments and tables take {counted} bytes in each instance beyond the {INSTANCE_BYTES_FREE} that are \
             free; with its memory of {pages} pages, that is more than the {} pages allowed (--memory-pages raises it)",
            limits.memory_pages
        )));
    }
    Ok(())
}

/// A small module gets no more from a large `--max-module`.
fn check_translated(bytes: u64, module: usize, limits: &Limits) -> Result<(), LoadProblem> {
    let limit = limits.module_bytes.min(MODULE_BYTES_DEFAULT.max(module)) as u64 * TRANSLATED_PER_BYTE;
    if bytes <= limit {
        return Ok(());
    }
    Err(LoadProblem::Invalid(format!(
        "its translated code would take {bytes} bytes, more than the {limit} allowed, {TRANSLATED_PER_BYTE} for each byte of \
         --max-module, or of 16MiB or the module if they are less"
    )))
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
fn looks_like_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"(") || text.starts_with(b";;")
}
