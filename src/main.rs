//! The `fuelbox` program: everything is in the library's `cli`.

#[cfg(any(target_env = "musl", test))]
#[cfg_attr(not(target_env = "musl"), allow(dead_code))]
mod allocator;

use fuelbox::ZeroingAllocator;
use std::process::ExitCode;

/// In static binaries; `Cargo.toml` says why.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: ZeroingAllocator<allocator::Arenas> = ZeroingAllocator(allocator::Arenas::new());

#[cfg(not(target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: ZeroingAllocator<std::alloc::System> = ZeroingAllocator(std::alloc::System);

/// The C library's own allocator gives back by itself what is much.
#[cfg(not(target_env = "musl"))]
const GIVE_BACK: Option<fn()> = None;
#[cfg(target_env = "musl")]
const GIVE_BACK: Option<fn()> = Some(|| ALLOCATOR.0.trim());

fn main() -> ExitCode {
    ExitCode::from(fuelbox::cli::main(std::env::args_os().skip(1).collect(), GIVE_BACK))
}
