//! What the kernel can do, asked without confining this process. The crates for both only try.
#![allow(unsafe_code)]

/// What the kernel supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    /// The version of Landlock's ABI, if it is enabled.
    pub landlock: Option<u32>,
    /// Whether there are seccomp filters that kill a process and cover all of its threads.
    pub seccomp: bool,
}

/// The flag of `landlock_create_ruleset` that only asks for the version.
const CREATE_RULESET_VERSION: libc::c_uint = 1;

/// Asks the kernel.
pub fn support() -> Support {
    Support { landlock: landlock(), seccomp: seccomp() }
}

fn landlock() -> Option<u32> {
    let nothing = std::ptr::null::<u8>();
    // SAFETY: with this flag, the kernel takes no attribute and reads no memory; it creates nothing.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, CREATE_RULESET_VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

fn seccomp() -> bool {
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    let flags: libc::c_ulong = 0;
    // SAFETY: the kernel reads the four bytes of `action`, which live here, and changes nothing.
    let known =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, flags, &raw const action) };
    known == 0
}
