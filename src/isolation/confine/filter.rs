//! The seccomp filters: three of them, because a filter has only one answer for what it lists.
//!
//! The kernel asks each and obeys the strictest; among refusals, the filter that was installed last. What a list
//! names is in `attacks.rs` and `allowed.rs`.

use super::allowed::allowed;
use super::attacks::attacks;
use super::rules::Rules;
use super::support::support;
use super::table::{Rows, Table};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads,
};
use std::io;

/// The machine that the filters are compiled for.
#[cfg(target_arch = "aarch64")]
const COMPILED_FOR: TargetArch = TargetArch::aarch64;
#[cfg(target_arch = "riscv64")]
const COMPILED_FOR: TargetArch = TargetArch::riscv64;
/// The compiler knows no 32-bit machine. The only thing in a program that depends on it is the value in the check at its
/// start, which [`for_this_machine`] replaces.
#[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm"))]
const COMPILED_FOR: TargetArch = TargetArch::x86_64;

/// What the kernel calls the machine whose value has to be replaced (`AUDIT_ARCH_...`).
#[cfg(target_arch = "x86")]
const AUDIT_ARCH: Option<u32> = Some(0x4000_0003);
#[cfg(target_arch = "arm")]
const AUDIT_ARCH: Option<u32> = Some(0x4000_0028);
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
const AUDIT_ARCH: Option<u32> = None;

/// Installs the filters for all threads of this process. They stay until it ends.
///
/// # Errors
/// `Unsupported` if the kernel has no filters; else what it says.
pub fn calls(rules: &Rules<'_>) -> io::Result<()> {
    if !support().seccomp {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel has no seccomp filters"));
    }
    let own = std::process::id();
    // All are compiled before the first is installed. The shortest list of what is left comes first: at each
    // installation, the kernel tries every number that is still allowed, which takes most of the time. So it has to allow
    // the next installations; the last filter ends that.
    let programs = [
        compile(
            allowed(rules, own).map_err(failed)?,
            SeccompAction::Errno(libc::EPERM as u32),
            SeccompAction::Allow,
        )?,
        compile(missing(), SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?,
        compile(attacks(rules, own).map_err(failed)?, SeccompAction::Allow, SeccompAction::KillProcess)?,
    ];
    programs.iter().try_for_each(|program| apply_filter_all_threads(program).map_err(failed))
}

/// Calls that are said not to exist: glibc then makes threads by `clone`, whose flags a filter can read.
fn missing() -> Rows {
    let mut table = Table::default();
    table.any(&[libc::SYS_clone3]);
    table.rows()
}

fn compile(rows: Rows, others: SeccompAction, listed: SeccompAction) -> io::Result<BpfProgram> {
    let filter = SeccompFilter::new(rows, others, listed, COMPILED_FOR);
    let program = filter.and_then(|filter| -> Result<BpfProgram, BackendError> { filter.try_into() });
    for_this_machine(program.map_err(failed)?)
}

/// Lets a program check for this machine instead of the one it was compiled for. A call that was made by the rules of
/// another machine, which has other numbers, kills the process.
fn for_this_machine(mut program: BpfProgram) -> io::Result<BpfProgram> {
    // `if (arch == K) skip one`, and the one is the end.
    const JUMP_IF_EQUAL: u16 = 0x15;
    const X86_64: u32 = 0xc000_003e;
    let Some(own) = AUDIT_ARCH else { return Ok(program) };
    match program.get_mut(1) {
        Some(check) if (check.code, check.jt, check.jf, check.k) == (JUMP_IF_EQUAL, 1, 0, X86_64) => {
            check.k = own
        }
        _ => {
            return Err(io::Error::other(
                "seccomp: the filter's check of the machine is not where it should be",
            ));
        }
    }
    Ok(program)
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("seccomp: {error}"))
}
