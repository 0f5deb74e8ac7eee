//! System calls that nothing here makes after it is confined, and only an attacker would: they kill the process.
//!
//! Whatever is on neither list fails with EPERM, which a library can live with.

use super::numbers;
use super::rules::Rules;
use super::table::{Rows, Table};
use libc::c_long;
use seccompiler::BackendError;
use seccompiler::SeccompCmpOp::{MaskedEq, Ne};

/// Other programs and processes, and what is theirs.
const PROCESSES: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm"))]
    libc::SYS_fork,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm"))]
    libc::SYS_vfork,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

/// New sockets: those that a confined process needs are connected.
const SOCKETS: &[c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    #[cfg(not(target_arch = "x86"))]
    libc::SYS_accept,
    libc::SYS_accept4,
];

/// Namespaces, mounts, and files by other ways than their paths.
const WORLDS: &[c_long] = &[
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_memfd_create,
    numbers::MEMFD_SECRET,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
];

/// Parts of the kernel that are known for their faults, and the machine itself.
const KERNEL: &[c_long] = &[
    libc::SYS_seccomp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_personality,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Another user, other privileges.
const USERS: &[c_long] = &[
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
];

/// As above, with numbers of users that have 32 bits.
#[cfg(target_pointer_width = "32")]
const USERS_32: &[c_long] = &[
    libc::SYS_setuid32,
    libc::SYS_setgid32,
    libc::SYS_setreuid32,
    libc::SYS_setregid32,
    libc::SYS_setresuid32,
    libc::SYS_setresgid32,
    libc::SYS_setfsuid32,
    libc::SYS_setfsgid32,
    libc::SYS_setgroups32,
];

/// The calls of `socketcall` that [`SOCKETS`] lists: socket, bind, connect, listen, accept, socketpair, accept4.
#[cfg(target_arch = "x86")]
const SOCKETCALLS: &[u64] = &[1, 2, 3, 4, 5, 8, 18];

/// The table for the process `own`.
pub fn attacks(rules: &Rules<'_>, own: u32) -> Result<Rows, BackendError> {
    let mut table = Table::default();
    for calls in [PROCESSES, SOCKETS, WORLDS, KERNEL, USERS] {
        table.any(calls);
    }
    #[cfg(target_pointer_width = "32")]
    table.any(USERS_32);
    #[cfg(target_arch = "x86")]
    for call in SOCKETCALLS {
        table.with(libc::SYS_socketcall, &[(0, seccompiler::SeccompCmpOp::Eq, *call)])?;
    }
    // Signals for others.
    for call in [libc::SYS_kill, libc::SYS_tgkill] {
        table.with(call, &[(0, Ne, u64::from(own))])?;
    }
    if rules.makes_threads {
        // A new process. `clone3`, whose flags a filter cannot read, is answered elsewhere.
        table.with(libc::SYS_clone, &[(0, MaskedEq(libc::CLONE_THREAD as u64), 0)])?;
    } else {
        table.any(&[libc::SYS_clone, libc::SYS_clone3]);
    }
    Ok(table.rows())
}
