//! A directory for a test, and what is asked of files in it.

use super::{World, ok};
use crate::base::limits::Limits;
use crate::host::component::value::Value;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;
use crate::host::wasi::dir::Preopen;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// `descriptor-flags`.
pub const READ: u32 = 1;
/// See above.
pub const WRITE: u32 = 2;

/// Cases of `error-code`.
pub mod code {
    pub const BAD_DESCRIPTOR: u32 = 3;
    pub const QUOTA: u32 = 6;
    pub const EXIST: u32 = 7;
    pub const ILLEGAL_BYTE_SEQUENCE: u32 = 9;
    pub const INVALID: u32 = 12;
    pub const IS_DIRECTORY: u32 = 14;
    pub const NAME_TOO_LONG: u32 = 18;
    pub const NO_ENTRY: u32 = 20;
    pub const INSUFFICIENT_MEMORY: u32 = 22;
    pub const NOT_DIRECTORY: u32 = 24;
    pub const NOT_EMPTY: u32 = 25;
    pub const OVERFLOW: u32 = 30;
    pub const NOT_PERMITTED: u32 = 31;
    pub const READ_ONLY: u32 = 33;
}

/// `err(code)`.
pub fn failed(code: u32) -> Value {
    Value::err(Value::case(code))
}

/// Calls a method of `descriptor`.
#[track_caller]
pub fn file(world: &mut World, name: &str, args: &[Value]) -> Value {
    world.get("wasi:filesystem/types", &format!("[method]descriptor.{name}"), args)
}

/// A directory that is removed after the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fuelbox-component-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A world with this directory as `/data`.
    pub fn world(&self) -> World {
        self.world_with(&Limits::default(), false)
    }

    pub fn world_with(&self, limits: &Limits, read_only: bool) -> World {
        World::with(Stdin::Empty, limits, self.given(read_only))
    }

    /// The same, of a reproducible run.
    pub fn reproducible(&self) -> World {
        let given = GuestEnv { seed: Some(1), ..self.given(false) };
        World::with(Stdin::Empty, &Limits::default(), given)
    }

    fn given(&self, read_only: bool) -> GuestEnv {
        let dirs = vec![Preopen::open(&self.0, "/data", read_only).unwrap()];
        GuestEnv { dirs, ..GuestEnv::default() }
    }

    /// A descriptor of the directory.
    #[track_caller]
    pub fn root(&self, world: &mut World) -> Value {
        let Value::List(dirs) = world.get("wasi:filesystem/preopens", "get-directories", &[]) else {
            panic!("no list")
        };
        let [Value::Record(dir)] = &dirs[..] else { panic!("{dirs:?}") };
        assert_eq!(dir[1], Value::String("/data".into()));
        dir[0].clone()
    }

    /// Opens `path`.
    #[track_caller]
    pub fn open(&self, world: &mut World, path: &str, open: u32, flags: u32) -> Value {
        ok(self.try_open(world, path, open, flags))
    }

    #[track_caller]
    pub fn try_open(&self, world: &mut World, path: &str, open: u32, flags: u32) -> Value {
        let path = Value::String(path.into());
        let args = [self.root(world), Value::Flags(1), path, Value::Flags(open), Value::Flags(flags)];
        file(world, "open-at", &args)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
