//! The descriptor table of a run. A guest's descriptor is an index here, never a descriptor of the host.

use super::abi::{Errno, fdflags, rights};
use super::dir::{Filestat, Preopen};
use super::listing::Listing;
use crate::host::streams::{Input, Sink, SinkTo, Stdin};
use cap_std::fs::Dir;
use std::fs::File;
use std::sync::Arc;

/// What an open descriptor stands for.
pub enum Descriptor {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A regular file.
    File(OpenFile),
    /// A directory.
    Dir(OpenDir),
}

/// An open file.
pub struct OpenFile {
    /// The host's file.
    pub file: File,
    /// Where the next read or write begins.
    pub position: u64,
    /// `fdflags`.
    pub flags: u16,
    /// Whether it was opened for reading and for writing.
    pub readable: bool,
    /// See above.
    pub writable: bool,
    /// The size that it has had at least; a write beyond it is looked at more closely.
    pub size_seen: u64,
}

/// An open directory.
pub struct OpenDir {
    /// The host's directory.
    pub dir: Arc<Dir>,
    /// The guest's name for it, if it was open from the start.
    pub preopened_as: Option<String>,
    /// Where `fd_readdir` is.
    pub listing: Option<Listing>,
}

/// A descriptor with its rights.
///
/// Engines have agreed to phase out rights, and programs ask for wrong ones: what a guest did not ask for in
/// `path_open` is reported and not enforced. What it gives up by `fd_fdstat_set_rights` is refused from then
/// on, on everything opened through the descriptor too; and what a read-only directory takes away, always.
pub struct Entry {
    /// What it stands for.
    pub what: Descriptor,
    /// Rights as reported.
    pub base: u64,
    /// Rights that descriptors opened through it can have.
    pub inheriting: u64,
    /// Rights that were given up.
    pub given_up: u64,
    /// The same for what is opened through it.
    pub given_up_inheriting: u64,
    /// Whether it lies in a read-only directory.
    pub read_only: bool,
}

impl Entry {
    /// An entry with all of `base` and `inheriting`.
    pub fn new(what: Descriptor, base: u64, inheriting: u64, read_only: bool) -> Entry {
        let denied = if read_only { rights::CHANGING } else { 0 };
        let (base, inheriting) = (base & !denied, inheriting & !denied);
        Entry { what, base, inheriting, given_up: 0, given_up_inheriting: 0, read_only }
    }

    /// ENOTCAPABLE if `right` was given up, EROFS if the directory is read-only and it changes something.
    pub fn need(&self, right: u64) -> Result<(), Errno> {
        if self.read_only && right & rights::CHANGING != 0 {
            return Err(Errno::Rofs);
        }
        if self.given_up & right != 0 { Err(Errno::Notcapable) } else { Ok(()) }
    }

    /// Which of the standard streams it is: 0, 1 or 2, whatever number it has by now.
    pub fn stream(&self) -> Option<usize> {
        match self.what {
            Descriptor::Stdin => Some(0),
            Descriptor::Stdout => Some(1),
            Descriptor::Stderr => Some(2),
            Descriptor::File(_) | Descriptor::Dir(_) => None,
        }
    }

    /// The open file, if that is what it is. EBADF for a directory, as in wasmtime; ESPIPE for a stream.
    pub fn file(&mut self, right: u64) -> Result<&mut OpenFile, Errno> {
        self.file_or(right, Errno::Spipe)
    }

    /// As [`Entry::file`], with another errno for a stream.
    pub fn file_or(&mut self, right: u64, of_stream: Errno) -> Result<&mut OpenFile, Errno> {
        let allowed = self.need(right);
        match &mut self.what {
            Descriptor::File(file) => allowed.map(|()| file),
            Descriptor::Dir(_) => Err(Errno::Badf),
            _ => Err(of_stream),
        }
    }

    /// The open directory, if that is what it is; ENOTDIR for a file, EBADF for a stream.
    pub fn dir(&mut self, right: u64) -> Result<&mut OpenDir, Errno> {
        let allowed = self.need(right);
        match &mut self.what {
            Descriptor::Dir(dir) => allowed.map(|()| dir),
            Descriptor::File(_) => Err(Errno::Notdir),
            _ => Err(Errno::Badf),
        }
    }
}

/// The open descriptors by number, and the streams behind the first three.
pub struct Files {
    open: Vec<Option<Entry>>,
    limit: usize,
    /// Standard input.
    pub stdin: Input,
    /// Standard output; here still when a guest has closed its descriptor.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
    /// Bytes that may yet be written to files.
    pub quota: u64,
}

impl Files {
    /// Descriptors 0, 1 and 2, and at most `limit` together.
    pub fn new(stdin: Stdin, stdout: Sink, stderr: Sink, limit: usize, quota: u64) -> Files {
        let stream = |what, direction| {
            let base =
                direction | rights::FD_FILESTAT_GET | rights::FD_FDSTAT_SET_FLAGS | rights::POLL_FD_READWRITE;
            Some(Entry::new(what, base, 0, false))
        };
        let open = vec![
            stream(Descriptor::Stdin, rights::FD_READ),
            stream(Descriptor::Stdout, rights::FD_WRITE),
            stream(Descriptor::Stderr, rights::FD_WRITE),
        ];
        Files { open, limit, stdin: Input::new(stdin), stdout, stderr, quota }
    }

    /// No descriptors.
    pub fn closed() -> Files {
        let sink = |stream| Sink::new(stream, 0, SinkTo::Buffer(Vec::new()));
        let stdin = Input::new(Stdin::Empty);
        Files { open: Vec::new(), limit: 0, stdin, stdout: sink("stdout"), stderr: sink("stderr"), quota: 0 }
    }

    /// Takes what standard output has kept. Nothing can be written to it after that.
    #[cfg(feature = "component")]
    pub fn take_stdout(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.stdout, Sink::new("stdout", 0, SinkTo::Buffer(Vec::new()))).into_bytes()
    }

    /// Adds a directory that is open from the start. EMFILE if there is no room for it.
    pub fn preopen(&mut self, preopen: Preopen) -> Result<u32, Errno> {
        let Preopen { dir, guest, read_only } = preopen;
        let dir = OpenDir { dir, preopened_as: Some(guest), listing: None };
        let inheriting = rights::DIRECTORY | rights::FILE;
        self.insert(Entry::new(Descriptor::Dir(dir), rights::DIRECTORY, inheriting, read_only))
    }

    /// The directories that are open from the start, and the guest's names for them.
    #[cfg(feature = "component")]
    pub fn preopened(&self) -> impl Iterator<Item = (u32, &str)> {
        let numbered = (0..).zip(&self.open);
        numbered.filter_map(|(fd, entry)| match &entry.as_ref()?.what {
            Descriptor::Dir(dir) => Some((fd, dir.preopened_as.as_deref()?)),
            _ => None,
        })
    }

    /// What `fd` stands for. EBADF.
    pub fn get(&mut self, fd: u32) -> Result<&mut Entry, Errno> {
        self.open.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// Whether one more descriptor can be opened, or one more directory be read. EMFILE.
    pub fn check_room(&self) -> Result<(), Errno> {
        let streams = self.listings().filter(|listing| listing.is_stream()).count();
        let used = self.open.iter().flatten().count() + streams;
        if used < self.limit { Ok(()) } else { Err(Errno::Mfile) }
    }

    /// Bytes that sorted directories take.
    pub fn sorted_bytes(&self) -> usize {
        self.listings().map(Listing::sorted_bytes).sum()
    }

    /// The directories being read.
    fn listings(&self) -> impl Iterator<Item = &Listing> {
        self.open.iter().flatten().filter_map(|entry| match &entry.what {
            Descriptor::Dir(dir) => dir.listing.as_ref(),
            _ => None,
        })
    }

    /// Opens `entry` under the lowest free number (POSIX, 2.14). EMFILE.
    pub fn insert(&mut self, entry: Entry) -> Result<u32, Errno> {
        self.check_room()?;
        let fd = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if fd == self.open.len() {
            self.open.push(None);
        }
        self.open[fd] = Some(entry);
        Ok(fd as u32)
    }

    /// Closes `fd`. EBADF.
    pub fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.get(fd)?;
        self.open[fd as usize] = None;
        Ok(())
    }

    /// Closes everything.
    pub fn close_all(&mut self) {
        self.open.clear();
        self.stdin = Input::new(Stdin::Empty);
    }

    /// Makes `to`, which must be open, what `from` is, and closes `from`. EBADF.
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.open[to as usize] = self.open[from as usize].take();
        }
        Ok(())
    }

    /// The sink behind an output. EBADF.
    pub fn output(&mut self, fd: u32) -> Result<&mut Sink, Errno> {
        match self.get(fd)?.what {
            Descriptor::Stdout => Ok(&mut self.stdout),
            Descriptor::Stderr => Ok(&mut self.stderr),
            _ => Err(Errno::Badf),
        }
    }

    /// Takes `bytes` off the quota. EDQUOT if there are not as many.
    pub fn spend(&mut self, bytes: u64) -> Result<(), Errno> {
        self.quota = self.quota.checked_sub(bytes).ok_or(Errno::Dquot)?;
        Ok(())
    }

    /// Writes `bytes` to the file `fd`: at `at`, or else at its position, which moves on. Short if the quota
    /// does not allow all of them. EBADF, EDQUOT, EFBIG and what the host says.
    pub fn write_file(
        &mut self,
        fd: u32,
        bytes: &[std::io::IoSlice<'_>],
        at: Option<u64>,
    ) -> Result<u32, Errno> {
        let quota = self.quota;
        let file = self.get(fd)?.file(rights::FD_WRITE)?;
        if !file.writable {
            return Err(Errno::Badf);
        }
        let wanted: u64 = bytes.iter().map(|piece| piece.len() as u64).sum();
        if wanted == 0 {
            return Ok(0);
        }
        let begin = at.unwrap_or(file.position);
        let appends = file.flags & fdflags::APPEND != 0;
        // Bytes between the end of the file and where it is written count: not every file system has holes.
        let gap = if appends { 0 } else { file.gap(begin)? };
        let room = quota.checked_sub(gap).filter(|room| *room > 0).ok_or(Errno::Dquot)?;
        let written = file.put(bytes, begin, appends, room.min(wanted))?;
        if at.is_none() {
            file.position = if appends { file.size()? } else { begin + written };
        }
        file.size_seen = file.size_seen.max(if appends { 0 } else { begin + written });
        self.quota -= gap + written;
        Ok(written as u32)
    }
}

impl OpenFile {
    /// Its size in bytes.
    pub fn size(&self) -> Result<u64, Errno> {
        Ok(Filestat::of_file(&self.file)?.size)
    }

    /// How far `begin` lies behind the end.
    fn gap(&mut self, begin: u64) -> Result<u64, Errno> {
        if begin > self.size_seen {
            self.size_seen = self.size()?;
        }
        Ok(begin.saturating_sub(self.size_seen))
    }

    /// Writes the first `limit` of `bytes`.
    fn put(
        &self,
        bytes: &[std::io::IoSlice<'_>],
        begin: u64,
        appends: bool,
        limit: u64,
    ) -> Result<u64, Errno> {
        let mut left = limit as usize;
        let mut pieces = Vec::with_capacity(bytes.len());
        for piece in bytes {
            let n = piece.len().min(left);
            left -= n;
            if n > 0 {
                pieces.push(std::io::IoSlice::new(&piece[..n]));
            }
        }
        loop {
            let done = if appends {
                rustix::io::writev(&self.file, &pieces)
            } else {
                rustix::io::pwritev(&self.file, &pieces, begin)
            };
            match done {
                Ok(n) => return Ok(n as u64),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(super::dir::errno(&error.into())),
            }
        }
    }
}
