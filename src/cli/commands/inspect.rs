//! `fuelbox inspect`: the contents of a module, and whether it loads.

use crate::abi::{Convention, command, offered};
use crate::base::error::Error;
use crate::base::escape::printable;
#[cfg(feature = "component")]
use crate::base::escape::printable_lines;
use crate::cli::args::command::Inspect;
use crate::cli::failure::Failure;
use crate::cli::output::messages::{print, print_names};
use crate::cli::target::{self, Module};
use crate::module::reader;
use crate::module::reader::ModuleInfo;
use crate::sandbox::compile::to_binary;
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
    if inspect.only_names {
        return print_names(offered(&info).map(|(name, _)| name));
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

/// Shows a component.
#[cfg(feature = "component")]
fn component(inspect: &Inspect, module: &Module, wasm: &[u8]) -> Result<(), Failure> {
    use crate::module::component::{plan, world};
    let refused = |problem| Error::Load { name: module.name.clone(), problem };
    let plan = plan(wasm).map_err(refused)?;
    let program = module.check(&inspect.limits);
    if inspect.only_names {
        return print_names(program?.functions().map(|(name, _)| name));
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
