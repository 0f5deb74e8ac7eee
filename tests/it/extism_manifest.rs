//! Manifests of Extism, as `fuelbox call` reads them; and plug-ins that make no use of their host.

use crate::support::{Ran, TempDir, fuelbox_in, prebuilt, runner_config, wat};
use fuelbox::{Call, Runner};
use serde_json::{Value, json};
use std::process::Command;

fn with_plugin() -> TempDir {
    let dir = TempDir::new();
    dir.write("plugin.wasm", std::fs::read(prebuilt("extism-c.wasm")).unwrap());
    dir
}

fn call(dir: &TempDir, manifest: &Value, flags: &[&str], func: &str) -> Ran {
    dir.write("manifest.json", manifest.to_string());
    fuelbox_in(&dir.0, &[&["call"], flags, &["manifest.json", func, "--data", "Hello, World!"]].concat(), b"")
}

fn sha256(path: &std::path::Path) -> String {
    let ran = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()[..64].into()
}

#[test]
fn a_manifest_names_the_module_and_its_configuration() {
    let dir = with_plugin();
    let path = json!({"path": "plugin.wasm"});
    let counted = r#"{"count": 3, "total": 3, "vowels": "aeiouAEIOU"}"#;
    let plain = call(&dir, &json!({"wasm": [path]}), &[], "count_vowels").expect(0);
    assert_eq!(plain.text(), counted);
    let config =
        json!({"wasm": [path], "config": {"vowels": "lo"}, "memory": {"max_pages": 20}, "timeout_ms": 4000});
    let counted = r#"{"count": 5, "total": 5, "vowels": "lo"}"#;
    assert_eq!(call(&dir, &config, &[], "count_vowels").expect(0).text(), counted);
    // The command line's word counts.
    let own = call(&dir, &config, &["--extism-config", "vowels=H"], "count_vowels").expect(0);
    assert_eq!(own.text(), r#"{"count": 1, "total": 1, "vowels": "H"}"#);
    let hash = sha256(&dir.0.join("plugin.wasm"));
    for (hash, code) in
        [(hash.clone(), 0), (hash.to_uppercase(), 0), (hash.replace('0', "1"), 120), ("".into(), 120)]
    {
        let given = json!({"wasm": [{"path": "plugin.wasm", "hash": hash, "name": "main"}]});
        let ran = call(&dir, &given, &[], "count_vowels").expect(code);
        assert_eq!(ran.stderr.contains("the module's SHA-256 is"), code != 0, "{}", ran.stderr);
    }
    // From another folder, files are still the manifest's neighbours.
    let elsewhere = TempDir::new();
    let manifest = dir.0.join("manifest.json");
    dir.write("manifest.json", json!({"wasm": [path]}).to_string());
    let ran =
        fuelbox_in(&elsewhere.0, &["call", manifest.to_str().unwrap(), "count_vowels", "--data", "aa"], b"");
    assert!(ran.expect(0).text().contains(r#""count": 2"#));
}

#[test]
fn a_module_may_be_in_the_manifest() {
    let dir = TempDir::new();
    // base64 of a module that gives nothing.
    let noop = wat(
        r#"(module (func (export "noop") (result i32) (i32.const 0)) (func (export "fails") (result i32) (i32.const 7)))"#,
    );
    dir.write("noop.wasm", &noop);
    let encoded = Command::new("base64").arg("-w0").arg(dir.0.join("noop.wasm")).output().unwrap();
    let data = String::from_utf8(encoded.stdout).unwrap();
    let manifest = json!({"wasm": [{"data": data}]});
    assert_eq!(call(&dir, &manifest, &[], "noop").expect(0).stdout, b"");
    let failed = call(&dir, &manifest, &[], "fails").expect(1);
    assert!(failed.stderr.contains("code 7"), "{}", failed.stderr);
    let refused = call(&dir, &json!({"wasm": [{"data": "not base64!"}]}), &[], "noop").expect(120);
    assert!(refused.stderr.contains("`data` is not base64"), "{}", refused.stderr);
}

#[test]
fn limits_of_a_manifest_lower_those_of_the_run() {
    let dir = TempDir::new();
    dir.write(
        "spin.wasm",
        wat(r#"(module (memory 3) (func (export "spin") (result i32) (loop $l (br $l)) (i32.const 0)))"#),
    );
    let spin = |extra: Value, flags: &[&str]| {
        let mut manifest = json!({"wasm": [{"path": "spin.wasm"}]});
        manifest.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        call(&dir, &manifest, flags, "spin")
    };
    let late = spin(json!({"timeout_ms": 60}), &[]).expect(124);
    assert!(late.stderr.contains("deadline of 60ms"), "{}", late.stderr);
    let late = spin(json!({"timeout_ms": 60_000}), &["--timeout", "50ms"]).expect(124);
    assert!(late.stderr.contains("deadline of 50ms"), "{}", late.stderr);
    // Its own 3, and one for the input.
    for (pages, code) in [(2, 120), (3, 123), (4, 124)] {
        spin(json!({"memory": {"max_pages": pages}, "timeout_ms": 50}), &[]).expect(code);
    }
}

#[test]
fn directories_of_a_manifest_are_told_of() {
    let dir = TempDir::new();
    dir.write("program.wasm", std::fs::read(prebuilt("extism-c.wasm")).unwrap());
    std::fs::create_dir(dir.0.join("data")).unwrap();
    let manifest = json!({"wasm": [{"path": "program.wasm"}], "allowed_paths": {"ro:data": "/data"}});
    let ran = call(&dir, &manifest, &[], "count_vowels").expect(0);
    assert!(ran.stderr.contains("data as /data to be read"), "{}", ran.stderr);
    let gone = json!({"wasm": [{"path": "program.wasm"}], "allowed_paths": {"gone": "/data"}});
    assert!(call(&dir, &gone, &[], "count_vowels").expect(120).stderr.contains("gone"));
}

#[test]
fn hosts_of_a_manifest_need_a_client_and_are_told_of() {
    let dir = with_plugin();
    let manifest = |host: &str| json!({"wasm": [{"path": "plugin.wasm"}], "allowed_hosts": [host]});
    if cfg!(feature = "http") {
        let ran = call(&dir, &manifest("*.example.com"), &[], "count_vowels").expect(0);
        assert!(ran.stderr.contains("the manifest allows HTTP requests to *.example.com"), "{}", ran.stderr);
        let all = call(&dir, &manifest("*"), &[], "count_vowels").expect(120);
        assert!(all.stderr.contains("`allowed_hosts` of the manifest"), "{}", all.stderr);
    } else {
        let ran = call(&dir, &manifest("example.com"), &[], "count_vowels").expect(120);
        assert!(ran.stderr.contains("cargo feature `http`"), "{}", ran.stderr);
    }
}

#[test]
fn what_is_no_manifest_is_refused_with_the_reason() {
    let dir = with_plugin();
    let one = json!([{"path": "plugin.wasm"}]);
    for (manifest, why) in [
        (json!([]), "it is not an object"),
        (json!({}), "no `wasm`"),
        (json!({"wasm": "plugin.wasm"}), "`wasm` is not a list"),
        (json!({"wasm": []}), "`wasm` has no module"),
        (json!({"wasm": [{}]}), "neither `path` nor `data`"),
        (json!({"wasm": [{"url": "https://example.org/a.wasm"}]}), "are not fetched"),
        (json!({"wasm": [{"path": "plugin.wasm"}, {"path": "plugin.wasm"}]}), "2 modules"),
        (json!({"wasm": [{"path": "gone.wasm"}]}), "gone.wasm"),
        (json!({"wasm": [{"path": 1}]}), "`path` is not a string"),
        (json!({"wasm": one, "memory": 1}), "`memory` is not an object"),
        (json!({"wasm": one, "memory": {"pages": 1}}), "unknown key `pages`"),
        (json!({"wasm": one, "timeout_ms": -1}), "`timeout_ms` is not a whole number"),
        (json!({"wasm": one, "config": {"a": 1}}), "`a` is not a string"),
        (json!({"wasm": one, "allowed_hosts": "x"}), "`allowed_hosts` is not a list"),
        (json!({"wasm": one, "wsam": 1}), "unknown key `wsam`"),
    ] {
        let ran = call(&dir, &manifest, &[], "count_vowels").expect(120);
        assert!(ran.stderr.contains(why), "{manifest}: {}", ran.stderr);
    }
    dir.write("manifest.json", "{");
    let broken = fuelbox_in(&dir.0, &["call", "manifest.json", "f"], b"").expect(120);
    assert!(broken.stderr.contains("no manifest: EOF"), "{}", broken.stderr);
    // What is null is not there.
    let nulls = json!({"wasm": one, "memory": null, "timeout_ms": null, "allowed_hosts": null, "config": {}});
    call(&dir, &nulls, &[], "count_vowels").expect(0);
}

#[test]
fn a_policy_makes_a_plugin_of_what_imports_nothing() {
    let dir = TempDir::new();
    dir.write("noop.wasm", wat(r#"(module (func (export "run") (result i32) (i32.const 0)))"#));
    dir.write("noop.toml", "convention = \"extism\"");
    let runner = Runner::new(runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{:?}", changes.failed);
    assert_eq!(runner.run("noop", Call::bytes("run", "in")).unwrap().result, Ok(vec![]));
}
