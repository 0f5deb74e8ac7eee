//! Ways out of a directory: `..`, absolute paths, links at the end and in the middle, hard links and renames
//! between directories, and links that change during a call.

use crate::support::TempDir;
use crate::wasi_dirs::{
    APPEND, CREAT, DIRECTORY, EXCL, FOLLOW, OUT, READ, TRUNC, WRITE, number, open, open_with, out, tree,
    with_path, with_paths, world_with, write,
};
use crate::wasi_world::World;
use fuelbox::Limits;
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::{Call, fd, path, readdir, stat};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const SECRET: &[u8] = b"the canary sings";

/// A folder that holds `outside/` with the canary, and `inside/`, which the guest gets.
struct Nest {
    dir: TempDir,
}

impl Nest {
    fn new() -> Nest {
        let dir = TempDir::new();
        std::fs::create_dir_all(dir.0.join("outside/dir/deep")).unwrap();
        std::fs::create_dir_all(dir.0.join("inside/sub/deep")).unwrap();
        for name in ["outside/canary", "outside/dir/file", "beside"] {
            dir.write(name, SECRET);
        }
        dir.write("inside/file", "file");
        dir.write("inside/sub/file", "file");
        let nest = Nest { dir };
        let outside = nest.path("outside");
        for (name, target) in [
            ("abs-file", outside.join("canary")),
            ("abs-dir", outside.clone()),
            ("abs-root", PathBuf::from("/")),
            ("rel-file", "../outside/canary".into()),
            ("rel-dir", "../outside".into()),
            ("rel-new", "../outside/new".into()),
            ("up", "..".into()),
            ("sub/up-up", "../..".into()),
            ("sub/deep/to-up", "../../up".into()),
            ("to-rel", "rel-file".into()),
            ("to-abs", "abs-dir".into()),
            ("self-root", "/proc/self/root".into()),
            ("self-cwd", "/proc/self/cwd".into()),
            ("self-fd", "/proc/self/fd/0".into()),
            ("loop", "loop".into()),
        ] {
            symlink(target, nest.path("inside").join(name)).unwrap();
        }
        nest
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.0.join(name)
    }

    /// Everything that a guest must never change; the folder itself by its time of change.
    fn outside(&self) -> Vec<String> {
        let mut all: Vec<String> =
            tree(&self.path("outside")).into_iter().map(|e| format!("{e:?}")).collect();
        all.push(format!("{:?}", std::fs::metadata(&self.dir.0).unwrap().modified().unwrap()));
        all.push(format!("{:?}", tree(&self.path("beside"))));
        all
    }
}

/// Paths that lead out, or through something outside, whether the last link is followed or not.
#[rustfmt::skip]
const OUT_OF_IT: [&str; 42] = [
    "/", "/proc/self/root/etc/passwd", "..", "../", "../.", "../..", "../beside", "../outside/canary",
    "./../beside", "sub/../../beside", "sub/../..", "sub/../../", "sub/deep/../../../outside/canary",
    "sub/./.././../beside", "sub//..//..//beside", "up/beside", "up/", "up/.", "up/inside/file", "up/..",
    "sub/up-up/beside", "sub/deep/to-up/beside", "rel-dir/canary", "rel-dir/", "rel-dir/.", "rel-dir/..",
    "rel-dir/dir/file", "rel-dir/new", "abs-dir/canary", "abs-dir/", "abs-dir/new", "abs-root/etc/passwd",
    "to-abs/canary", "to-abs/", "self-root/etc/passwd", "self-cwd/Cargo.toml", "self-root/", "self-fd/",
    "../inside/file", "../inside/sub/file", "..//inside", "sub/../../inside/new",
];

/// Paths that lead out, all but the `followed` ones also without following the last link.
fn ways_out(nest: &Nest) -> (Vec<String>, Vec<String>) {
    let absolute = |name: &str| nest.path(name).to_str().unwrap().to_string();
    let mut all: Vec<String> = vec![
        absolute("outside/canary"),
        absolute("inside/file"),
        absolute("outside"),
        format!("//{}", absolute("beside")),
    ];
    all.extend(OUT_OF_IT.map(String::from));
    let followed = [
        "abs-file",
        "abs-dir",
        "rel-file",
        "rel-dir",
        "rel-new",
        "up",
        "to-rel",
        "to-abs",
        "self-root",
        "self-cwd",
        "self-fd",
        "abs-root",
        "sub/up-up",
        "loop",
    ];
    (all, followed.map(String::from).to_vec())
}

/// Every call with one path, on `text`; whether the last link is followed.
fn try_all(world: &mut World, text: &str, lookup: u32) -> Vec<(&'static str, bool)> {
    let mut succeeded = Vec::new();
    for flags in [0, CREAT, CREAT | EXCL, TRUNC, DIRECTORY, CREAT | TRUNC] {
        for rights in [0, READ, WRITE, READ | WRITE] {
            let opened = open_with(world, 3, text, (lookup, flags, APPEND), rights).is_ok();
            succeeded.push(("path_open", opened));
        }
    }
    let mut try_one = |name, f: &dyn Fn(&mut Call<'_>, u32, u32) -> Result<(), Fault>| {
        succeeded.push((name, with_path(world, text, |c, at, len| f(c, at, len)) == Ok(())));
    };
    try_one("path_filestat_get", &|c, at, len| path::path_filestat_get(c, 3, lookup, at, len, OUT));
    try_one("path_filestat_set_times", &|c, at, len| {
        path::path_filestat_set_times(c, 3, lookup, at, len, 1, 1, 5)
    });
    if lookup == FOLLOW {
        return succeeded;
    }
    try_one("path_create_directory", &|c, at, len| path::path_create_directory(c, 3, at, len));
    try_one("path_readlink", &|c, at, len| path::path_readlink(c, 3, at, len, OUT + 8, 1000, OUT));
    try_one("path_unlink_file", &|c, at, len| path::path_unlink_file(c, 3, at, len));
    try_one("path_remove_directory", &|c, at, len| path::path_remove_directory(c, 3, at, len));
    for (name, old, new) in [("from", text, "sub/new"), ("to", "file", text), ("both", text, text)] {
        let rename = with_paths(world, (old, new), |c, a, b| path::path_rename(c, 3, a.0, a.1, 3, b.0, b.1));
        let link = with_paths(world, (old, new), |c, a, b| path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1));
        // What is already the same may be renamed to itself by some systems; not to leave the directory.
        succeeded.extend([(name, rename == Ok(())), (name, link == Ok(()))]);
    }
    let symlink = with_paths(world, ("file", text), |c, a, b| path::path_symlink(c, a.0, a.1, 3, b.0, b.1));
    succeeded.push(("path_symlink", symlink == Ok(())));
    succeeded
}

#[test]
fn no_call_leaves_the_directory_by_any_path() {
    let nest = Nest::new();
    let before = nest.outside();
    let inside = tree(&nest.path("inside"));
    let (always, followed) = ways_out(&nest);
    let limits = Limits { descriptors: 10, ..Limits::default() };
    let mut world = world_with(&limits, &[(&nest.path("inside"), false)]);
    for (text, lookups) in
        always.iter().map(|t| (t, &[0, FOLLOW][..])).chain(followed.iter().map(|t| (t, &[FOLLOW][..])))
    {
        for lookup in lookups {
            for (call, succeeded) in try_all(&mut world, text, *lookup) {
                assert!(!succeeded, "{call} of {text} (follow {lookup}) succeeded");
            }
        }
        assert!(nest.outside() == before, "{text} reached the outside");
        assert!(tree(&nest.path("inside")) == inside, "{text} changed the inside");
    }
}

#[test]
fn a_descriptor_of_a_subdirectory_does_not_lead_above_it() {
    let nest = Nest::new();
    let mut world = world_with(&Limits::default(), &[(&nest.path("inside"), false)]);
    let deep = open(&mut world, 3, "sub/deep", DIRECTORY, READ).unwrap();
    for text in ["..", "../file", "../../file", "to-up", "to-up/beside", "/", "../deep"] {
        assert!(open(&mut world, deep, text, 0, READ).is_err(), "{text}");
    }
    // Nor when it is moved while it is open.
    std::fs::rename(nest.path("inside/sub/deep"), nest.path("outside/deep")).unwrap();
    for text in ["..", "../canary", "../dir/file"] {
        assert!(open(&mut world, deep, text, 0, READ).is_err(), "{text} after the move");
    }
}

#[test]
fn links_that_a_guest_makes_do_not_lead_out_either() {
    let nest = Nest::new();
    let before = nest.outside();
    let mut world = world_with(&Limits::default(), &[(&nest.path("inside"), false)]);
    let make = |world: &mut World, target: &str, name: &str| {
        with_paths(world, (target, name), |c, a, b| path::path_symlink(c, a.0, a.1, 3, b.0, b.1))
    };
    for absolute in ["/etc/passwd", "/", "//", "/proc/self/cwd"] {
        assert_eq!(make(&mut world, absolute, "made"), Err(Fault::Errno(Errno::Perm)), "{absolute}");
    }
    for (i, target) in
        ["..", "../outside", "../outside/canary", "../../..", "sub/../../outside"].iter().enumerate()
    {
        let name = format!("made-{i}");
        assert_eq!(make(&mut world, target, &name), Ok(()));
        for text in [name.clone(), format!("{name}/"), format!("{name}/canary"), format!("{name}/new")] {
            for flags in [0, CREAT, TRUNC, DIRECTORY] {
                for rights in [READ, WRITE] {
                    assert!(open(&mut world, 3, &text, flags, rights).is_err(), "{text}");
                }
            }
            let set =
                |c: &mut Call<'_>, at, len| path::path_filestat_set_times(c, 3, FOLLOW, at, len, 1, 1, 5);
            assert_ne!(with_path(&mut world, &text, set), Ok(()), "{text}");
        }
        // A hard link of the link is one more link, and a rename moves it: both stay inside.
        let copy = format!("copy-{i}");
        let link =
            |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1);
        assert_eq!(with_paths(&mut world, (&name, &copy), link), Ok(()));
        let meta = std::fs::symlink_metadata(nest.path("inside").join(&copy)).unwrap();
        assert!(meta.is_symlink(), "what is linked is the link, not what it leads to");
    }
    assert!(nest.outside() == before);
}

#[test]
fn between_two_directories_links_and_renames_need_both_to_be_writable() {
    for (first, second) in [(false, false), (true, false), (false, true), (true, true)] {
        let (a, b) = (TempDir::new(), TempDir::new());
        a.write("one", "1");
        a.write("two", "2");
        symlink(&b.0, a.0.join("out")).unwrap();
        let mut world = world_with(&Limits::default(), &[(&a.0, first), (&b.0, second)]);
        let expected = if first || second { Err(Fault::Errno(Errno::Rofs)) } else { Ok(()) };
        let link =
            |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_link(c, 3, 0, a.0, a.1, 4, b.0, b.1);
        let rename =
            |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_rename(c, 3, a.0, a.1, 4, b.0, b.1);
        assert_eq!(with_paths(&mut world, ("one", "linked"), link), expected);
        assert_eq!(with_paths(&mut world, ("two", "moved"), rename), expected);
        let both = std::fs::read_dir(&b.0).unwrap().count();
        assert_eq!(both, if expected == Ok(()) { 2 } else { 0 });
        for (old, new) in [("out/linked", "x"), ("one", "../x"), ("../x", "x"), ("one", "/x")] {
            assert_ne!(with_paths(&mut world, (old, new), link), Ok(()), "{old} {new}");
            assert_ne!(with_paths(&mut world, (old, new), rename), Ok(()), "{old} {new}");
        }
    }
}

/// Swaps `inside/way` between a directory of its own and a link to the outside, until told to stop.
fn swap(nest: &Path, stop: &AtomicBool, swaps: &AtomicU64) {
    let (way, kept, link) = (nest.join("inside/way"), nest.join("kept"), nest.join("link"));
    while !stop.load(Ordering::Relaxed) {
        let _ = std::fs::rename(&way, &kept);
        let _ = std::fs::rename(&link, &way);
        let _ = std::fs::rename(&way, &link);
        let _ = std::fs::rename(&kept, &way);
        swaps.fetch_add(1, Ordering::Relaxed);
    }
}

/// One round of calls through `way`, which may be anything at any moment. Gives what was read.
fn round(world: &mut World, i: u32) -> Vec<u8> {
    let mut seen = Vec::new();
    let opened = match i % 4 {
        0 => open(world, 3, "way/canary", 0, READ),
        1 => open(world, 3, "way/canary", CREAT, READ | WRITE),
        2 => open(world, 3, "way/canary", TRUNC, READ | WRITE),
        _ => open(world, 3, "way", DIRECTORY, READ).and_then(|dir| {
            let file = open(world, dir, "canary", 0, READ | WRITE);
            world.memory[20_000..20_400].fill(b'?');
            let list = world.call(|c| readdir::fd_readdir(c, dir, 20_000, 400, 0, OUT));
            if list == Ok(()) {
                seen.extend_from_slice(&world.memory[20_000..20_400]);
            }
            world.call(|c| fd::fd_close(c, dir)).unwrap();
            file
        }),
    };
    if let Ok(file) = opened {
        world.put(0, &[20_000, 100]);
        if world.call(|c| fd::fd_read(c, file, 0, 1, OUT)) == Ok(()) {
            let n = out(world) as usize;
            seen.extend_from_slice(&world.memory[20_000..20_000 + n]);
        }
        let _ = write(world, file, 3, None);
        let _ = world.call(|c| stat::fd_filestat_set_size(c, file, 5));
        world.call(|c| fd::fd_close(c, file)).unwrap();
    }
    let get = |c: &mut Call<'_>, at, len| path::path_filestat_get(c, 3, FOLLOW, at, len, OUT);
    number(&with_path(world, "way/new", get));
    number(&with_path(world, "way/new", |c, at, len| path::path_create_directory(c, 3, at, len)));
    number(&with_path(world, "way/new", |c, at, len| path::path_remove_directory(c, 3, at, len)));
    let set = |c: &mut Call<'_>, at, len| path::path_filestat_set_times(c, 3, FOLLOW, at, len, 1, 1, 5);
    number(&with_path(world, "way/canary", set));
    number(&with_path(world, "way", set));
    let rename =
        |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_rename(c, 3, a.0, a.1, 3, b.0, b.1);
    number(&with_paths(world, ("way/canary", "way/moved"), rename));
    number(&with_paths(world, ("file", "way/moved"), rename));
    number(&with_paths(world, ("way/moved", "file"), rename));
    let link =
        |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1);
    number(&with_paths(world, ("way/canary", "got"), link));
    let symlink =
        |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_symlink(c, a.0, a.1, 3, b.0, b.1);
    number(&with_paths(world, ("x", "way/sym"), symlink));
    for name in ["got", "way/canary", "way/sym", "way/moved"] {
        number(&with_path(world, name, |c, at, len| path::path_unlink_file(c, 3, at, len)));
    }
    seen
}

#[test]
fn a_link_that_changes_during_a_call_does_not_lead_out() {
    let nest = Nest::new();
    std::fs::create_dir(nest.path("inside/way")).unwrap();
    symlink("../outside", nest.path("link")).unwrap();
    let before = tree(&nest.path("outside"));
    let (stop, swaps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let swapping = {
        let (nest, stop, swaps) = (nest.dir.0.clone(), Arc::clone(&stop), Arc::clone(&swaps));
        std::thread::spawn(move || swap(&nest, &stop, &swaps))
    };
    let limits = Limits { dir_quota: u64::MAX, ..Limits::default() };
    let mut world = world_with(&limits, &[(&nest.path("inside"), false)]);
    let (mut wrong, mut met) = (None, [0, 0]);
    for i in 0..5_000 {
        met[usize::from(open(&mut world, 3, "way/.", 0, READ).is_err())] += 1;
        let _ = world.call(|c| fd::fd_close(c, 4));
        let seen = round(&mut world, i);
        let has = |what: &[u8]| seen.windows(what.len()).any(|w| w == what);
        if has(SECRET) || has(b"deep") {
            wrong = Some(i);
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert_eq!(wrong, None, "the outside was read in this round");
    assert!(tree(&nest.path("outside")) == before, "the outside was changed");
    assert!(swaps.load(Ordering::Relaxed) > 0, "nothing was swapped");
    assert!(met.iter().all(|n| *n > 0), "opened and refused: {met:?}");
}
