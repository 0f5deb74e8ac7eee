//! Numbers of system calls that `libc` does not name on every machine. From 403 on, they are the same on all.

use libc::c_long;

/// `memfd_secret`.
pub const MEMFD_SECRET: c_long = 447;

/// The calls of 32-bit machines that count time in 64 bits.
#[cfg(target_pointer_width = "32")]
pub mod time64 {
    use libc::c_long;

    pub const CLOCK_GETTIME: c_long = 403;
    pub const CLOCK_GETRES: c_long = 406;
    pub const CLOCK_NANOSLEEP: c_long = 407;
    pub const UTIMENSAT: c_long = 412;
    pub const PPOLL: c_long = 414;
    pub const FUTEX: c_long = 422;
}

/// `posix_fadvise` where its arguments are in another order.
#[cfg(target_arch = "arm")]
pub const ARM_FADVISE64_64: c_long = 270;
