//! The `fuelbox` program: everything is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(fuelbox::cli::main(std::env::args_os().skip(1).collect()))
}
