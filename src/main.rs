//! The `fuelbox` program: everything is in the library's `cli`.

use std::process::ExitCode;

/// In static binaries; `Cargo.toml` says why.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    ExitCode::from(fuelbox::cli::main(std::env::args_os().skip(1).collect()))
}
