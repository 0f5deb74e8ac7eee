//! Closes what a process inherited and does not know of.
#![allow(unsafe_code)]

/// Closes every descriptor but the three standard ones. To be called first of all in a process.
///
/// # Safety of the calls
/// `close` and `close_range` are unsafe to Rust because another part of the process may own the descriptor. At the
/// beginning of `main` there is no other part: the standard library has opened nothing, and no thread runs.
pub fn close_all_but_standard() {
    // SAFETY: as above. Through `syscall`, because not every libc has a function for it.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    if closed == 0 {
        return;
    }
    // Linux before 5.9.
    let listed: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .map(|listed| listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
        .unwrap_or_else(|_| (3..1024).collect());
    for descriptor in listed.into_iter().filter(|descriptor| *descriptor > 2) {
        // SAFETY: as above. One that is closed already, such as the listing's, gives EBADF and nothing else.
        unsafe { libc::close(descriptor) };
    }
}
