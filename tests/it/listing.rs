//! Listings stay short and quick, whatever a module exports.

use crate::support::{Server, TempDir, fuelbox_in, reload, wat};
use fuelbox::{Convention, Limits, Program, Runner};
use serde_json::Value;
use std::time::{Duration, Instant};

/// As many exports as a module may have; their names end in `tail`.
fn many(count: usize, tail: &str) -> Vec<u8> {
    let exports: String = (0..count).map(|n| format!("(export \"f{n:04}{tail}\" (func 0))")).collect();
    wat(&format!("(module (func (result i32) i32.const 1) {exports})"))
}

/// A gateway with `wasm` as the plug-in `many`.
fn serving(wasm: Vec<u8>) -> (Server, TempDir) {
    let dir = TempDir::new();
    dir.write("many.wasm", wasm);
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    (Server::with(runner), dir)
}

fn json(server: &Server, path: &str) -> Value {
    serde_json::from_slice(&server.send("GET", path, b"").body).unwrap()
}

#[test]
fn a_listing_names_two_hundred_functions_and_says_how_many_more_there_are() {
    for (count, named, more) in [(199, 199, 0), (200, 200, 0), (201, 200, 1), (10_000, 200, 9_800)] {
        let (server, dir) = serving(many(count, ""));
        let plugin = &json(&server, "/plugins")["plugins"][0];
        assert_eq!(plugin["functions"].as_array().unwrap().len(), named);
        assert_eq!(plugin["more_functions"], more);
        assert_eq!(plugin["functions"][198]["name"], "f0198");

        if cfg!(feature = "openapi") {
            let document = json(&server, "/openapi.json");
            let operation = &document["paths"]["/execute/many"]["post"];
            let names = &operation["parameters"][0]["schema"]["enum"];
            let says_more =
                operation["description"].as_str().unwrap().ends_with(&format!("- and {more} more"));
            // An enumeration that lacks some would say that they cannot be called.
            assert_eq!((names.as_array().map(Vec::len), says_more), ((more == 0).then_some(named), more > 0));
        }

        let listed = fuelbox_in(&dir.0, &["list", "--plugins", "."], b"").expect(0).text();
        assert_eq!(listed.lines().filter(|line| line.contains("numeric")).count(), named);
        assert_eq!(listed.contains(&format!("and {more} more")), more > 0);

        // Those that are not named can be called all the same.
        let last = format!("/execute/many?func=f{:04}", count - 1);
        assert_eq!(server.send("POST", &last, b"").text(), "1\n");
    }
}

#[test]
fn long_names_take_no_more_room() {
    // 256 KiB of names are allowed in all.
    let (server, _dir) = serving(many(250, &"x".repeat(1_000)));
    let plugin = &json(&server, "/plugins")["plugins"][0];
    let named = plugin["functions"].as_array().unwrap().len();
    assert_eq!((named, plugin["more_functions"].as_u64()), (32, Some(250 - 32)));
}

#[test]
fn an_error_names_twenty_functions_cut_short() {
    let (server, _dir) = serving(many(250, &"x".repeat(1_000)));
    let reply = server.send("POST", "/execute/many?func=none", b"");
    assert_eq!(reply.status, 404);
    assert!(reply.body.len() < 4_000, "{} bytes", reply.body.len());
    assert!(reply.text().contains("and 230 more"), "{}", reply.text());
}

#[test]
fn many_files_that_do_not_load_are_counted() {
    let dir = TempDir::new();
    for number in 0..203 {
        dir.write(&format!("bad{number}.wasm"), b"rubbish");
    }
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let list = json(&Server::with(runner), "/plugins");
    assert_eq!((list["refused"].as_array().unwrap().len(), list["more_refused"].as_u64()), (200, Some(3)));
}

/// A file that is refused later shows at once, though the plug-ins are as they were.
#[test]
fn a_list_that_was_made_before_is_made_anew_when_a_file_is_refused() {
    let (server, dir) = serving(many(1, ""));
    assert_eq!(json(&server, "/plugins")["refused"].as_array().unwrap().len(), 0);
    dir.write("bad.wasm", b"rubbish");
    reload(&server.runner);
    assert_eq!(json(&server, "/plugins")["refused"][0]["file"], "bad.wasm");
    std::fs::remove_file(dir.0.join("bad.wasm")).unwrap();
    reload(&server.runner);
    assert_eq!(json(&server, "/plugins")["refused"].as_array().unwrap().len(), 0);
}

/// By a search through all exports for each, this takes a build without optimisation far longer than the bound.
#[test]
fn the_conventions_of_ten_thousand_functions_are_found_quickly() {
    // Each is looked up itself, and with it `allocate` and `memory`, which come last.
    let exports: String = (0..9_990).map(|n| format!("(export \"f{n:04}\" (func $f))")).collect();
    let source = format!(
        "(module {exports} (func $f (param i32 i32) (result i64) i64.const 0)
           (func (export \"allocate\") (param i32) (result i32) i32.const 0) (memory (export \"memory\") 1))"
    );
    let program = Program::compile("many", &wat(&source), &Limits::default()).unwrap();
    let info = program.info();
    let begin = Instant::now();
    for _ in 0..20 {
        let of = |(name, _): &(&str, _)| Convention::of(info, name) == Some(Convention::Packed);
        assert_eq!(info.functions().filter(of).count(), 9_990);
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
