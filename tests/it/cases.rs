//! The conformance cases of `tests/cases/`: each runs in the built program, in fresh copies of its folders, and
//! must give the output and the exit code that its file names. `tests/cases/README.md` describes the format.

use crate::support::{Ran, TempDir, fuelbox_in};
use fuelbox::host::wasi::TABLE;
use fuelbox::host::wasi::abi::MODULE;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Names of the files in the case folder with this ending, without it.
fn stems(folder: &Path, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap().path());
    let ours = files.filter(|path| path.extension().is_some_and(|found| found == ending));
    ours.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
}

/// What a case's file says; all of it may be left out.
#[derive(Debug, Default, PartialEq)]
struct Case {
    args: Vec<String>,
    env: Vec<(String, String)>,
    dirs: Vec<String>,
    stdin: String,
    stdout: Option<String>,
    stderr: Option<String>,
    exit_code: i32,
}

/// Reads a case's file. A key that is not known would be a check that never happens, so it is refused.
fn parse(text: &str) -> Result<Case, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut case = Case::default();
    for (key, value) in value.as_object().ok_or("not an object")? {
        let wrong = || format!("`{key}` cannot be {value}");
        let text = |value: &Value| value.as_str().map(str::to_string).ok_or_else(wrong);
        let list = || value.as_array().ok_or_else(wrong)?.iter().map(text).collect::<Result<Vec<_>, _>>();
        match key.as_str() {
            "args" => case.args = list()?,
            "dirs" => case.dirs = list()?,
            "env" => {
                for (name, value) in value.as_object().ok_or_else(wrong)? {
                    case.env.push((name.clone(), text(value)?));
                }
            }
            "stdin" => case.stdin = text(value)?,
            "stdout" => case.stdout = Some(text(value)?),
            "stderr" => case.stderr = Some(text(value)?),
            "exit_code" => {
                let code = value.as_i64().and_then(|code| i32::try_from(code).ok());
                case.exit_code = code.ok_or_else(wrong)?;
            }
            _ => return Err(format!("no key is called `{key}`")),
        }
    }
    Ok(case)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs a case in `cases`.
fn run(cases: &Path, name: &str, case: &Case, flags: &[&str]) -> Ran {
    let scratch = TempDir::new();
    let mut args = vec!["run".to_string()];
    args.extend(flags.iter().map(|flag| flag.to_string()));
    for (name, value) in &case.env {
        args.extend(["--env".into(), format!("{name}={value}")]);
    }
    for dir in &case.dirs {
        let own = scratch.0.join(dir);
        copy(&cases.join(dir), &own).unwrap_or_else(|error| panic!("{name}: {dir}: {error}"));
        args.extend(["--dir".into(), format!("{}::{dir}", own.display())]);
    }
    args.extend([format!("{name}.wasm"), "--".into()]);
    args.extend(case.args.iter().cloned());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fuelbox_in(cases, &args, case.stdin.as_bytes())
}

/// What is otherwise than the case says; empty if it passes.
fn differences(case: &Case, ran: &Ran) -> Vec<String> {
    let mut found = Vec::new();
    if ran.code != Some(case.exit_code) {
        found.push(format!("exit code {:?}, not {}", ran.code, case.exit_code));
    }
    for (stream, given, expected) in
        [("stdout", ran.text(), &case.stdout), ("stderr", ran.stderr.clone(), &case.stderr)]
    {
        if let Some(expected) = expected.as_ref().filter(|expected| **expected != given) {
            found.push(format!("{stream} is {given:?}, not {expected:?}"));
        }
    }
    if !found.is_empty() {
        found.extend(ran.stderr.lines().map(str::to_string));
        found.push(ran.command.clone());
    }
    found
}

#[test]
fn every_case_does_what_its_file_says() {
    let folder = folder();
    let names = stems(&folder, "json");
    assert_eq!(names, stems(&folder, "wasm"), "a case is a module and its file");
    let mut failed = Vec::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let case = parse(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"));
        for flags in [&[][..], &["--trace"]] {
            let found = differences(&case, &run(&folder, name, &case, flags));
            if !found.is_empty() {
                failed.push(format!("{name}: {}", found.join("\n    ")));
            }
        }
    }
    let (bad, all) = (failed.len(), names.len());
    assert!(failed.is_empty(), "{bad} of {all} cases fail:\n{}", failed.join("\n"));
}

#[test]
fn every_function_is_called_by_some_case() {
    let mut called = BTreeSet::new();
    for name in stems(&folder(), "wasm") {
        let bytes = std::fs::read(folder().join(format!("{name}.wasm"))).unwrap();
        let info = fuelbox::module::reader::read(&bytes).unwrap();
        let ours = info.imports.into_iter().filter(|import| import.module == MODULE);
        called.extend(ours.map(|import| import.name));
    }
    let missed: Vec<_> = TABLE.iter().map(|row| row.name).filter(|name| !called.contains(*name)).collect();
    assert!(missed.is_empty(), "no case calls {missed:?}");
}

#[test]
fn each_case_was_built_from_the_sources_that_are_here() {
    let record = std::fs::read_to_string(folder().join("SOURCES.sha256")).unwrap();
    let mut recorded = BTreeSet::new();
    for line in record.lines() {
        let fields: Vec<&str> = line.split("  ").collect();
        let [hash, module, sources] = fields[..] else { panic!("{line}") };
        let name = module.strip_suffix(".wasm").unwrap();
        let mut hasher = Sha256::new();
        for source in sources.split(' ') {
            hasher.update(std::fs::read(folder().join(source)).unwrap());
        }
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, hash, "{name} is older than its sources: run scripts/build-cases.sh");
        recorded.insert(name.to_string());
    }
    let mut sources = stems(&folder().join("src"), "rs");
    assert!(sources.remove("wasi"), "what the cases share");
    assert_eq!(recorded, sources);
    assert_eq!(recorded, stems(&folder(), "wasm"));
}

#[test]
fn a_case_is_read_whole_or_refused() {
    assert_eq!(parse("{}").unwrap(), Case::default());
    let text =
        r#"{"args": ["a"], "env": {"K": "V"}, "dirs": ["d"], "stdin": "i", "stdout": "o", "exit_code": 3}"#;
    let case = parse(text).unwrap();
    assert_eq!((case.args, case.dirs), (vec!["a".to_string()], vec!["d".to_string()]));
    assert_eq!((case.env, case.stdin), (vec![("K".to_string(), "V".to_string())], "i".to_string()));
    assert_eq!((case.stdout, case.stderr, case.exit_code), (Some("o".to_string()), None, 3));
    for wrong in
        ["", "[]", r#"{"exit": 1}"#, r#"{"args": "a"}"#, r#"{"exit_code": "1"}"#, r#"{"env": {"A": 1}}"#]
    {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_difference_is_told_with_what_the_case_printed() {
    let ran = |code, stdout: &str| Ran {
        command: "fuelbox run x.wasm".into(),
        code: Some(code),
        stdout: stdout.into(),
        stderr: "why, line 7".into(),
    };
    let case = Case { stdout: Some("out".into()), ..Case::default() };
    assert!(differences(&case, &ran(0, "out")).is_empty());
    assert!(differences(&Case::default(), &ran(0, "anything")).is_empty());
    for (wrong, first) in
        [(ran(1, "out"), "exit code Some(1), not 0"), (ran(0, "ou"), r#"stdout is "ou", not "out""#)]
    {
        let found = differences(&case, &wrong);
        assert_eq!(found, [first, "why, line 7", "fuelbox run x.wasm"]);
    }
    let case = Case { stderr: Some(String::new()), ..Case::default() };
    assert_eq!(differences(&case, &ran(0, "")).len(), 3);
}
