//! A traced run does what the same run does otherwise: the same results, output and fuel, for the guests of this repository.

use crate::support::{fuelbox, fuelbox_in, job, prebuilt};
use fuelbox::abi::numeric;
use fuelbox::{CompileOptions, Limits, Program, Tracing, Value};
use std::path::PathBuf;

/// The core modules among the prebuilt guests.
fn modules() -> Vec<PathBuf> {
    let folder = prebuilt("add.wasm").parent().unwrap().to_path_buf();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_core = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "wasm") && std::fs::read(path).unwrap()[4] == 1
    };
    let mut modules: Vec<PathBuf> = files.filter(is_core).collect();
    modules.sort();
    modules
}

#[test]
fn numeric_functions_of_the_guests_give_the_same() {
    let limits = Limits { fuel: 3_000_000, ..Limits::default() };
    let mut compared = 0;
    for file in modules() {
        let bytes = std::fs::read(&file).unwrap();
        let programs = [Tracing::Off, Tracing::Chain, Tracing::Profile].map(|tracing| {
            let options = CompileOptions { tracing, ..CompileOptions::default() };
            Program::compile_with("test", &bytes, &limits, &options).unwrap()
        });
        let info = programs[0].info();
        assert_eq!(info, programs[1].info(), "{}", file.display());
        for (name, signature) in info.functions() {
            if !numeric::fits(signature) {
                continue;
            }
            for x in [0, 1, 7, -1, 65_536] {
                let params: Vec<String> = signature.params.iter().map(|_| x.to_string()).collect();
                let params: Vec<Value> = numeric::parse(info, name, &params).unwrap();
                let run = |program| numeric::run(job(program, &limits), name, &params).unwrap();
                let usual = run(&programs[0]);
                for traced in programs[1..].iter().map(run) {
                    let what = format!("{} {name} {x}", file.display());
                    assert_eq!(traced.result, usual.result, "{what}");
                    // What cannot be reached after a load that is known to trap is charged in one and not in the other.
                    if usual.result.is_ok() {
                        assert_eq!(traced.usage.fuel, usual.usage.fuel, "{what}");
                    }
                    assert_eq!(traced.usage.peak_pages, usual.usage.peak_pages, "{what}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn programs_print_the_same_with_the_same_fuel() {
    let input = "the quick brown fox\njumps over 13 lazy dogs\n".repeat(40);
    for file in modules() {
        let names = String::from_utf8(fuelbox(&["inspect", file.to_str().unwrap()]).stdout).unwrap();
        if !names.contains("_start() ") && !names.contains("_start()\n") {
            continue;
        }
        for args in [&[][..], &["-w"], &["/"]] {
            let run = |flags: &[&str]| {
                let mut all = vec!["run", "--deterministic", "--report", "--timeout", "60s"];
                all.extend(flags);
                all.push(file.to_str().unwrap());
                all.extend(args);
                fuelbox_in(file.parent().unwrap(), &all, input.as_bytes())
            };
            let (usual, traced) = (run(&[]), run(&["--trace"]));
            assert_eq!(traced.code, usual.code, "{}", traced.command);
            assert!(traced.stdout == usual.stdout, "{}", traced.command);
            // The report has times.
            let lines = |text: &str| {
                let lines = text
                    .lines()
                    .filter(|line| !line.starts_with("    "))
                    .map(|line| line.split(", instantiate").next().unwrap().to_string());
                lines.collect::<Vec<_>>()
            };
            assert_eq!(lines(&traced.stderr), lines(&usual.stderr), "{}", traced.command);
        }
    }
}
