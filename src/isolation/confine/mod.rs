//! What a process gives up before it runs a guest: new privileges, files, system calls, memory beyond a bound.
use std::io;
use std::os::fd::BorrowedFd;
/// How much a process keeps.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Rules<'a> {
    pub dirs: Vec<(BorrowedFd<'a>, bool)>,
    pub address_bytes: Option<u64>,
    pub descriptors: u64,
    pub makes_threads: bool,
}
#[allow(missing_docs)]
pub fn early() -> io::Result<()> {
    Ok(())
}
#[allow(missing_docs)]
pub fn files(_: &Rules<'_>) -> io::Result<()> {
    Ok(())
}
#[allow(missing_docs)]
pub fn calls(_: &Rules<'_>) -> io::Result<()> {
    Ok(())
}
