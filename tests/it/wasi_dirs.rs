//! Directories given to a guest: a folder for tests, what it looks like from outside, read-only ones, and
//! special files of the host.

use crate::support::TempDir;
use crate::wasi_world::{Answer, World};
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::{Call, fd, path, stat};
use fuelbox::{Limits, Preopen, Stdin};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

/// Where [`put_path`] puts paths, and where tests want answers.
const PATHS_AT: usize = 8_001;
pub const OUT: u32 = 16_001;

/// `oflags`, `fdflags` and rights by their numbers in the specification.
pub const CREAT: u32 = 1;
pub const DIRECTORY: u32 = 2;
pub const EXCL: u32 = 4;
pub const TRUNC: u32 = 8;
pub const APPEND: u32 = 1;
pub const READ: u64 = 1 << 1;
pub const WRITE: u64 = 1 << 6;
pub const FOLLOW: u32 = 1;

/// A world with these folders open as 3, 4 and so on.
pub fn world_with(limits: &Limits, dirs: &[(&Path, bool)]) -> World {
    let preopen = |(i, (dir, read_only)): (usize, &(&Path, bool))| {
        Preopen::open(dir, &format!("/{i}"), *read_only).unwrap()
    };
    let dirs = dirs.iter().enumerate().map(preopen).collect();
    World::with(Stdin::Empty, limits, fuelbox::GuestEnv { dirs, ..fuelbox::GuestEnv::default() })
}

/// Puts the `n`th path of a call into memory and gives its pointer and length.
pub fn put_path(world: &mut World, n: usize, text: &str) -> (u32, u32) {
    let at = PATHS_AT + 4_200 * n;
    world.memory[at..at + text.len()].copy_from_slice(text.as_bytes());
    (at as u32, text.len() as u32)
}

/// The u32 at `OUT`.
pub fn out(world: &World) -> u32 {
    u32::from_le_bytes(world.memory[OUT as usize..OUT as usize + 4].try_into().unwrap())
}

/// The errno of an answer, 0 for success; nothing else ends a call here.
#[track_caller]
pub fn number(answer: &Answer) -> u16 {
    match answer {
        Ok(()) => 0,
        Err(Fault::Errno(errno)) => *errno as u16,
        other => panic!("{other:?}"),
    }
}

/// `path_open` with all inheriting rights: the descriptor.
pub fn open(world: &mut World, dir: u32, text: &str, oflags: u32, rights: u64) -> Result<u32, Errno> {
    open_with(world, dir, text, (FOLLOW, oflags, 0), rights)
}

/// The same with (lookupflags, oflags, fdflags).
pub fn open_with(
    world: &mut World,
    dir: u32,
    text: &str,
    (lookup, oflags, fdflags): (u32, u32, u32),
    rights: u64,
) -> Result<u32, Errno> {
    let (at, len) = put_path(world, 0, text);
    match world.call(|c| path::path_open(c, dir, lookup, at, len, oflags, rights, u64::MAX, fdflags, OUT)) {
        Ok(()) => Ok(out(world)),
        Err(Fault::Errno(errno)) => Err(errno),
        other => panic!("{other:?}"),
    }
}

/// A call with one path beneath `dir`.
pub fn with_path(world: &mut World, text: &str, f: impl FnOnce(&mut Call<'_>, u32, u32) -> Answer) -> Answer {
    let (at, len) = put_path(world, 0, text);
    world.call(|c| f(c, at, len))
}

/// A call with two.
pub fn with_paths(
    world: &mut World,
    (old, new): (&str, &str),
    f: impl FnOnce(&mut Call<'_>, (u32, u32), (u32, u32)) -> Answer,
) -> Answer {
    let (old, new) = (put_path(world, 0, old), put_path(world, 1, new));
    world.call(|c| f(c, old, new))
}

/// Writes `bytes` to `fd`: at an offset, or where it stands.
pub fn write(world: &mut World, number: u32, bytes: u32, at: Option<u64>) -> Result<u32, Errno> {
    world.put(0, &[1_000, bytes]);
    let answer = world.call(|c| match at {
        Some(at) => fd::fd_pwrite(c, number, 0, 1, at, OUT),
        None => fd::fd_write(c, number, 0, 1, OUT),
    });
    match answer {
        Ok(()) => Ok(out(world)),
        Err(Fault::Errno(errno)) => Err(errno),
        other => panic!("{other:?}"),
    }
}

/// Everything about a folder but the times of access: a line for each entry.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(path) = left.pop() {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let content = if meta.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            String::new()
        } else if meta.is_symlink() {
            format!("{:?}", std::fs::read_link(&path).unwrap())
        } else if meta.is_file() {
            format!("{:?}", std::fs::read(&path).unwrap())
        } else {
            "special".into()
        };
        let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
        found.insert(path, format!("{:o} {} {times:?} {content}", meta.mode(), meta.nlink()));
    }
    found
}

/// `f` with "file", `d/file`, `d/sub`, and `link` to `f`.
pub fn furnished() -> TempDir {
    let dir = TempDir::new();
    dir.write("f", "content of f");
    std::fs::create_dir_all(dir.0.join("d/sub")).unwrap();
    dir.write("d/file", "file");
    std::os::unix::fs::symlink("f", dir.0.join("link")).unwrap();
    dir
}

/// Every call that changes something, on the directory `dir` and its file `name`, as (name, answer).
fn changes(world: &mut World, dir: u32, name: &str, other: u32) -> Vec<(&'static str, Answer)> {
    let mut all = Vec::new();
    let opening = |world: &mut World, flags, rights| open(world, dir, name, flags, rights).map(|_| ());
    for (what, flags, rights) in [
        ("open to write", 0, WRITE),
        ("open to read and write", 0, READ | WRITE),
        ("open to cut", TRUNC, READ),
        ("open to cut and write", TRUNC, WRITE),
        ("open to create what is there", CREAT, READ),
        ("open to create only", CREAT | EXCL, READ),
    ] {
        all.push((what, opening(world, flags, rights).map_err(Fault::Errno)));
    }
    all.push(("create", open(world, dir, "new", CREAT, READ | WRITE).map(|_| ()).map_err(Fault::Errno)));
    all.push(("mkdir", with_path(world, "new", |c, at, len| path::path_create_directory(c, dir, at, len))));
    all.push(("unlink", with_path(world, name, |c, at, len| path::path_unlink_file(c, dir, at, len))));
    all.push(("rmdir", with_path(world, "sub", |c, at, len| path::path_remove_directory(c, dir, at, len))));
    for (what, flags) in [("times", 0), ("times by a link", FOLLOW)] {
        let times =
            |c: &mut Call<'_>, at, len| path::path_filestat_set_times(c, dir, flags, at, len, 1, 1, 5);
        all.push((what, with_path(world, name, times)));
    }
    let symlink = |c: &mut Call<'_>, old: (u32, u32), new: (u32, u32)| {
        path::path_symlink(c, old.0, old.1, dir, new.0, new.1)
    };
    all.push(("symlink", with_paths(world, (name, "new"), symlink)));
    for (what, from, to) in [("within", dir, dir), ("out", dir, other), ("into", other, dir)] {
        let (old, new) = if from == other { ("mine", "new") } else { (name, "new") };
        let rename = |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| {
            path::path_rename(c, from, a.0, a.1, to, b.0, b.1)
        };
        let link = |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| {
            path::path_link(c, from, 0, a.0, a.1, to, b.0, b.1)
        };
        all.push((what, with_paths(world, (old, new), rename)));
        all.push((what, with_paths(world, (old, new), link)));
    }
    all.push(("times of the folder", world.call(|c| stat::fd_filestat_set_times(c, dir, 1, 1, 5))));
    all
}

#[test]
fn nothing_changes_in_a_read_only_directory() {
    let (kept, other) = (furnished(), TempDir::new());
    other.write("mine", "mine");
    let (before, others) = (tree(&kept.0), tree(&other.0));
    let mut world = world_with(&Limits::default(), &[(&kept.0, true), (&other.0, false)]);
    let sub = open(&mut world, 3, "d", DIRECTORY, READ).unwrap();
    let (above, itself) =
        (open(&mut world, sub, ".", 0, READ).unwrap(), open(&mut world, 3, "./d/.", 0, 0).unwrap());
    for (dir, name) in
        [(3, "f"), (3, "d/file"), (3, "link"), (sub, "file"), (above, "file"), (itself, "file")]
    {
        for (what, answer) in changes(&mut world, dir, name, 4) {
            assert_eq!(answer, Err(Fault::Errno(Errno::Rofs)), "{what} {name} in {dir}");
        }
    }
    assert_eq!(world.ctx.files.quota, Limits::default().dir_quota, "nothing was paid");
    assert!(tree(&kept.0) == before && tree(&other.0) == others, "something changed");
}

#[test]
fn nothing_changes_by_a_file_of_a_read_only_directory() {
    let kept = furnished();
    let before = tree(&kept.0);
    let mut world = world_with(&Limits::default(), &[(&kept.0, true)]);
    let sub = open(&mut world, 3, "d", 0, READ).unwrap();
    for file in [open(&mut world, 3, "f", 0, READ).unwrap(), open(&mut world, sub, "file", 0, READ).unwrap()]
    {
        assert_eq!(write(&mut world, file, 1, None), Err(Errno::Rofs));
        assert_eq!(write(&mut world, file, 0, None), Err(Errno::Rofs));
        assert_eq!(write(&mut world, file, 1, Some(9)), Err(Errno::Rofs));
        for answer in [
            world.call(|c| fd::fd_allocate(c, file, 0, 100)),
            world.call(|c| stat::fd_filestat_set_size(c, file, 0)),
            world.call(|c| stat::fd_filestat_set_size(c, file, 100)),
            world.call(|c| stat::fd_filestat_set_times(c, file, 0, 0, 2)),
            world.call(|c| stat::fd_filestat_set_times(c, file, 0, 0, 8)),
        ] {
            assert_eq!(answer, Err(Fault::Errno(Errno::Rofs)));
        }
        // What only looks like a change.
        assert_eq!(world.call(|c| fd::fd_fdstat_set_flags(c, file, APPEND)), Ok(()));
        assert_eq!(write(&mut world, file, 1, None), Err(Errno::Rofs));
        assert_eq!(world.call(|c| fd::fd_sync(c, file)), Ok(()));
        let all = world.call(|c| stat::fd_fdstat_set_rights(c, file, u64::MAX, u64::MAX));
        assert_eq!(all, Err(Fault::Errno(Errno::Notcapable)));
        assert_eq!(world.call(|c| fd::fd_renumber(c, file, 2)), Ok(()));
        assert_eq!(write(&mut world, 2, 1, None), Err(Errno::Rofs), "under another number");
    }
    assert!(tree(&kept.0) == before, "something changed");
}

/// Runs `f` in a thread, and fails if it does not come back.
pub fn bounded<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = channel();
    std::thread::spawn(move || send.send(f()));
    receive.recv_timeout(std::time::Duration::from_secs(60)).unwrap_or_else(|_| panic!("{what} does not end"))
}

fn make_fifo(at: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(at).status().unwrap().success());
}

#[test]
fn no_call_waits_for_a_special_file_and_none_is_opened() {
    let dir = TempDir::new();
    make_fifo(&dir.0.join("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(dir.0.join("socket")).unwrap();
    for (name, target) in [("zero", "/dev/zero"), ("to-fifo", "fifo"), ("to-socket", "socket")] {
        std::os::unix::fs::symlink(target, dir.0.join(name)).unwrap();
    }
    let root = dir.0.clone();
    bounded("a call on a special file", move || {
        for name in ["fifo", "socket", "zero", "to-fifo", "to-socket"] {
            let mut world = world_with(&Limits::default(), &[(&root, false)]);
            for flags in 0..16 {
                for (rights, lookup) in
                    [(READ, 1), (WRITE, 1), (READ | WRITE, 1), (0, 1), (READ, 0), (WRITE, 0)]
                {
                    let opened = open_with(&mut world, 3, name, (lookup, flags, 0), rights);
                    assert!(opened.is_err(), "{name} with flags {flags}, rights {rights}");
                }
            }
            for lookup in [0, FOLLOW] {
                let get = |c: &mut Call<'_>, at, len| path::path_filestat_get(c, 3, lookup, at, len, OUT);
                number(&with_path(&mut world, name, get));
                let set =
                    |c: &mut Call<'_>, at, len| path::path_filestat_set_times(c, 3, lookup, at, len, 1, 1, 5);
                number(&with_path(&mut world, name, set));
            }
            number(&with_path(&mut world, name, |c, at, len| {
                path::path_readlink(c, 3, at, len, OUT, 9, OUT)
            }));
            let link = |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| {
                path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1)
            };
            number(&with_paths(&mut world, (name, "second"), link));
            number(&with_path(&mut world, "second", |c, at, len| path::path_unlink_file(c, 3, at, len)));
        }
    });
}

/// Somebody else's pipe: to open it, even for an instant, ends the wait of the program at its other end.
#[test]
fn the_other_end_of_a_pipe_does_not_notice_that_a_guest_tried() {
    let dir = TempDir::new();
    make_fifo(&dir.0.join("fifo"));
    let fifo = dir.0.join("fifo");
    let (send, receive) = channel();
    let waiting = std::thread::spawn(move || {
        let file = std::fs::OpenOptions::new().write(true).open(fifo);
        send.send(()).unwrap();
        file.unwrap()
    });
    for read_only in [true, false] {
        let mut world = world_with(&Limits::default(), &[(&dir.0, read_only)]);
        for _ in 0..200 {
            assert_eq!(open(&mut world, 3, "fifo", 0, READ), Err(Errno::Notsup));
            let set =
                |c: &mut Call<'_>, at, len| path::path_filestat_set_times(c, 3, FOLLOW, at, len, 1, 1, 5);
            number(&with_path(&mut world, "fifo", set));
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }
    assert!(receive.try_recv().is_err(), "the writer was let in");
    // Its reader comes.
    drop(std::fs::File::open(dir.0.join("fifo")).unwrap());
    drop(waiting.join().unwrap());
}

/// Who gives away the root of the file system gives files, not the environment and memory of this process.
#[cfg(target_os = "linux")]
#[test]
fn what_the_kernel_tells_of_processes_cannot_be_opened() {
    let mut world = world_with(&Limits::default(), &[(Path::new("/"), true), (Path::new("/proc"), true)]);
    let own = format!("{}/environ", std::process::id());
    for name in ["self/environ", "self/mem", "self/maps", "thread-self/environ", "self/fd", "self/task", &own]
    {
        for flags in [0, DIRECTORY] {
            assert!(open(&mut world, 3, &format!("proc/{name}"), flags, READ).is_err(), "{name}");
            assert!(open(&mut world, 4, name, flags, READ).is_err(), "{name} in /proc");
        }
    }
    assert!(open(&mut world, 3, "etc", DIRECTORY, READ).is_ok());
}
