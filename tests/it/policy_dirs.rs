//! Policies that want directories which the server does not let them open, with a guest's help: it may write in
//! those that it does.

use crate::support::{TempDir, prebuilt};
use fuelbox::plugins::policy::{Policy, ServerPolicy, read};
use fuelbox::{Limits, Program};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// The policy that opens `path` to a plug-in, if `dirs_within` let it.
fn opened(path: &std::path::Path, dirs_within: &[PathBuf]) -> Result<Policy, String> {
    let rules = ServerPolicy { dirs_within: dirs_within.to_vec(), ..ServerPolicy::default() };
    let draft = read(&format!("dirs = [\"{}::/d\"]", path.display()), &rules).map_err(|at| at.what)?;
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let greet = Program::compile("greet", &greet, &Limits::default()).unwrap();
    Ok(draft.for_module(greet.info()).unwrap())
}

#[test]
fn a_directory_that_becomes_a_link_while_it_is_opened_leads_nowhere() {
    let (data, outside) = (TempDir::new(), TempDir::new());
    outside.write("secret", "s");
    let (there, other) = (data.0.join("d"), data.0.join("other"));
    std::fs::create_dir(&there).unwrap();
    symlink(&outside.0, &other).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let aside = data.0.join("aside");
            while !is_done.load(Ordering::Relaxed) {
                for (from, to) in [(&there, &aside), (&other, &there), (&aside, &other)] {
                    std::fs::rename(from, to).unwrap();
                }
            }
        });
        let mut escapes = 0;
        for _ in 0..2_000 {
            let policy = opened(&there, std::slice::from_ref(&data.0));
            escapes += usize::from(policy.is_ok_and(|policy| policy.guest_env.dirs[0].dir.exists("secret")));
        }
        is_done.store(true, Ordering::Relaxed);
        assert_eq!(escapes, 0);
    });
}

#[test]
fn a_directory_within_another_is_opened_by_way_of_that() {
    let (data, outside) = (TempDir::new(), TempDir::new());
    outside.write("secret", "s");
    let inner = data.0.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let settled = ServerPolicy::settle(&[inner.clone(), data.0.clone()]);
    assert!(opened(&inner, &settled).is_ok());
    // As a guest could that may write in the other.
    std::fs::remove_dir(&inner).unwrap();
    symlink(&outside.0, &inner).unwrap();
    for dirs_within in [settled, vec![inner.clone(), data.0.clone()]] {
        let refused = opened(&inner, &dirs_within).unwrap_err();
        assert!(refused.contains("is not inside a directory of --policy-dirs"), "{refused}");
    }
}

#[test]
fn a_directory_can_be_named_by_its_real_name_and_by_the_given_one() {
    let (data, names) = (TempDir::new(), TempDir::new());
    std::fs::create_dir(data.0.join("in")).unwrap();
    symlink(&data.0, names.0.join("given")).unwrap();
    let settled = ServerPolicy::settle(&[names.0.join("given")]);
    for path in [names.0.join("given"), names.0.join("given/in"), data.0.join("in")] {
        assert!(opened(&path, &settled).is_ok(), "{path:?}");
    }
}

#[test]
fn a_policy_tells_nothing_of_what_lies_outside() {
    let (data, outside) = (TempDir::new(), TempDir::new());
    outside.write("file", "");
    let name = outside.0.file_name().unwrap().to_str().unwrap();
    for (link, target) in [("here", format!("../{name}/file")), ("gone", format!("../{name}/none"))] {
        symlink(target, data.0.join(link)).unwrap();
    }
    let told = |path: PathBuf| {
        let what = opened(&path, std::slice::from_ref(&data.0)).unwrap_err();
        what.replace(path.to_str().unwrap(), "PATH")
    };
    let out = data.0.join("..").join(name);
    let expected = "PATH is not inside a directory of --policy-dirs, so policies cannot open it";
    for (there, absent) in [
        (outside.0.join("file"), outside.0.join("none")),
        (out.join("file"), out.join("none")),
        (data.0.join("here"), data.0.join("gone")),
    ] {
        assert_eq!((told(there), told(absent)), (expected.into(), expected.into()));
    }
}
