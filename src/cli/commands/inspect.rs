//! `fuelbox inspect`: the contents of a module, and whether it loads.

use crate::abi::{Convention, command, offered};
use crate::base::error::Error;
#[cfg(feature = "component")]
use crate::base::escape::printable_lines;
use crate::base::escape::{json_line, printable};
use crate::cli::args::command::{Inspect, Shown};
use crate::cli::failure::Failure;
use crate::cli::output::messages::{print, print_names};
use crate::cli::target::{self, Module};
use crate::module::reader;
use crate::module::reader::ModuleInfo;
use crate::sandbox::compile::to_binary;
#[cfg(feature = "component")]
use crate::sandbox::program::Program;
use serde_json::{Value, json};
use std::fmt::Write;

/// Shows the module. If it does not load, the exit code is that of a run.
pub fn execute(inspect: Inspect) -> Result<(), Failure> {
    let module = target::find(&inspect.target, &inspect.source, &inspect.limits)?;
    module.say_origin();
    let refused = |problem| Error::Load { name: module.name.clone(), problem };
    let wasm = to_binary(&module.bytes).map_err(refused)?;
    #[cfg(feature = "component")]
    if crate::module::component::is_component(&wasm) {
        return component(&inspect, &module, &wasm);
    }
    let info = reader::read(&wasm).map_err(refused)?;
    if inspect.shown == Shown::Names {
        return print_names(offered(&info).map(|(name, _)| name));
    }
    if inspect.shown == Shown::Json {
        return document(&module, &inspect, core(wasm.len(), &info));
    }
    print(describe(&module.name, wasm.len(), &info).as_bytes())?;
    loads(&module, &inspect)
}

/// Says whether the module loads, and if not, why.
fn loads(module: &Module, inspect: &Inspect) -> Result<(), Failure> {
    let compiled = module.check(&inspect.limits);
    match &compiled {
        Ok(_) => print(b"loads under these limits: yes\n")?,
        Err(Error::Load { problem, .. }) => {
            print(
                format!("loads under these limits: no: {}\n", problem.to_string().replace('\n', "\n    "))
                    .as_bytes(),
            )?;
        }
        Err(_) => {}
    }
    compiled?;
    Ok(())
}

/// Prints `facts` as JSON, with the name, and whether the module loads.
fn document(module: &Module, inspect: &Inspect, mut facts: Value) -> Result<(), Failure> {
    let compiled = module.check(&inspect.limits).map(drop);
    let problem = match &compiled {
        Err(Error::Load { problem, .. }) => Some(problem.to_string()),
        Err(error) => Some(error.to_string()),
        Ok(()) => None,
    };
    facts["name"] = module.name.clone().into();
    facts["loads"] = problem.is_none().into();
    facts["problem"] = problem.into();
    print(format!("{}\n", json_line(&facts.to_string())).as_bytes())?;
    Ok(compiled?)
}

/// What a core module contains.
fn core(size: usize, info: &ModuleInfo) -> Value {
    let imports = info.imports.iter().map(|import| {
        json!({ "module": import.module, "name": import.name, "item": import.item.to_string().trim_start() })
    });
    let exports = info.exports.iter();
    let exports =
        exports.map(|export| json!({ "name": export.name, "item": export.item.to_string().trim_start() }));
    let functions = offered(info).map(|(name, signature)| {
        let convention = Convention::of(info, name).map(Convention::name);
        json!({ "name": name, "signature": signature.to_string(), "convention": convention })
    });
    json!({
        "kind": "module",
        "bytes": size,
        "imports": imports.collect::<Vec<_>>(),
        "exports": exports.collect::<Vec<_>>(),
        "memory": info.memory.map(|memory| json!({ "pages": memory.min_pages, "max_pages": memory.max_pages })),
        "table_elements": info.table_elements,
        "start_function": info.start.is_some(),
        "program": command::fits(info),
        "functions": functions.collect::<Vec<_>>(),
    })
}

/// Shows a component.
#[cfg(feature = "component")]
fn component(inspect: &Inspect, module: &Module, wasm: &[u8]) -> Result<(), Failure> {
    use crate::module::component::{plan, world};
    let refused = |problem| Error::Load { name: module.name.clone(), problem };
    let plan = plan(wasm).map_err(refused)?;
    let program = module.check(&inspect.limits);
    if inspect.shown == Shown::Names {
        return print_names(program?.functions().map(|(name, _)| name));
    }
    if inspect.shown == Shown::Json {
        let functions = program.iter().flat_map(Program::functions);
        let functions =
            functions.map(|(name, of)| json!({ "name": name, "convention": of.map(Convention::name) }));
        let facts = json!({
            "kind": "component",
            "bytes": wasm.len(),
            "core_modules": plan.modules.len(),
            "wit": world::print(&plan),
            "functions": functions.collect::<Vec<_>>(),
        });
        return document(module, inspect, facts);
    }
    let mut text = format!("{}: {} bytes, a component\n", printable(&module.name), wasm.len());
    let _ = writeln!(text, "core modules: {}", count(plan.modules.len()));
    text.push_str(&printable_lines(&world::print(&plan)));
    print(text.as_bytes())?;
    if let Ok(program) = &program {
        let functions = program.functions().map(|(name, of)| {
            format!("  {}: {}\n", of.map_or("no convention", Convention::name), printable(name))
        });
        print(format!("functions:\n{}", functions.collect::<String>()).as_bytes())?;
    }
    loads(module, inspect)
}

/// The module as text. Writing to a String does not fail, so the results of `writeln!` are dropped.
fn describe(name: &str, size: usize, info: &ModuleInfo) -> String {
    let mut text = format!("{}: {size} bytes\n", printable(name));
    let _ = writeln!(text, "imports: {}", count(info.imports.len()));
    for import in &info.imports {
        let _ = writeln!(text, "  {}.{}{}", printable(&import.module), printable(&import.name), import.item);
    }
    let _ = writeln!(text, "exports: {}", count(info.exports.len()));
    for export in &info.exports {
        let _ = writeln!(text, "  {}{}", printable(&export.name), export.item);
    }
    let _ = match info.memory {
        None => writeln!(text, "memory: none"),
        Some(memory) => {
            let most =
                memory.max_pages.map_or("no maximum of its own".into(), |max| format!("at most {max}"));
            writeln!(text, "memory: {} pages of 64 KiB, {most}", memory.min_pages)
        }
    };
    let _ = writeln!(text, "table elements: {}", info.table_elements);
    let _ = writeln!(text, "start function: {}", if info.start.is_some() { "yes" } else { "no" });
    let _ = writeln!(text, "conventions:");
    let of: Vec<_> = info.functions().map(|(name, _)| (name, Convention::of(info, name))).collect();
    for convention in Convention::ALL {
        let functions = of.iter().filter(|(_, of)| *of == Some(convention));
        let functions: Vec<_> = functions.map(|(name, _)| printable(name)).collect();
        let shown = match convention {
            Convention::Command if command::fits(info) => "yes".to_string(),
            _ if functions.is_empty() => "no".to_string(),
            _ => functions.join(", "),
        };
        let _ = writeln!(text, "  {}: {shown}", convention.name());
    }
    text
}

fn count(n: usize) -> String {
    if n == 0 { "none".into() } else { n.to_string() }
}
