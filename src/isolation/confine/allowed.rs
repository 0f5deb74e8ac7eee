//! The system calls that a confined process may make: what the standard library, the two C libraries and the guests'
//! host functions need. `docs/system-calls.md` lists them.

use super::rules::Rules;
use super::table::{Rows, Table};
use libc::c_long;
use seccompiler::BackendError;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};

/// What every confined process needs.
const ALWAYS: &[c_long] = &[
    // Bytes of open files and sockets.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_close,
    libc::SYS_ppoll,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm"))]
    libc::SYS_poll,
    #[cfg(target_arch = "arm")]
    libc::SYS_recv,
    #[cfg(target_arch = "arm")]
    libc::SYS_send,
    // Memory. `mmap`, `mprotect` and `madvise` are below.
    libc::SYS_munmap,
    libc::SYS_mincore,
    libc::SYS_mremap,
    libc::SYS_brk,
    // Clocks, waiting, randomness.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_futex,
    libc::SYS_getrandom,
    // Threads, signals, the end. A thread that was made before may still be at its start, which glibc does not let fail.
    libc::SYS_set_robust_list,
    // musl does without.
    #[cfg(not(all(target_env = "musl", target_pointer_width = "32")))]
    libc::SYS_rseq,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    #[cfg(any(target_arch = "x86", target_arch = "arm"))]
    libc::SYS_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// As above, with time in 64 bits.
#[cfg(target_pointer_width = "32")]
const ALWAYS_TIME64: &[c_long] = &[
    super::numbers::time64::CLOCK_GETTIME,
    super::numbers::time64::CLOCK_GETRES,
    super::numbers::time64::CLOCK_NANOSLEEP,
    super::numbers::time64::PPOLL,
    super::numbers::time64::FUTEX,
];

/// What makes a thread, in glibc and in musl, and nothing else: these flags of `clone` together.
const THREAD_FLAGS: &[u64] = &[0x003d_0f00, 0x007d_0f00];

/// For who has directories. What they open, Landlock decides.
const READING: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_statx,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_readlinkat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    #[cfg(not(target_arch = "arm"))]
    libc::SYS_fadvise64,
    #[cfg(target_pointer_width = "64")]
    libc::SYS_newfstatat,
    #[cfg(target_pointer_width = "32")]
    libc::SYS_fstatat64,
    #[cfg(target_pointer_width = "32")]
    libc::SYS_fstat64,
    #[cfg(target_pointer_width = "32")]
    libc::SYS_fstatfs64,
    #[cfg(target_pointer_width = "32")]
    libc::SYS__llseek,
    #[cfg(target_arch = "x86")]
    libc::SYS_fadvise64_64,
    #[cfg(target_arch = "arm")]
    super::numbers::ARM_FADVISE64_64,
];

/// For who has a directory that can be written.
const WRITING: &[c_long] = &[
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_renameat,
    libc::SYS_utimensat,
    #[cfg(target_pointer_width = "32")]
    libc::SYS_ftruncate64,
    #[cfg(target_pointer_width = "32")]
    super::numbers::time64::UTIMENSAT,
];

#[cfg(target_pointer_width = "64")]
const MMAP: c_long = libc::SYS_mmap;
/// The old one of these machines takes its arguments in memory, where a filter cannot see them.
#[cfg(target_pointer_width = "32")]
const MMAP: c_long = libc::SYS_mmap2;

#[cfg(target_pointer_width = "64")]
const FCNTLS: &[c_long] = &[libc::SYS_fcntl];
#[cfg(target_pointer_width = "32")]
const FCNTLS: &[c_long] = &[libc::SYS_fcntl, libc::SYS_fcntl64];

/// What `fcntl` may do: tell and change flags, and copy a descriptor.
const FCNTL_COMMANDS: &[i32] =
    &[libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD_CLOEXEC];

/// What allocators advise.
const ADVICE: &[i32] =
    &[libc::MADV_DONTNEED, libc::MADV_FREE, libc::MADV_HUGEPAGE, libc::MADV_NOHUGEPAGE, GUARD_INSTALL];

/// `MADV_GUARD_INSTALL`, by which newer C libraries guard the stacks of threads.
const GUARD_INSTALL: i32 = 102;

/// How the standard library lets a socket wait or not, a number of `ioctl`. The type of libc's differs by machine.
const FIONBIO: u64 = 0x5421;

/// What `prctl` may do: name a thread, name memory, and once more give up what was given up, for the next filter.
const PRCTL_OPTIONS: &[i32] = &[libc::PR_SET_NAME, libc::PR_SET_VMA, libc::PR_SET_NO_NEW_PRIVS];

/// What `socketcall` may do: send, recv, sendto, recvfrom.
#[cfg(target_arch = "x86")]
const SOCKETCALLS: &[u64] = &[9, 10, 11, 12];

/// The number of `recvmsg` for `socketcall`.
#[cfg(target_arch = "x86")]
const SOCKETCALL_RECVMSG: u64 = 17;

/// The table for the process `own`.
pub fn allowed(rules: &Rules<'_>, own: u32) -> Result<Rows, BackendError> {
    let mut table = Table::default();
    table.any(ALWAYS);
    // For the next filters, the last of which forbids it.
    table.any(&[libc::SYS_seccomp]);
    #[cfg(target_pointer_width = "32")]
    table.any(ALWAYS_TIME64);
    with_arguments(&mut table, own)?;
    if rules.receives {
        table.any(&[libc::SYS_recvmsg]);
        #[cfg(target_arch = "x86")]
        table.with(libc::SYS_socketcall, &[(0, Eq, SOCKETCALL_RECVMSG)])?;
    }
    if rules.makes_threads {
        // The filter that says that there is no such call decides.
        table.any(&[libc::SYS_clone3]);
        for flags in THREAD_FLAGS {
            table.with(libc::SYS_clone, &[(0, Eq, *flags)])?;
        }
    }
    if !rules.dirs.is_empty() {
        table.any(READING);
    }
    if rules.writes() {
        table.any(WRITING);
    }
    Ok(table.rows())
}

/// Adds the calls of which only some uses are harmless.
fn with_arguments(table: &mut Table, own: u32) -> Result<(), BackendError> {
    // Memory that holds no code and is no file's.
    let is_no_code = (2, MaskedEq(libc::PROT_EXEC as u64), 0);
    let anonymous = libc::MAP_ANONYMOUS as u64;
    table.with(MMAP, &[is_no_code.clone(), (3, MaskedEq(anonymous), anonymous)])?;
    table.with(libc::SYS_mprotect, &[is_no_code])?;
    for advice in ADVICE {
        table.with(libc::SYS_madvise, &[(2, Eq, *advice as u64)])?;
    }
    for command in FCNTL_COMMANDS {
        for call in FCNTLS {
            table.with(*call, &[(1, Eq, *command as u64)])?;
        }
    }
    for option in PRCTL_OPTIONS {
        table.with(libc::SYS_prctl, &[(0, Eq, *option as u64)])?;
    }
    table.with(libc::SYS_ioctl, &[(1, Eq, FIONBIO)])?;
    // To whom the socket is connected, and nobody else.
    table.with_null(libc::SYS_sendto, 4, &[])?;
    // Limits are read, of this process. rustix takes for granted that this works.
    table.with_null(libc::SYS_prlimit64, 2, &[(0, Eq, 0)])?;
    // By which `abort` ends the process.
    table.with(libc::SYS_tgkill, &[(0, Eq, u64::from(own))])?;
    #[cfg(target_arch = "x86")]
    for call in SOCKETCALLS {
        table.with(libc::SYS_socketcall, &[(0, Eq, *call)])?;
    }
    Ok(())
}
