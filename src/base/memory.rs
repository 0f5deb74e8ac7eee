//! What the system tells of a process's memory.

use std::fmt::Display;

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Its address space.
    pub space: u64,
    /// What is resident.
    pub resident: u64,
    /// The part of that which is of files.
    pub of_files: u64,
}

impl Memory {
    /// Of the process with this number, or `self`, if the system tells (proc_pid_statm(5): in pages, in this order).
    pub fn of(process: impl Display) -> Option<Memory> {
        let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
        let page = rustix::param::page_size() as u64;
        let mut fields = statm.split_ascii_whitespace().map(|pages| pages.parse().ok());
        let mut next = || fields.next().flatten().map(|pages: u64| pages.saturating_mul(page));
        Some(Memory { space: next()?, resident: next()?, of_files: next()? })
    }

    /// Of this process.
    pub fn own() -> Option<Memory> {
        Memory::of("self")
    }
}
