//! `--profile`: fuel by function, in the format of speedscope.

use crate::support::{TempDir, fuelbox, fuelbox_in, prebuilt};
use serde_json::Value;

/// Fuel of each function itself, and the names of those that are open at a time, checked on the way.
fn own_fuel(file: &Value) -> Vec<(String, u64)> {
    let names: Vec<&str> = file["shared"]["frames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frame["name"].as_str().unwrap())
        .collect();
    let profile = &file["profiles"][0];
    let (mut open, mut own, mut last) = (Vec::new(), vec![0; names.len()], 0);
    for event in profile["events"].as_array().unwrap() {
        let (frame, at) = (event["frame"].as_u64().unwrap() as usize, event["at"].as_u64().unwrap());
        assert!(at >= last);
        if let Some(top) = open.last() {
            own[*top] += at - last;
        }
        last = at;
        match event["type"].as_str().unwrap() {
            "O" => open.push(frame),
            _ => assert_eq!(open.pop(), Some(frame)),
        }
    }
    assert_eq!((open.len(), profile["endValue"].as_u64()), (0, Some(last)));
    names.iter().map(|name| name.to_string()).zip(own).collect()
}

fn profile(text: &str) -> Value {
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
    assert_eq!(
        (&file["profiles"][0]["type"], &file["profiles"][0]["unit"]),
        (&"evented".into(), &"none".into())
    );
    file
}

/// The fuel that `--report` says.
fn reported(stderr: &str) -> u64 {
    let line = stderr.lines().find(|line| line.contains(" fuel, ")).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn fuel_is_that_of_the_functions_and_all_of_it() {
    let folder = TempDir::new();
    // 100 times a loop of 10 rounds in `cheap`, and of 1,000 in `dear`.
    let spin = |name: &str, rounds: u32| {
        format!(
            "(func ${name} (local i32) (local.set 0 (i32.const {rounds})) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"
        )
    };
    let source = format!(
        r#"(module {} {} (func $both call $cheap call $dear)
           (func (export "main") (local i32) (local.set 0 (i32.const 100))
             (loop $l call $both (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
        spin("cheap", 10),
        spin("dear", 1_000)
    );
    folder.write("two.wat", source);
    let usual = fuelbox_in(&folder.0, &["run", "--report", "two.wat", "main"], b"").expect(0);
    for command in [&["run", "two.wat", "main"][..], &["call", "two.wat", "main"]] {
        let args = [&command[..1], &["--report", "--profile", "out.json"], &command[1..]].concat();
        let ran = fuelbox_in(&folder.0, &args, b"").expect(0);
        assert_eq!(reported(&ran.stderr), reported(&usual.stderr));
        let file = profile(&std::fs::read_to_string(folder.0.join("out.json")).unwrap());
        let fuel = own_fuel(&file);
        let of = |name: &str| fuel.iter().find(|(own, _)| own == name).unwrap().1;
        assert_eq!(fuel.iter().map(|(_, fuel)| fuel).sum::<u64>(), reported(&ran.stderr));
        let share = of("dear") as f64 / of("cheap") as f64;
        assert!((90.0..101.0).contains(&share), "{fuel:?}");
        // A function of two calls.
        assert!((100..=500).contains(&of("both")), "{fuel:?}");
        let names: Vec<&str> = fuel.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["(host)", "main", "both", "cheap", "dear"]);
    }
}

#[test]
fn a_run_that_is_stopped_has_one_and_deep_recursion_is_bounded() {
    let folder = TempDir::new();
    let source = r#"(module (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))"#;
    folder.write("deep.wat", source);
    let args = [
        "run",
        "--max-recursion",
        "50000",
        "--max-stack",
        "64MiB",
        "--report",
        "--profile",
        "out.json",
        "deep.wat",
        "deep",
        "1",
    ];
    let ran = fuelbox_in(&folder.0, &args, b"").expect(121);
    assert!(!ran.stderr.contains("0: deep"), "the chain was not asked for: {}", ran.stderr);
    let text = std::fs::read_to_string(folder.0.join("out.json")).unwrap();
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
    let file = profile(&text);
    assert!(file["name"].as_str().unwrap().contains("calls beyond the first 10000 paths"));
    let fuel = own_fuel(&file);
    assert_eq!(fuel.iter().map(|(_, fuel)| fuel).sum::<u64>(), reported(&ran.stderr));
}

#[test]
fn programs_have_one_and_what_cannot_be_written_is_said_first() {
    let folder = TempDir::new();
    let program = prebuilt("wordcount.wasm");
    let args = ["run", "--report", "--profile", "out.json", program.to_str().unwrap(), "-w"];
    let ran = fuelbox_in(&folder.0, &args, b"one two three").expect(0);
    let fuel = own_fuel(&profile(&std::fs::read_to_string(folder.0.join("out.json")).unwrap()));
    assert_eq!(fuel.iter().map(|(_, fuel)| fuel).sum::<u64>(), reported(&ran.stderr));
    assert!(fuel.len() > 5, "{fuel:?}");
    let ran = fuelbox(&["run", "--profile", "/nowhere/out.json", program.to_str().unwrap()]).expect(125);
    assert!(ran.stderr.starts_with("fuelbox: --profile /nowhere/out.json: "), "{}", ran.stderr);
}
