//! The confinement of a process that runs guests, tried from within: each test has a process confine itself and make one
//! system call (`src/cli/confined.rs`), with which arguments the test says.

use crate::support::{TempDir, fuelbox_program};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// SIGSYS ended the process.
    Killed,
    /// The call failed with this number.
    Errno(i32),
    /// The call gave this number.
    Result(i64),
    /// The process ended in another way than by telling, or the call did not come back.
    Ended,
}

impl Outcome {
    /// Whether the filters may have refused the call; `EPERM` and `ENOSYS` can be the kernel's own.
    fn is_refusal(self) -> bool {
        matches!(self, Outcome::Killed | Outcome::Errno(libc::EPERM | libc::ENOSYS))
    }
}

const EPERM: Outcome = Outcome::Errno(libc::EPERM);
const EACCES: Outcome = Outcome::Errno(libc::EACCES);

/// The outcome of the call that `words` describe.
fn tried(words: &[&str]) -> Outcome {
    let mut command = Command::new(fuelbox_program());
    let ran = command.arg("__confined").args(words).stdin(Stdio::null()).output().unwrap();
    if ran.status.signal() == Some(libc::SIGSYS) {
        return Outcome::Killed;
    }
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_ne!(ran.status.code(), Some(2), "{words:?} was not tried: {stderr}");
    let said = String::from_utf8(ran.stdout).unwrap();
    match said.trim().split_once(' ') {
        Some(("errno", number)) => Outcome::Errno(number.parse().unwrap()),
        Some(("result", number)) => Outcome::Result(number.parse().unwrap()),
        _ => Outcome::Ended,
    }
}

/// As `tried`: `rules`, the call's number, and its arguments.
fn call(rules: &[&str], number: libc::c_long, arguments: &[&str]) -> Outcome {
    let number = number.to_string();
    tried(&[rules, &[&number], arguments].concat())
}

/// Bytes as `src/cli/confined.rs` reads them.
fn bytes(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("%{hex}")
}

fn at_cwd() -> String {
    libc::AT_FDCWD.to_string()
}

/// The calls that are not refused when all of their arguments are 0, on x86-64. `docs/system-calls.md` has their names.
#[cfg(target_arch = "x86_64")]
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_poll,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_mincore,
    libc::SYS_brk,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_writev,
    libc::SYS_sched_yield,
    libc::SYS_mremap,
    libc::SYS_nanosleep,
    libc::SYS_getpid,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_exit,
    libc::SYS_sigaltstack,
    libc::SYS_gettid,
    libc::SYS_futex,
    libc::SYS_sched_getaffinity,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_exit_group,
    libc::SYS_ppoll,
    libc::SYS_set_robust_list,
    libc::SYS_prlimit64,
    libc::SYS_getrandom,
    libc::SYS_rseq,
];

/// What comes with a directory.
#[cfg(target_arch = "x86_64")]
const READING: &[libc::c_long] = &[
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_fadvise64,
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_readlinkat,
    libc::SYS_statx,
    libc::SYS_openat2,
];

/// What comes with a directory that can be written.
#[cfg(target_arch = "x86_64")]
const WRITING: &[libc::c_long] = &[
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_ftruncate,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_utimensat,
    libc::SYS_fallocate,
    libc::SYS_renameat2,
];

/// `uretprobe` and `uprobe`: since Linux 6.14 and 6.18, the kernel answers them without asking a filter. They do something
/// only where the kernel itself has put them.
#[cfg(target_arch = "x86_64")]
const NEVER_FILTERED: &[libc::c_long] = &[335, 336];

/// Tries every number with arguments of 0, and compares with what is `allowed`.
#[cfg(target_arch = "x86_64")]
fn assert_allows(rules: &[&str], allowed: &[&[libc::c_long]]) {
    let allowed = allowed.concat();
    let wrong_of = |rest: libc::c_long| {
        let numbers = (0..=470).filter(|number| number % 2 == rest && !NEVER_FILTERED.contains(number));
        let outcomes = numbers.map(|number| (number, call(rules, number, &[])));
        let wrong = outcomes.filter(|(number, outcome)| outcome.is_refusal() == allowed.contains(number));
        wrong.collect::<Vec<_>>()
    };
    let wrong = std::thread::scope(|scope| {
        let odd = scope.spawn(|| wrong_of(1));
        [wrong_of(0), odd.join().unwrap()].concat()
    });
    assert!(wrong.is_empty(), "not as listed, with {rules:?}: {wrong:?}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn without_directories_no_call_beyond_the_list_is_allowed() {
    assert_allows(&[], &[ALLOWED]);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_directory_that_is_read_brings_no_call_beyond_its_list() {
    let folder = TempDir::new();
    let dir = format!("ro={}", folder.0.display());
    assert_allows(&["threads", &dir], &[ALLOWED, READING]);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_directory_that_is_written_brings_no_call_beyond_its_list() {
    let folder = TempDir::new();
    let dir = format!("dir={}", folder.0.display());
    assert_allows(&["threads", &dir], &[ALLOWED, READING, WRITING]);
}

#[test]
fn files_outside_of_the_directories_cannot_be_opened() {
    let folder = TempDir::new();
    folder.write("secret", "");
    std::fs::create_dir(folder.0.join("in")).unwrap();
    folder.write("in/plain", "");
    let own = format!("dir={}", folder.0.join("in").display());
    assert_eq!(call(&[], libc::SYS_openat, &[&at_cwd(), "@/etc/passwd", "0"]), EPERM);
    let open = |dir: &str, path| call(&[&own], libc::SYS_openat, &[dir, path, "0"]);
    assert!(matches!(open("dir", "@plain"), Outcome::Result(_)));
    assert_eq!(open(&at_cwd(), "@/etc/passwd"), EACCES);
    assert_eq!(open("dir", "@../secret"), EACCES);
    assert_eq!(open("dir", "@.."), EACCES);
    assert_eq!(open(&at_cwd(), "@/proc/self/environ"), EACCES);
}

#[test]
fn a_read_only_directory_is_not_written() {
    let folder = TempDir::new();
    folder.write("plain", "as it was");
    let (own, other) = (format!("ro={}", folder.0.display()), TempDir::new());
    let beside = format!("dir={}", other.0.display());
    let write_only = libc::O_WRONLY.to_string();
    let creating = (libc::O_WRONLY | libc::O_CREAT).to_string();
    let truncating = (libc::O_RDONLY | libc::O_TRUNC).to_string();
    // With a directory beside that is written, the calls are allowed, and Landlock alone decides.
    for rules in [&[own.as_str()][..], &[&own, &beside]] {
        for (path, flags) in [("@plain", &write_only), ("@new", &creating), ("@plain", &truncating)] {
            assert_eq!(call(rules, libc::SYS_openat, &["dir", path, flags, "420"]), EACCES, "{path} {flags}");
        }
        let refusal = if rules.len() == 1 { EPERM } else { EACCES };
        assert_eq!(call(rules, libc::SYS_mkdirat, &["dir", "@new", "511"]), refusal);
        assert_eq!(call(rules, libc::SYS_unlinkat, &["dir", "@plain", "0"]), refusal);
        assert_eq!(call(rules, libc::SYS_symlinkat, &["@a", "dir", "@new"]), refusal);
        assert_eq!(call(rules, libc::SYS_renameat2, &["dir", "@plain", "dir", "@new", "0"]), refusal);
        assert_eq!(call(rules, libc::SYS_linkat, &["dir", "@plain", "dir", "@new", "0"]), refusal);
    }
    assert_eq!(std::fs::read_to_string(folder.0.join("plain")).unwrap(), "as it was");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn a_directory_that_is_written_takes_files_and_no_devices() {
    let folder = TempDir::new();
    let own = format!("dir={}", folder.0.display());
    let creating = (libc::O_WRONLY | libc::O_CREAT).to_string();
    assert!(matches!(
        call(&[&own], libc::SYS_openat, &["dir", "@new", &creating, "420"]),
        Outcome::Result(_)
    ));
    assert_eq!(call(&[&own], libc::SYS_renameat2, &["dir", "@new", "dir", "@old", "0"]), Outcome::Result(0));
    let pipe = (libc::S_IFIFO | 0o600).to_string();
    assert_eq!(call(&[&own], libc::SYS_mknodat, &["dir", "@pipe", &pipe, "0"]), EPERM);
    assert_eq!(call(&[&own], libc::SYS_fchmodat, &["dir", "@old", "511"]), EPERM);
}

#[test]
fn new_sockets_end_the_process() {
    let folder = TempDir::new();
    let path = folder.0.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut address = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
    address.extend_from_slice(path.to_str().unwrap().as_bytes());
    address.push(0);
    let (size, address) = (address.len().to_string(), bytes(&address));
    for family in [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_NETLINK, libc::AF_PACKET] {
        let arguments = [&family.to_string(), &libc::SOCK_STREAM.to_string(), "0"];
        assert_eq!(call(&[], libc::SYS_socket, &arguments), Outcome::Killed);
    }
    assert_eq!(call(&["threads"], libc::SYS_connect, &["0", &address, &size]), Outcome::Killed);
    // A datagram to somebody else than whom the socket is connected to.
    assert_eq!(call(&[], libc::SYS_sendto, &["1", "@x", "1", "0", &address, &size]), EPERM);
    assert_eq!(call(&[], libc::SYS_sendmsg, &["1", &bytes(&[0; 56]), "0"]), EPERM);
}

#[test]
fn new_processes_and_other_programs_end_the_process() {
    let nothing = bytes(&[0; 8]);
    for rules in [&[][..], &["threads"]] {
        assert_eq!(call(rules, libc::SYS_execve, &["@/bin/true", &nothing, &nothing]), Outcome::Killed);
        let arguments = [&at_cwd(), "@/bin/true", &nothing, &nothing, "0"];
        assert_eq!(call(rules, libc::SYS_execveat, &arguments), Outcome::Killed);
        // As fork(3) does, as vfork(3) does, and into a namespace of its own.
        for flags in [libc::SIGCHLD, libc::CLONE_VM | libc::CLONE_VFORK, libc::CLONE_NEWUSER] {
            assert_eq!(call(rules, libc::SYS_clone, &[&flags.to_string()]), Outcome::Killed);
        }
        assert_eq!(call(rules, libc::SYS_unshare, &[&libc::CLONE_NEWUSER.to_string()]), Outcome::Killed);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(call(rules, libc::SYS_fork, &[]), Outcome::Killed);
    }
    // The size of its argument, and a flag for a process: but it is not even read.
    let of_process = bytes(&[0; 88]);
    assert_eq!(call(&["threads"], libc::SYS_clone3, &[&of_process, "88"]), Outcome::Errno(libc::ENOSYS));
    // A thread that shares no memory would be none.
    assert_eq!(call(&["threads"], libc::SYS_clone, &[&libc::CLONE_THREAD.to_string()]), EPERM);
}

#[test]
fn other_processes_are_out_of_reach() {
    let parent = std::process::id().to_string();
    assert_eq!(call(&[], libc::SYS_ptrace, &[&libc::PTRACE_ATTACH.to_string(), &parent]), Outcome::Killed);
    for target in [&parent, "0", "-1"] {
        assert_eq!(call(&[], libc::SYS_kill, &[target, "0"]), Outcome::Killed);
    }
    assert_eq!(call(&[], libc::SYS_tgkill, &[&parent, &parent, "0"]), Outcome::Killed);
    assert_eq!(call(&[], libc::SYS_tkill, &[&parent, "0"]), EPERM);
    assert_eq!(call(&[], libc::SYS_pidfd_open, &[&parent, "0"]), Outcome::Killed);
    let zeroes = bytes(&[0; 16]);
    let arguments = [parent.as_str(), &zeroes, "1", &zeroes, "1", "0"];
    assert_eq!(call(&[], libc::SYS_process_vm_readv, &arguments), Outcome::Killed);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn memory_never_holds_code_nor_files() {
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let map = |protection: i32, flags: i32| {
        call(&[], libc::SYS_mmap, &["0", "4096", &protection.to_string(), &flags.to_string(), "-1", "0"])
    };
    let data = libc::PROT_READ | libc::PROT_WRITE;
    assert!(matches!(map(data, anonymous), Outcome::Result(_)));
    assert_eq!(map(libc::PROT_EXEC, anonymous), EPERM);
    assert_eq!(map(data | libc::PROT_EXEC, anonymous), EPERM);
    assert_eq!(map(data, libc::MAP_PRIVATE), EPERM);
    let protect = |protection: i32| call(&[], libc::SYS_mprotect, &["0", "0", &protection.to_string()]);
    assert_eq!(protect(data), Outcome::Result(0));
    assert_eq!(protect(data | libc::PROT_EXEC), EPERM);
    assert_eq!(call(&[], libc::SYS_memfd_create, &["@code", "0"]), Outcome::Killed);
}

#[test]
fn limits_and_privileges_do_not_come_back() {
    let unlimited = bytes(&[0xff; 16]);
    for resource in [libc::RLIMIT_AS, libc::RLIMIT_NOFILE, libc::RLIMIT_CORE] {
        let arguments = ["0", &resource.to_string(), &unlimited, "0"];
        assert_eq!(call(&[], libc::SYS_prlimit64, &arguments), EPERM);
    }
    for option in [libc::PR_SET_DUMPABLE, libc::PR_CAPBSET_DROP, libc::PR_SET_SECCOMP] {
        assert_eq!(call(&[], libc::SYS_prctl, &[&option.to_string(), "1"]), EPERM);
    }
    assert_eq!(call(&[], libc::SYS_setuid, &["0"]), Outcome::Killed);
    assert_eq!(
        call(&[], libc::SYS_prctl, &[&libc::PR_SET_NO_NEW_PRIVS.to_string(), "0"]),
        Outcome::Errno(libc::EINVAL)
    );
    assert_eq!(call(&[], libc::SYS_seccomp, &["0", "0", "0"]), Outcome::Killed);
}

#[test]
fn address_space_and_descriptors_are_bounded() {
    // A GiB of address space, by the rules of the command.
    let gib = (1_u64 << 30).to_string();
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).to_string();
    #[cfg(target_pointer_width = "64")]
    assert_eq!(call(&[], libc::SYS_mmap, &["0", &gib, "3", &flags, "-1", "0"]), Outcome::Errno(libc::ENOMEM));
    // 64 descriptors.
    let copy = libc::F_DUPFD_CLOEXEC.to_string();
    assert_eq!(call(&[], libc::SYS_fcntl, &["0", &copy, "63"]), Outcome::Result(63));
    assert_eq!(call(&[], libc::SYS_fcntl, &["0", &copy, "64"]), Outcome::Errno(libc::EINVAL));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_of_another_abi_are_refused() {
    // x32 has numbers of its own for some calls, with this bit; here `execve` and `getpid`.
    for number in [520, 39] {
        assert_eq!(call(&[], 0x4000_0000 | number, &[]), EPERM);
    }
}
