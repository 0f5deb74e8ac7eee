//! Former versions of plug-ins over HTTP: what is kept, how it is put back, and what is refused.

use crate::signatures::Signer;
use crate::site::{CALL, Site, giving, tag_of};
use crate::support::{TempDir, reload};
use fuelbox::base::limits::DoorLimits;
use fuelbox::{Limits, RunnerConfig};
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

const FOLDER: &str = ".fuelbox-versions";

fn keeping(most: usize) -> Site {
    Site::keeping(most, crate::support::runner_config(), DoorLimits::default())
}

impl Site {
    /// What the plug-in `n` gives.
    fn given(&self) -> String {
        self.client().send("POST", "/execute/n?func=f", b"").text().trim().to_string()
    }

    fn put(&self, n: i32) {
        assert!(self.send("PUT", "/plugins/n", &giving(n)).status < 300);
    }

    fn rollback(&self) -> u16 {
        self.send("POST", "/plugins/n/rollback", b"").status
    }

    fn versions(&self) -> Vec<Value> {
        let reply = self.send("GET", "/plugins/n/versions", b"");
        assert_eq!(reply.status, 200, "{}", reply.text());
        let listing: Value = serde_json::from_str(&reply.text()).unwrap();
        listing["versions"].as_array().unwrap().clone()
    }

    /// Whether each of the versions is the one in place, and what its module gives.
    fn numbers(&self) -> Vec<(bool, i32)> {
        let of = |digest: &str| (0..20).find(|n| tag_of(&giving(*n)) == format!("\"{digest}\"")).unwrap();
        let all = self.versions();
        all.iter().map(|it| (it["current"] == true, of(it["sha256"].as_str().unwrap()))).collect()
    }

    fn folder(&self) -> PathBuf {
        self.plugins.0.join(FOLDER).join("n")
    }
}

#[test]
fn a_version_is_kept_and_put_back_and_forth() {
    let site = keeping(3);
    assert_eq!(site.send("GET", "/plugins/n/versions", b"").status, 404);
    assert_eq!(site.send("POST", "/plugins/n/rollback", b"").problem(), "no-such-version");
    site.put(1);
    assert_eq!((site.rollback(), site.numbers()), (404, vec![(true, 1)]));
    site.put(2);
    assert_eq!(site.numbers(), [(true, 2), (false, 1)]);
    let back = site.send("POST", "/plugins/n/rollback", b"");
    assert_eq!((back.status, back.header("etag")), (204, Some(&*tag_of(&giving(1)))));
    assert_eq!((site.given(), site.numbers()), ("1".into(), vec![(true, 1), (false, 2)]));
    assert_eq!((site.rollback(), site.given()), (204, "2".into()), "and the rollback can be undone");
    assert!(reload(&site.runner).is_empty(), "nothing is loaded again, or from where versions are");
    let versions = site.versions();
    assert_eq!(versions[1]["size"], giving(1).len());
    assert_eq!((&versions[1]["policy"], &versions[0]["number"]), (&Value::Bool(false), &Value::Null));
    let time = versions[1]["deployed"].as_str().unwrap();
    assert!(humantime::parse_rfc3339(time).is_ok(), "{time}");
    let mode = std::fs::metadata(site.folder()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn as_many_are_kept_as_is_asked_for() {
    for most in [0, 1, 3] {
        let site = keeping(most);
        (1..=most as i32 + 2).for_each(|n| site.put(n));
        let kept = site.numbers();
        assert_eq!(kept.len(), most + 1, "{kept:?}");
        let newest = (1..=most as i32 + 2).rev().take(most + 1).enumerate().map(|(i, n)| (i == 0, n));
        assert_eq!(kept, newest.collect::<Vec<_>>());
        // There and back does not use them up.
        for _ in 0..4 {
            assert_eq!(site.rollback(), if most == 0 { 404 } else { 204 });
        }
        assert_eq!(site.numbers().len(), most + 1);
        // What is as before is not another version.
        site.put(7);
        (0..5).for_each(|_| site.put(7));
        assert_eq!(site.numbers().len(), most + 1);
        assert_eq!(site.folder().exists(), most > 0);
    }
}

#[test]
fn a_version_is_chosen_by_number_or_digest() {
    let site = keeping(5);
    (1..=4).for_each(|n| site.put(n));
    let versions = site.versions();
    let (number, digest) = (&versions[3]["number"], versions[2]["sha256"].as_str().unwrap());
    assert_eq!(number, 1);
    assert_eq!(site.send("POST", "/plugins/n/rollback?version=1", b"").status, 204);
    assert_eq!(site.given(), "1");
    assert_eq!(site.send("POST", &format!("/plugins/n/rollback?version={digest}"), b"").status, 204);
    assert_eq!(site.given(), "2");
    for (wrong, status) in [
        ("", 400),
        ("x", 400),
        ("../1", 400),
        ("..%2f1", 400),
        ("-1", 400),
        ("1%00", 400),
        ("18446744073709551616", 400),
        ("99", 404),
        ("0", 404),
        (&"0".repeat(64), 404),
        // The one in place is none to go back to.
        (digest, 404),
    ] {
        let reply = site.send("POST", &format!("/plugins/n/rollback?version={wrong}"), b"");
        assert_eq!(reply.status, status, "{wrong}: {}", reply.text());
    }
    assert_eq!(site.given(), "2");
    for name in ["..", "%2e%2e", ".fuelbox-versions", "a%2fb", "n%00"] {
        for (method, part) in [("GET", "versions"), ("DELETE", "versions"), ("POST", "rollback")] {
            let reply = site.send(method, &format!("/plugins/{name}/{part}"), b"");
            assert_eq!(reply.status, 400, "{method} {name}/{part}: {}", reply.text());
        }
    }
    assert_eq!(site.send("PUT", "/plugins/n/rollback", b"").status, 405);
    assert_eq!(site.send("POST", "/plugins/n/versions", b"").status, 405);
}

#[test]
fn policy_and_module_are_put_back_together() {
    let site = keeping(3);
    site.put(1);
    let policy = b"access = \"token\"\n";
    site.send("PUT", "/plugins/n/policy", policy);
    // As `fuelbox deploy --policy` does it.
    assert_eq!(site.send("PUT", "/plugins/n/policy", b"workers = 1\n").status, 204);
    assert_eq!(site.send("PUT", "/plugins/n?keep=no", &giving(2)).status, 204);
    assert_eq!(site.numbers(), [(true, 2), (false, 1), (false, 1)], "none of module 1 under the policy of 2");
    assert_eq!(site.given(), "2");
    assert_eq!(site.rollback(), 204);
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, 401, "it is locked, as it was");
    assert_eq!(site.send("GET", "/plugins/n/policy", b"").body, policy);
    // A policy that is removed comes back, and one that was not there goes.
    assert_eq!(site.send("DELETE", "/plugins/n/policy", b"").status, 204);
    assert_eq!((site.given(), site.rollback()), ("1".into(), 204));
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, 401);
    let oldest = site.versions().iter().find(|it| it["policy"] == false).unwrap()["number"].clone();
    assert_eq!(site.send("POST", &format!("/plugins/n/rollback?version={oldest}"), b"").status, 204);
    assert_eq!(site.given(), "1");
    assert_eq!(site.send("GET", "/plugins/n/policy", b"").status, 404);
}

#[test]
fn the_same_policy_again_keeps_the_version_for_the_module_that_follows() {
    let site = keeping(1);
    site.put(1);
    for policy in [&b"workers = 1\n"[..], b"workers = 2\n", b"workers = 2\n"] {
        assert!(site.send("PUT", "/plugins/n/policy", policy).status < 300);
    }
    assert_eq!(site.send("PUT", "/plugins/n?keep=no", &giving(2)).status, 204);
    assert_eq!((site.rollback(), site.given()), (204, "1".into()));
    assert_eq!(site.send("GET", "/plugins/n/policy", b"").body, b"workers = 2\n");
}

#[test]
fn what_was_removed_comes_back() {
    let site = keeping(3);
    site.put(1);
    site.send("PUT", "/plugins/n/policy", b"workers = 1\n");
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204);
    assert_eq!(site.files(), [FOLDER, "greet.wasm"]);
    assert_eq!(site.versions()[0]["current"], false);
    let created = site.send("POST", "/plugins/n/rollback", b"");
    assert_eq!((created.status, created.header("location")), (201, Some("/plugins/n")), "{}", created.text());
    assert_eq!(
        (site.given(), site.files()),
        ("1".into(), vec![FOLDER.into(), "greet.wasm".into(), "n.toml".into(), "n.wasm".into()])
    );
    assert_eq!(site.send("DELETE", "/plugins/n/versions", b"").status, 204);
    assert_eq!((site.rollback(), site.numbers()), (404, vec![(true, 1)]), "they can be removed for good");
    assert_eq!(site.send("DELETE", "/plugins/never/versions", b"").status, 404);
}

#[test]
fn conditions_and_tokens_are_as_for_a_deployment() {
    let site = keeping(3);
    site.put(1);
    site.put(2);
    let on = |field, value: &str| site.on("POST", "/plugins/n/rollback", &[(field, value)], b"").status;
    assert_eq!(on("If-Match", &tag_of(&giving(1))), 412);
    assert_eq!(on("If-Match", "rubbish"), 400);
    assert_eq!(on("If-None-Match", "*"), 412);
    assert_eq!(site.given(), "2");
    assert_eq!(on("If-Match", &tag_of(&giving(2))), 204);
    assert_eq!(site.given(), "1");
    for (method, part) in [("GET", "versions"), ("DELETE", "versions"), ("POST", "rollback")] {
        let target = format!("/plugins/n/{part}");
        assert_eq!(site.client().send(method, &target, b"").status, 401);
        let caller = format!("Bearer {CALL}");
        let reply = site.client().ask(method, &target, &[("Authorization", &caller)], b"");
        assert_eq!(reply.status, 403);
    }
    assert_eq!(site.given(), "1");
}

#[test]
fn what_would_not_serve_today_is_not_put_back() {
    let limits = Limits { module_bytes: 10_000, ..crate::support::runner_config().limits };
    let signer = Signer::new();
    let config = RunnerConfig { trusted_keys: vec![signer.key()], limits, ..crate::support::runner_config() };
    let site = Site::keeping(3, config, DoorLimits::default());
    for n in [1, 2] {
        assert_eq!(site.send("PUT", "/plugins/n/signature", signer.sign(&giving(n)).as_bytes()).status, 204);
        site.put(n);
    }
    let kept = std::fs::read_dir(site.folder()).unwrap().next().unwrap().unwrap().path();
    let signature = std::fs::read(kept.join("signature")).unwrap();
    // Its signature is by nobody who is trusted.
    std::fs::write(kept.join("signature"), Signer::new().sign(&giving(1))).unwrap();
    let refused = site.send("POST", "/plugins/n/rollback", b"");
    assert_eq!((refused.status, refused.problem()), (422, "would-not-serve".into()));
    assert_eq!((site.given(), site.numbers().len()), ("2".into(), 2), "and is still kept");
    std::fs::write(kept.join("signature"), &signature).unwrap();
    // Its module is another.
    let module = std::fs::read(kept.join("module")).unwrap();
    std::fs::write(kept.join("module"), giving(9)).unwrap();
    assert_eq!(site.rollback(), 500);
    std::fs::write(kept.join("module"), vec![0; 10_001]).unwrap();
    assert_eq!(site.rollback(), 422);
    std::fs::write(kept.join("module"), &module).unwrap();
    // Its policy asks for more than there is.
    std::fs::write(kept.join("policy"), "dirs = [\"/\"]\n").unwrap();
    let refused = site.send("POST", "/plugins/n/rollback", b"");
    assert_eq!(refused.status, 422, "{}", refused.text());
    std::fs::write(kept.join("policy"), "x".repeat(1 << 20)).unwrap();
    assert_eq!(site.rollback(), 500);
    std::fs::remove_file(kept.join("policy")).unwrap();
    assert_eq!(site.given(), "2");
    assert!(site.files().iter().all(|name| !name.ends_with(".tmp")), "{:?}", site.files());
    assert_eq!((site.rollback(), site.given()), (204, "1".into()));
    assert_eq!((site.rollback(), site.given()), (204, "2".into()), "each with its signature");
}

#[test]
fn no_link_leads_to_or_from_the_versions() {
    let outside = TempDir::new();
    let secret = outside.write("module", giving(3));
    outside.write("policy", "secret");
    // The folder of all, the folder of one plug-in, a version, and a file of a version.
    for depth in 0..4 {
        let site = keeping(3);
        site.put(1);
        if depth > 0 {
            site.put(2);
        }
        let folder = site.folder();
        let version = || std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let (link, target) = match depth {
            0 => (site.plugins.0.join(FOLDER), outside.0.clone()),
            1 => (folder.clone(), outside.0.clone()),
            2 => (version(), outside.0.clone()),
            _ => (version().join("module"), secret.clone()),
        };
        if link.is_dir() {
            std::fs::remove_dir_all(&link).unwrap();
        } else {
            let _ = std::fs::remove_file(&link);
        }
        symlink(&target, &link).unwrap();
        let before = site.given();
        let rolled = site.send("POST", "/plugins/n/rollback", b"");
        assert!(matches!(rolled.status, 404 | 500 | 422), "{depth}: {} {}", rolled.status, rolled.text());
        assert_eq!(site.given(), before, "{depth}");
        let listing = site.send("GET", "/plugins/n/versions", b"");
        assert!(matches!(listing.status, 200 | 500), "{depth}: {}", listing.text());
        // A folder of versions that is none is no reason to lose a version.
        let put = site.send("PUT", "/plugins/n", &giving(5)).status;
        assert_eq!(put, if depth < 2 { 500 } else { 204 }, "{depth}");
        site.send("DELETE", "/plugins/n/versions", b"");
        assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204, "{depth}: removing goes on");
        let left: Vec<_> = std::fs::read_dir(&outside.0).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{depth}: {left:?}");
    }
}

#[test]
fn rubbish_among_the_versions_is_passed_over() {
    let site = keeping(2);
    site.put(1);
    site.put(2);
    let digest = tag_of(&giving(1)).replace('"', "");
    for name in ["x", "1-x", "0000000009", &format!("1-{digest}"), &format!("0000000009-{}", &digest[1..])] {
        std::fs::create_dir(site.folder().join(name)).unwrap();
    }
    // An empty version, a file, and a number that is as high as it can be.
    std::fs::create_dir(site.folder().join(format!("0000000009-{digest}"))).unwrap();
    std::fs::write(site.folder().join(format!("0000000008-{digest}")), "x").unwrap();
    std::fs::create_dir(site.folder().join("unfinished")).unwrap();
    std::fs::write(site.folder().join("unfinished/module"), "x").unwrap();
    assert_eq!(site.numbers(), [(true, 2), (false, 1)]);
    site.put(3);
    assert_eq!(site.numbers(), [(true, 3), (false, 2), (false, 1)]);
    let digest = tag_of(&giving(4)).replace('"', "");
    let highest = site.folder().join(format!("{}-{digest}", u64::MAX));
    std::fs::create_dir(&highest).unwrap();
    std::fs::write(highest.join("module"), giving(4)).unwrap();
    let put = site.send("PUT", "/plugins/n", &giving(5));
    assert!(matches!(put.status, 204 | 500), "{}", put.text());
    assert!(site.send("GET", "/plugins/n/versions", b"").status == 200);
}

#[test]
fn what_is_not_done_leaves_no_second_copy() {
    let site = keeping(3);
    site.put(1);
    site.put(2);
    // A folder is in the way of the module: it can neither be read nor replaced by a rename.
    let module = site.plugins.0.join("n.wasm");
    let policy = site.plugins.0.join("n.toml");
    std::fs::create_dir_all(policy.join("x")).unwrap();
    assert!(site.send("PUT", "/plugins/n/policy", b"workers = 1\n").status >= 400);
    assert!(site.send("PUT", "/plugins/n", &giving(3)).status >= 400);
    assert_eq!(std::fs::read_dir(site.folder()).unwrap().count(), 1);
    std::fs::remove_dir_all(&policy).unwrap();
    assert_eq!(std::fs::read(&module).unwrap(), giving(2));
    assert_eq!(site.numbers(), [(true, 2), (false, 1)]);
}

#[test]
fn without_room_for_the_version_before_nothing_changes() {
    let site = keeping(3);
    site.put(1);
    // What is in the way is no folder.
    site.plugins.write(FOLDER, "x");
    let refused = site.send("PUT", "/plugins/n", &giving(2));
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(refused.text().contains("versions"), "{}", refused.text());
    assert!(!refused.text().contains(site.plugins.0.to_str().unwrap()), "{}", refused.text());
    assert_eq!(site.given(), "1");
    assert_eq!(site.send("PUT", "/plugins/n/policy", b"workers = 1\n").status, 500);
    assert_eq!(site.files(), [FOLDER, "greet.wasm", "n.wasm"]);
    assert_eq!(site.send("PUT", "/plugins/n?keep=no", &giving(2)).status, 204);
    assert_eq!(site.send("PUT", "/plugins/new", &giving(2)).status, 201, "there is nothing to keep");
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204);
}
