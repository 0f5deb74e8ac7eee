//! Deployment over HTTP: what is refused and why, conditions, and who gets in when.

use crate::site::{DEPLOY, Site, giving, tag_of, token_file};
use crate::support::{Client, Serve, TempDir, prebuilt, reload, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::{Limits, RunnerConfig};
use std::time::Duration;

#[test]
fn a_module_is_put_replaced_read_and_removed() {
    let site = Site::new();
    let call = || site.client().send("POST", "/execute/n?func=f", b"");
    let created = site.send("PUT", "/plugins/n", &giving(1));
    assert_eq!((created.status, created.header("location")), (201, Some("/plugins/n")), "{}", created.text());
    assert_eq!(created.header("etag"), Some(&*tag_of(&giving(1))));
    assert_eq!(call().text(), "1\n", "it serves at once");
    let replaced = site.send("PUT", "/plugins/n.wasm", &giving(2));
    assert_eq!((replaced.status, replaced.header("etag")), (204, Some(&*tag_of(&giving(2)))));
    assert_eq!(call().text(), "2\n");
    assert!(reload(&site.runner).is_empty(), "and is not loaded again");
    let read = site.send("GET", "/plugins/n", b"");
    assert_eq!((read.status, read.body.clone()), (200, giving(2)));
    assert_eq!(
        (read.header("content-type"), read.header("etag")),
        (Some("application/wasm"), Some(&*tag_of(&giving(2))))
    );
    assert_eq!(site.send("HEAD", "/plugins/n", b"").status, 200);
    let listed = site.client().send("GET", "/plugins", b"").text();
    assert!(listed.contains(&tag_of(&giving(2)).replace('"', "")), "{listed}");
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204);
    assert_eq!(call().status, 404);
    assert_eq!(site.send("GET", "/plugins/n", b"").status, 404);
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 404);
    assert_eq!(site.files(), ["greet.wasm"]);
}

#[test]
fn built_in_guests_cannot_be_changed() {
    let dir = TempDir::new();
    let tokens = token_file(&dir, DEPLOY);
    let server = Serve::start(&dir.0, &["--token-file", tokens.to_str().unwrap()]);
    let bearer = format!("Bearer {DEPLOY}");
    let reply =
        Client::connect(server.address).ask("PUT", "/plugins/x", &[("Authorization", &bearer)], &giving(1));
    assert_eq!((reply.status, reply.problem()), (409, "no-folder".into()));
}

#[test]
fn without_tokens_it_is_said_what_is_missing() {
    let (dir, plugins) = (TempDir::new(), TempDir::new());
    let server = Serve::start(&dir.0, &["--plugins", plugins.0.to_str().unwrap()]);
    for (method, target) in [("PUT", "/plugins/x"), ("GET", "/plugins/x"), ("POST", "/plugins/x/rollback")] {
        let reply = Client::connect(server.address).ask(method, target, &[], b"x");
        assert_eq!((reply.status, reply.problem()), (404, "no-such-route".into()));
        assert!(reply.text().contains("serve --token-file FILE"), "{}", reply.text());
    }
}

#[test]
fn only_plain_names_reach_the_file_system() {
    let site = Site::new();
    let long = "a".repeat(64);
    for name in ["a", "A9", "a.b", "a-b_c", "0", "a..b", &long] {
        assert_eq!(site.send("PUT", &format!("/plugins/{name}"), &giving(1)).status, 201, "{name}");
        assert_eq!(
            site.client().send("POST", &format!("/execute/{name}?func=f"), b"").text(),
            "1\n",
            "{name}"
        );
        assert_eq!(site.send("DELETE", &format!("/plugins/{name}"), b"").status, 204, "{name}");
    }
    for name in [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "_a",
        "%2e%2e",
        "..%2f..%2fetc",
        "a%2fb",
        "a%00",
        "a%0a",
        "%c3%a9",
        "%ff",
        "a b",
        "a+b",
        "a~",
        &"a".repeat(65),
        ".fuelbox-0.tmp",
        ".wasm",
        "a%5cb",
    ] {
        let reply = site.send("PUT", &format!("/plugins/{}", name.replace(' ', "%20")), &giving(1));
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
    }
    for target in ["/plugins/a/b", "/plugins/a/policy/x", "/plugins/a/", "/plugins/../../x"] {
        let status = site.send("PUT", target, &giving(1)).status;
        assert!(status == 404 || status == 400, "{target}: {status}");
    }
    assert_eq!(site.files(), ["greet.wasm"]);
}

#[test]
fn what_would_not_serve_replaces_nothing() {
    let site = Site::new();
    let mut cut = std::fs::read(prebuilt("greet.wasm")).unwrap();
    cut.pop();
    for (module, expected) in [
        (vec![], "not a WebAssembly module"),
        (b"rubbish".to_vec(), "not a WebAssembly module"),
        (cut, "invalid module"),
        (wat("(module (import \"env\" \"launch\" (func)))"), "imports `env.launch`"),
        (wat("(module (memory 321))"), "declares 321 pages"),
        (wat("(module (func $f unreachable) (start $f))"), "instantiation failed: guest trapped"),
        (wat("(module (memory 1) (data (i32.const 65536) \"x\"))"), "instantiation failed"),
    ] {
        let refused = site.send("PUT", "/plugins/greet", &module);
        assert_eq!((refused.status, refused.problem()), (422, "would-not-serve".into()));
        assert!(refused.text().contains(expected), "{expected}: {}", refused.text());
        assert!(!refused.text().contains(site.plugins.0.to_str().unwrap()), "{}", refused.text());
    }
    assert_eq!(site.client().send("POST", "/execute/greet", b"x").text(), "Hello, x");
    assert_eq!(site.files(), ["greet.wasm"]);
    assert!(reload(&site.runner).is_empty());
    site.send("PUT", "/plugins/greet/policy", b"functions = [\"greet\"]");
    let refused = site.send("PUT", "/plugins/greet", &giving(1));
    assert!(refused.text().contains("its policy, 1:14: the module exports no function `greet`"));
}

#[test]
fn a_start_that_spins_is_stopped_and_refused() {
    let limits = Limits { deadline: Some(Duration::from_millis(100)), ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    let spin = wat("(module (func $f (loop $l (br $l))) (start $f))");
    let refused = site.send("PUT", "/plugins/spin", &spin);
    assert!(refused.status == 422 && refused.text().contains("deadline"), "{}", refused.text());
}

#[test]
fn conditions_are_kept() {
    let site = Site::new();
    let (one, two) = (tag_of(&giving(1)), tag_of(&giving(2)));
    let put = |fields: &[(&str, &str)], n: i32| site.on("PUT", "/plugins/n", fields, &giving(n)).status;
    assert_eq!(put(&[("If-Match", "*")], 1), 412, "nothing is there");
    assert_eq!(put(&[("If-Match", &one)], 1), 412);
    assert_eq!(put(&[("If-None-Match", "*")], 1), 201);
    assert_eq!(put(&[("If-None-Match", "*")], 2), 412);
    assert_eq!(put(&[("If-None-Match", &one)], 2), 412);
    assert_eq!(put(&[("If-Match", &two)], 2), 412);
    assert_eq!(put(&[("If-Match", &format!("W/{one}"))], 2), 412, "a weak tag is no strong one");
    assert_eq!(put(&[("If-Match", "rubbish")], 2), 400);
    assert_eq!(put(&[("If-Match", &format!("\"x\", {one}"))], 2), 204);
    assert_eq!(put(&[("If-Match", "\"x\""), ("If-Match", &two)], 2), 204, "two lines are one list");
    let get = |fields: &[(&str, &str)]| site.on("GET", "/plugins/n", fields, b"");
    let cached = get(&[("If-None-Match", &format!("W/{two}"))]);
    assert_eq!((cached.status, cached.header("etag")), (304, Some(&*two)));
    assert_eq!(get(&[("If-None-Match", &one)]).status, 200);
    assert_eq!(get(&[("If-Match", &one)]).status, 412);
    let delete = |tag: &str| site.on("DELETE", "/plugins/n", &[("If-Match", tag)], b"").status;
    assert_eq!((delete(&one), delete(&two)), (412, 204));
}

#[test]
fn of_two_who_read_the_same_version_one_is_told() {
    let site = Site::new();
    site.send("PUT", "/plugins/n", &giving(0));
    let tag = tag_of(&giving(0));
    let bearer = format!("Bearer {DEPLOY}");
    let fields = [("Authorization", &*bearer), ("If-Match", &*tag)];
    let clients: Vec<Client> = (0..4).map(|_| site.client()).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let put = |mut client: Client, n| client.ask("PUT", "/plugins/n", &fields, &giving(n)).status;
        let puts = clients.into_iter().zip(1..).map(|(client, n)| scope.spawn(move || put(client, n)));
        let puts: Vec<_> = puts.collect();
        puts.into_iter().map(|put| put.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 3, "{statuses:?}");
}

#[test]
fn a_policy_is_put_and_removed_by_itself() {
    let site = Site::new();
    let policy = |method: &str, body: &str| site.send(method, "/plugins/greet/policy", body.as_bytes());
    assert_eq!(policy("GET", "").status, 404);
    let created = policy("PUT", "limits.fuel = 10\n");
    assert_eq!((created.status, created.header("location")), (201, Some("/plugins/greet/policy")));
    assert_eq!(site.client().send("POST", "/execute/greet", b"x").problem(), "out-of-fuel");
    for (wrong, expected) in [
        ("limits.fule = 1", "its policy, 1:8: unknown field `fule`"),
        ("functions = [\"bye\"]", "its policy, 1:14: the module exports no function `bye`"),
        ("dirs = [\"/::/\"]", "its policy, 1:9: / is not inside a directory of --policy-dirs"),
        ("limits.fuel = 9999999999999", "more than the server's --fuel"),
        ("", "the policy is empty"),
    ] {
        let refused = policy("PUT", wrong);
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.text().contains(expected), "{}", refused.text());
    }
    let read = policy("GET", "");
    assert_eq!(
        (read.text(), read.header("etag")),
        ("limits.fuel = 10\n".into(), Some(&*tag_of(b"limits.fuel = 10\n")))
    );
    assert_eq!(site.on("DELETE", "/plugins/greet/policy", &[("If-Match", "\"x\"")], b"").status, 412);
    assert_eq!(policy("DELETE", "").status, 204);
    assert_eq!(policy("DELETE", "").status, 404);
    assert_eq!(site.client().send("POST", "/execute/greet", b"x").text(), "Hello, x");
    // One that waits for its module.
    assert_eq!(site.send("PUT", "/plugins/later/policy", b"functions = [\"g\"]").status, 201);
    assert_eq!(site.send("PUT", "/plugins/later", &giving(1)).status, 422);
    assert_eq!(
        site.send("PUT", "/plugins/later/policy", b"functions = [\"f\"]\naccess = \"token\"").status,
        204
    );
    assert_eq!(site.send("PUT", "/plugins/later", &giving(1)).status, 201);
    assert_eq!(site.client().send("POST", "/execute/later", b"").status, 401);
    assert_eq!(site.send("DELETE", "/plugins/later", b"").status, 204);
    assert_eq!(site.files(), ["greet.wasm"]);
    assert_eq!(policy("PUT", "\u{0}").status, 422);
    assert_eq!(site.send("PUT", "/plugins/greet/policy", b"\xff").status, 422);
    assert_eq!(site.send("PUT", "/plugins/greet/policy", &vec![b'#'; 65_537]).status, 422);
}

#[test]
fn an_operator_gets_in_when_guests_have_all_places() {
    let limits = Limits { deadline: Some(Duration::from_secs(20)), ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    std::fs::copy(prebuilt("infinite-loop.wasm"), site.plugins.0.join("spin.wasm")).unwrap();
    reload(&site.runner);
    let mut spinning: Vec<Client> = (0..2).map(|_| site.client()).collect();
    for client in &mut spinning {
        use std::io::Write;
        client
            .0
            .write_all(b"POST /execute/spin?func=spin HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    }
    // A third finds no place: both spin.
    while site.client().send("POST", "/execute/greet", b"x").status != 503 {}
    assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201);
    assert_eq!(site.send("DELETE", "/plugins/spin", b"").status, 204);
    assert_eq!(site.client().send("GET", "/healthz", b"").status, 200);
    drop(spinning);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_so() {
    let site = Site::new();
    std::fs::remove_dir_all(&site.plugins.0).unwrap();
    let reply = site.send("PUT", "/plugins/n", &giving(1));
    assert_eq!((reply.status, reply.problem()), (500, "internal".into()), "{}", reply.text());
    assert!(!reply.text().contains(site.plugins.0.to_str().unwrap()), "{}", reply.text());
    std::fs::create_dir(&site.plugins.0).unwrap();
    assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201);
}

#[test]
fn what_cannot_be_read_can_be_replaced_and_removed() {
    let limits = Limits { module_bytes: 1_000, ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    for method in ["PUT", "DELETE"] {
        site.plugins.write("n.wasm", vec![0; 1_001]);
        site.plugins.write("n.toml", b"\xff");
        assert_eq!(site.send("GET", "/plugins/n", b"").status, 422);
        assert_eq!(site.on(method, "/plugins/n", &[("If-None-Match", "*")], &giving(1)).status, 412);
        if method == "PUT" {
            // Its policy is in the way, and no one can say what it would allow.
            assert_eq!(site.send(method, "/plugins/n", &giving(1)).status, 500);
            assert_eq!(site.send("PUT", "/plugins/n/policy", b"warm = 1").status, 422);
            std::fs::remove_file(site.plugins.0.join("n.toml")).unwrap();
        }
        assert_eq!(site.send(method, "/plugins/n", &giving(1)).status, 204);
    }
    assert_eq!(site.files(), ["greet.wasm"]);
}
