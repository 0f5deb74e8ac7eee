//! Links in the plug-in folder: within it they are followed, and what lies outside is neither served nor read back. And
//! names that are another plug-in's file.

use crate::site::{Site, giving};
use crate::support::{TempDir, fuelbox_in, prebuilt, reload};
use fuelbox::base::limits::DoorLimits;
use fuelbox::plugins::files::read_module;
use fuelbox::plugins::signature::TrustedKey;
use fuelbox::{Limits, Runner, RunnerConfig};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// What no client is to see.
const SECRET: &str = "access = \"open\" # secret-0123456789";

/// Looks at the folder until nothing changes any more; gives what is refused.
fn settle(site: &Site) -> Vec<String> {
    (0..4).for_each(|_| drop(reload(&site.runner)));
    site.runner.plugins().refused().into_values().collect()
}

#[test]
fn a_module_behind_a_link_that_leads_out_is_neither_served_nor_read_back() {
    let site = Site::new();
    let outside = TempDir::new();
    outside.write("out.wasm", giving(7));
    outside.write("secret", SECRET);
    symlink(outside.0.join("out.wasm"), site.plugins.0.join("absolute.wasm")).unwrap();
    let up = format!("../{}/out.wasm", outside.0.file_name().unwrap().to_str().unwrap());
    symlink(&up, site.plugins.0.join("relative.wasm")).unwrap();
    symlink(outside.0.join("secret"), site.plugins.0.join("secret.wasm")).unwrap();
    symlink("relative.wasm", site.plugins.0.join("chain.wasm")).unwrap();
    symlink(&outside.0, site.plugins.0.join("folder")).unwrap();
    symlink("folder/out.wasm", site.plugins.0.join("through.wasm")).unwrap();
    symlink("/dev/zero", site.plugins.0.join("device.wasm")).unwrap();
    symlink("/proc/self/environ", site.plugins.0.join("environ.wasm")).unwrap();
    let refused = settle(&site);
    assert_eq!(refused.len(), 7, "{refused:#?}");
    assert!(refused.iter().all(|why| why.contains("a link that leads out of the folder")), "{refused:#?}");
    for name in ["absolute", "relative", "secret", "chain", "through", "device", "environ"] {
        assert_eq!(site.send("POST", &format!("/execute/{name}?func=f"), b"").status, 404, "{name}");
        let read = site.send("GET", &format!("/plugins/{name}"), b"");
        assert_eq!((read.status, read.problem()), (422, "would-not-serve".into()), "{name}");
        assert!(read.text().contains("a link that leads out of the folder"), "{}", read.text());
        assert!(!read.text().contains("secret-") && !read.text().contains("/tmp"), "{}", read.text());
    }
    assert!(!site.send("GET", "/plugins", b"").text().contains("secret-"));
    // What replaces or removes the link leaves alone where it leads.
    assert_eq!(site.send("PUT", "/plugins/absolute", &giving(1)).status, 204);
    assert_eq!(site.send("POST", "/execute/absolute?func=f", b"").text(), "1\n");
    assert!(!site.plugins.0.join("absolute.wasm").is_symlink());
    assert_eq!(site.send("DELETE", "/plugins/relative", b"").status, 204);
    assert_eq!(std::fs::read(outside.0.join("out.wasm")).unwrap(), giving(7));
    // Nor does the command line find it among the plug-ins; by its own path, a file is whoever's.
    let folder = site.plugins.0.to_str().unwrap();
    let ran = fuelbox_in(&outside.0, &["run", "--plugins", folder, "chain", "f"], b"").expect(120);
    assert!(!ran.stderr.contains("7"), "{ran:#?}");
    symlink("out.wasm", outside.0.join("own.wasm")).unwrap();
    assert_eq!(fuelbox_in(&outside.0, &["run", "own.wasm", "f"], b"").expect(0).text(), "7\n");
    let through = site.plugins.0.join("through.wasm");
    assert_eq!(fuelbox_in(&outside.0, &["run", through.to_str().unwrap(), "f"], b"").expect(0).text(), "7\n");
}

#[test]
fn a_policy_behind_a_link_that_leads_out_opens_nothing_and_is_not_read_back() {
    let site = Site::new();
    let outside = TempDir::new();
    let target = outside.write("secret", SECRET);
    symlink(&target, site.plugins.0.join("greet.toml")).unwrap();
    symlink(&target, site.plugins.0.join("later.toml")).unwrap();
    site.plugins.write("later.wasm", giving(1));
    let refused = settle(&site);
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused.iter().all(|why| why.contains("a link that leads out of the folder")), "{refused:#?}");
    // What served before goes on; what was not there does not begin.
    assert_eq!(site.send("POST", "/execute/greet", b"x").status, 200);
    assert_eq!(site.send("POST", "/execute/later?func=f", b"").status, 404);
    for name in ["greet", "later"] {
        let read = site.send("GET", &format!("/plugins/{name}/policy"), b"");
        assert_eq!(read.status, 422, "{}", read.text());
        assert!(!read.text().contains("secret-"), "{}", read.text());
        assert_eq!(site.send("PUT", &format!("/plugins/{name}"), &giving(2)).status, 422);
    }
    assert_eq!(site.send("PUT", "/plugins/later/policy", b"access = \"token\"").status, 204);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), SECRET);
    assert_eq!(site.client().send("POST", "/execute/later?func=f", b"").status, 401);
}

#[test]
fn a_signature_behind_a_link_that_leads_out_is_none() {
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let signed = minisign::sign(None, &keys.sk, &giving(1)[..], None, None).unwrap().into_string();
    let key = TrustedKey::parse(&keys.pk.to_base64()).unwrap();
    let dir = TempDir::new();
    let outside = TempDir::new();
    let target = outside.write("signature", signed);
    dir.write("x.wasm", giving(1));
    symlink(&target, dir.0.join("x.wasm.minisig")).unwrap();
    let runner =
        Runner::new(RunnerConfig { trusted_keys: vec![key], ..crate::support::runner_config() }).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    let why = changes.failed.first().map(ToString::to_string).unwrap_or_default();
    assert!(why.contains("a link that leads out of the folder"), "{changes:?}");
    // The same within the folder is one.
    std::fs::copy(&target, dir.0.join("..signature")).unwrap();
    std::fs::remove_file(dir.0.join("x.wasm.minisig")).unwrap();
    symlink("..signature", dir.0.join("x.wasm.minisig")).unwrap();
    reload(&runner);
    assert!(runner.plugins().get("x").is_ok());
}

/// As Kubernetes mounts a ConfigMap: each file is a link by way of one that is changed for all at once.
#[test]
fn links_within_the_folder_are_followed_and_a_change_behind_them_is_one() {
    let site = Site::new();
    let root = &site.plugins.0;
    for (version, gives, policy) in
        [("..2026_1", 1, "access = \"open\""), ("..2026_2", 2, "access = \"token\"")]
    {
        std::fs::create_dir(root.join(version)).unwrap();
        std::fs::write(root.join(version).join("x.wasm"), giving(gives)).unwrap();
        std::fs::write(root.join(version).join("x.toml"), policy).unwrap();
    }
    symlink("..2026_1", root.join("..data")).unwrap();
    symlink("..data/x.wasm", root.join("x.wasm")).unwrap();
    symlink("..data/x.toml", root.join("x.toml")).unwrap();
    assert!(settle(&site).is_empty());
    assert_eq!(site.client().send("POST", "/execute/x?func=f", b"").text(), "1\n");
    assert_eq!(site.send("GET", "/plugins/x", b"").body, giving(1));
    assert_eq!(site.send("GET", "/plugins/x/policy", b"").text(), "access = \"open\"");
    symlink("..2026_2", root.join("..data_tmp")).unwrap();
    std::fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    assert!(settle(&site).is_empty());
    assert_eq!(site.client().send("POST", "/execute/x?func=f", b"").status, 401);
    assert_eq!(site.send("POST", "/execute/x?func=f", b"").text(), "2\n");
    // A folder that is itself a link is whoever's who named it.
    let elsewhere = TempDir::new();
    symlink(root, elsewhere.0.join("plugins")).unwrap();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let changes = runner.load_plugins(elsewhere.0.join("plugins")).unwrap();
    assert_eq!((changes.loaded.len(), changes.failed.len()), (2, 0), "{changes:?}");
}

#[test]
fn what_is_no_file_is_not_opened_behind_a_link_either() {
    let site = Site::new();
    let fifo = site.plugins.0.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::fs::create_dir(site.plugins.0.join("dir")).unwrap();
    for (target, name) in [("fifo", "a.wasm"), ("dir", "b.wasm"), ("fifo", "greet.toml")] {
        symlink(target, site.plugins.0.join(name)).unwrap();
    }
    let refused = settle(&site);
    assert_eq!(refused.len(), 3, "{refused:#?}");
    assert!(refused.iter().all(|why| why.contains("not a regular file")), "{refused:#?}");
    symlink("loop.wasm", site.plugins.0.join("loop.wasm")).unwrap();
    std::fs::create_dir(site.plugins.0.join("c.wasm")).unwrap();
    for target in ["/plugins/a", "/plugins/b", "/plugins/c", "/plugins/loop", "/plugins/greet/policy"] {
        let reply = site.send("GET", target, b"");
        assert_eq!(reply.status, 422, "{target}: {}", reply.text());
        assert!(!reply.text().contains(site.plugins.0.to_str().unwrap()), "{}", reply.text());
    }
}

/// A link that is changed while it is looked up leads out no more than one that stays.
#[test]
fn a_link_that_changes_all_the_time_never_leads_out() {
    let (dir, outside) = (TempDir::new(), TempDir::new());
    dir.write("inside", giving(1));
    let target = outside.write("outside", giving(2));
    let path = dir.0.join("x.wasm");
    let put = |target: &Path, n: usize| {
        let new = dir.0.join(format!("new-{}", n % 2));
        symlink(target, &new).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    put(Path::new("inside"), 0);
    /// Also where a check fails.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                put(&target, n);
                put(Path::new("inside"), n);
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let _stop = Stop(&stop);
        let mut seen = [0, 0];
        for _ in 0..20_000 {
            match read_module(&path, &Limits::default()) {
                Ok(bytes) => {
                    assert_eq!(bytes, giving(1));
                    seen[0] += 1;
                }
                Err(_) => seen[1] += 1,
            }
        }
        assert!(seen[0] > 0, "{seen:?}");
    });
}

#[test]
fn no_plugin_has_the_name_of_anothers_file() {
    let site = Site::with(crate::support::runner_config(), DoorLimits::default());
    assert_eq!(site.send("PUT", "/plugins/x", &giving(1)).status, 201);
    assert_eq!(site.send("PUT", "/plugins/x/policy", b"access = \"token\"").status, 201);
    for (method, target) in [
        ("PUT", "/plugins/x.wasm.wasm"),
        ("PUT", "/plugins/x.wasm.wasm.wasm"),
        ("PUT", "/plugins/x%2ewasm.wasm"),
        ("PUT", "/plugins/x.wasm.wasm/policy"),
        ("GET", "/plugins/x.wasm.wasm"),
        ("DELETE", "/plugins/y.wasm.wasm"),
    ] {
        let reply = site.send(method, target, &giving(2));
        assert_eq!(reply.status, 400, "{method} {target}: {}", reply.text());
    }
    assert_eq!(site.files(), ["greet.wasm", "x.toml", "x.wasm"]);
    // By the folder, too.
    site.plugins.write("x.wasm.wasm", giving(2));
    std::fs::copy(prebuilt("greet.wasm"), site.plugins.0.join("y.wasm.wasm")).unwrap();
    let refused = settle(&site);
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused.iter().all(|why| why.contains("does not end in .wasm")), "{refused:#?}");
    for name in ["x", "x.wasm"] {
        assert_eq!(site.client().send("POST", &format!("/execute/{name}?func=f"), b"").status, 401);
    }
    assert_eq!(site.client().send("POST", "/execute/y.wasm", b"").status, 404);
}
