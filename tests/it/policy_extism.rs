//! What a policy gives to plug-ins made for Extism: configuration.

use crate::support::{Server, TempDir, prebuilt};
use fuelbox::Runner;

fn served(dir: &TempDir) -> Server {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    Server::with(runner)
}

#[test]
fn configuration_comes_from_the_policy() {
    let dir = TempDir::new();
    for name in ["bare", "set"] {
        std::fs::copy(prebuilt("extism-c.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
    }
    dir.write(
        "set.toml",
        "convention = \"extism\"\nfunctions = [\"count_vowels\"]\n\n[config]\nvowels = \"lo\"\n",
    );
    let server = served(&dir);
    let count = |target: &str| {
        let reply = server.send("POST", target, b"Hello, World!");
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!(count("/execute/bare?func=count_vowels"), 3);
    // The only function needs no name.
    assert_eq!(count("/execute/set"), 5);
}
