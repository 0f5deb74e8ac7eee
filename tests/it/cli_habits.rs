//! What users of other tools type: a module as a command, its arguments behind it, modules and input by pipes.

use crate::support::{
    Ran, Server, TempDir, fuelbox, fuelbox_in, fuelbox_program, prebuilt, runner_config, wat,
};
use fuelbox::Runner;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

fn hello() -> String {
    prebuilt("hello-c.wasm").to_str().unwrap().into()
}

#[test]
fn words_behind_a_program_are_its_own() {
    let hello = hello();
    for line in [
        &["run", &hello, "Ada", "--fuel"][..],
        &["run", &hello, "--", "Ada", "--fuel"],
        &["run", "--", &hello, "Ada", "--fuel"],
        &[&hello, "Ada", "--fuel"],
    ] {
        assert_eq!(fuelbox(line).expect(0).text(), "Hello, Ada\nHello, --fuel\n", "{line:?}");
    }
    // A flag behind a module that is no program would be a function's argument.
    let add = prebuilt("add.wasm");
    let late = fuelbox(&["run", add.to_str().unwrap(), "add", "1", "2", "--fuel=1"]).expect(2);
    assert!(late.stderr.contains("flags come before the module: fuelbox run --fuel=1 ..."), "{late:#?}");
    assert_eq!(fuelbox(&[add.to_str().unwrap(), "add", "-1", "-2"]).expect(0).text(), "-3\n");
    assert_eq!(fuelbox(&["run", add.to_str().unwrap(), "add", "--", "-1", "-2"]).expect(0).text(), "-3\n");
}

#[test]
fn a_program_with_functions_runs_unless_one_is_invoked() {
    let dir = TempDir::new();
    let both = wat(r#"(module
        (func (export "_start"))
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#);
    dir.write("both.wasm", both);
    let run = |args: &[&str]| fuelbox_in(&dir.0, args, b"").expect(0).text();
    assert_eq!(run(&["run", "both.wasm", "add", "1", "2"]), "");
    assert_eq!(run(&["run", "--invoke", "add", "both.wasm", "1", "2"]), "3\n");
    assert_eq!(run(&["run", "--invoke", "add(1, 2)", "both.wasm"]), "3\n");
}

#[test]
fn a_module_comes_by_a_pipe() {
    let dir = TempDir::new();
    let pipe = |args: &[&str], stdin: &[u8]| fuelbox_in(&dir.0, args, stdin);
    let add = std::fs::read(prebuilt("add.wasm")).unwrap();
    assert_eq!(pipe(&["run", "-", "add", "1", "2"], &add).expect(0).text(), "3\n");
    assert_eq!(pipe(&["call", "-", "--data", "1 2"], &add).expect(0).text(), "3\n");
    assert!(pipe(&["inspect", "-"], &add).expect(0).text().starts_with("stdin: "));
    let count = std::fs::read(prebuilt("wordcount.wasm")).unwrap();
    assert_eq!(pipe(&["run", "-"], &count).expect(0).text(), "0 0 0\n", "there is no more input");
    let text = b"(module (func (export \"f\") (result i32) (i32.const 7)))";
    assert_eq!(pipe(&["run", "-", "f"], text).expect(0).text(), "7\n");
    for (bytes, limit, code) in [(&add[..], add.len(), 0), (&add[..], add.len() - 1, 120), (b"", 9, 120)] {
        let flag = format!("--max-module={limit}");
        let ran = pipe(&["run", &flag, "-", "add", "1", "2"], bytes).expect(code);
        assert!(code == 0 || ran.stderr.starts_with("fuelbox: stdin: "), "{ran:#?}");
    }
}

#[test]
fn a_lone_function_needs_no_name() {
    let call = |name: &str, stdin: &[u8]| {
        let module = prebuilt(&format!("{name}.wasm"));
        fuelbox_in(&TempDir::new().0, &["call", module.to_str().unwrap()], stdin)
    };
    assert_eq!(call("greet", b"World").expect(0).text(), "Hello, World");
    assert_eq!(call("add", b"1 2").expect(0).text(), "3\n");
    assert_eq!(call("wordcount", b"a b").expect(0).text(), "0 2 3\n");
    let many = call("shapes", b"").expect(2);
    assert!(many.stderr.contains("FUNC is missing, one of: greet, upper"), "{many:#?}");
    // Over HTTP as well.
    let dir = TempDir::new();
    for name in ["add", "greet", "fibonacci"] {
        dir.write(&format!("{name}.wasm"), std::fs::read(prebuilt(&format!("{name}.wasm"))).unwrap());
    }
    dir.write("none.wasm", wat("(module)"));
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let add = server.send("POST", "/execute/add", b"1 2");
    assert_eq!((add.status, add.body), (200, b"3\n".to_vec()));
    assert_eq!(server.send("POST", "/execute/greet", b"World").body, b"Hello, World");
    assert_eq!(server.send("POST", "/execute/fibonacci", b"1").status, 404, "it has several");
    assert_eq!(server.send("POST", "/execute/none", b"").status, 404);
}

#[test]
fn input_that_nothing_takes_is_not_waited_for() {
    let dir = TempDir::new();
    dir.write("seven.wat", "(module (func (export \"f\") (result i32) (i32.const 7)))");
    // A pipe that nobody closes.
    let mut child = Command::new(fuelbox_program())
        .args(["call", "seven.wat"])
        .current_dir(&dir.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.stdout, b"7\n");
}

#[test]
fn the_name_of_a_plugin_may_have_its_ending() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("folder")).unwrap();
    std::fs::copy(prebuilt("add.wasm"), dir.0.join("folder/plugin-add.wasm")).unwrap();
    let run = |name: &str| fuelbox_in(&dir.0, &["run", "--plugins", "folder", name, "add", "1", "2"], b"");
    assert_eq!(run("plugin-add").expect(0).text(), "3\n");
    assert_eq!(run("plugin-add.wasm").expect(0).text(), "3\n");
    assert!(
        run("plugin-sub.wasm").expect(120).stderr.contains("no plug-in `plugin-sub`; there is: plugin-add")
    );
    // A file of this name comes first.
    dir.write("plugin-add.wasm", "rubbish");
    assert!(run("plugin-add.wasm").expect(120).stderr.contains("not a WebAssembly module"));
}

#[test]
fn the_working_directory_and_a_variable_are_given_by_name() {
    let dir = TempDir::new();
    dir.write("file", "text");
    let tree = prebuilt("treehash.wasm");
    let tree = tree.to_str().unwrap();
    for path in [".", "/"] {
        let hashed = fuelbox_in(&dir.0, &["run", "--dir", ".", tree, path], b"").expect(0);
        assert!(hashed.text().trim_end().ends_with("/file"), "{hashed:#?}");
    }
    let output = Command::new(fuelbox_program())
        .args(["run", "--env", "GREETING", &hello(), "Ada"])
        .env("GREETING", "Salut")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Salut, Ada\n");
}

fn json(ran: &Ran) -> Value {
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))
}

#[test]
fn listings_are_json_if_asked_for() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("add.wasm"), dir.0.join("add.wasm")).unwrap();
    dir.write("broken.wasm", "rubbish");
    let folder = dir.0.to_str().unwrap();
    let list = json(&fuelbox(&["list", "--json", "--plugins", folder]).expect(0));
    assert_eq!(list["plugins"][0]["name"], "add");
    assert_eq!(list["plugins"][0]["functions"][0]["signature"], "(i32, i32) -> i32");
    assert_eq!(list["refused"][0]["file"], "broken.wasm");
    // The same document as the gateway's.
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let served = Server::with(runner).send("GET", "/plugins", b"");
    let mut served: Value = serde_json::from_slice(&served.body).unwrap();
    served["plugins"][0]["warm"] = list["plugins"][0]["warm"].clone();
    served["plugins"][0]["limits"] = list["plugins"][0]["limits"].clone();
    assert_eq!(served, list);

    let inspect =
        |path: &Path, code| json(&fuelbox(&["inspect", "--json", path.to_str().unwrap()]).expect(code));
    let greet = inspect(&prebuilt("greet.wasm"), 0);
    assert_eq!(
        (&greet["kind"], &greet["loads"], &greet["program"]),
        (&"module".into(), &true.into(), &false.into())
    );
    assert_eq!(greet["functions"][0]["convention"], "packed");
    assert_eq!(greet["memory"]["pages"], 1);
    let large = dir.write("large.wasm", wat("(module (import \"env\" \"f\" (func)) (memory 400))"));
    let large = inspect(&large, 120);
    assert_eq!((&large["loads"], &large["imports"][0]["name"]), (&false.into(), &"f".into()));
    assert!(large["problem"].as_str().unwrap().contains("400 pages"), "{large}");
    let both = fuelbox(&["list", "--json", "--names"]).expect(2);
    assert!(both.stderr.contains("give only one of --names and --json"));
}

#[test]
#[cfg(feature = "component")]
fn a_component_is_shown_as_json() {
    let shapes = json(&fuelbox(&["inspect", "--json", prebuilt("shapes.wasm").to_str().unwrap()]).expect(0));
    assert_eq!((&shapes["kind"], &shapes["loads"]), (&"component".into(), &true.into()));
    assert!(shapes["wit"].as_str().unwrap().contains("export greet: func(name: string) -> string;"));
    assert_eq!(shapes["functions"][0]["name"], "greet");
}

#[test]
fn numbers_that_do_not_fit_are_told_what_does() {
    let add = prebuilt("add.wasm");
    let add = add.to_str().unwrap();
    for (number, code) in [
        ("4294967295", 0),
        ("4294967296", 2),
        ("-2147483648", 0),
        ("-2147483649", 2),
        ("0xffffffff", 0),
        ("0x100000000", 2),
    ] {
        let ran = fuelbox(&["run", add, "add", number, "0"]).expect(code);
        assert_eq!(ran.stderr.contains("is not an i32: -2147483648 to 4294967295"), code == 2, "{ran:#?}");
    }
}
