//! Reads a directory for `fd_readdir`, in order. A guest may ask for any entry again.
//!
//! A cookie is the index of an entry, from 0: `.` is 0 and `..` is 1. The host's directory stream only moves
//! forward. The last entries are kept, because a guest whose buffer cut one off asks for it next. For an older
//! one, the stream restarts.

use super::abi::{DIRENT_BYTES, Errno, filetype};
use super::dir::{Filestat, errno, filetype_of};
use crate::base::limits::{
    LISTING_ENTRY_BYTES, LISTING_KEPT, LISTING_SORTED_BYTES_MAX, LISTING_SORTED_MAX, LISTING_STEP,
};
use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags};
use std::collections::{BTreeMap, VecDeque};

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// Its inode number.
    pub ino: u64,
    /// Its `filetype`.
    pub filetype: u8,
    /// Its name, in whatever bytes the host has.
    pub name: Vec<u8>,
}

impl DirEntry {
    /// The layout that a guest reads, without the name; `next` is the cookie of the entry after it.
    pub fn head(&self, next: u64) -> [u8; DIRENT_BYTES] {
        let mut out = [0; DIRENT_BYTES];
        out[..8].copy_from_slice(&next.to_le_bytes());
        out[8..16].copy_from_slice(&self.ino.to_le_bytes());
        out[16..20].copy_from_slice(&(self.name.len() as u32).to_le_bytes());
        out[20] = self.filetype;
        out
    }
}

/// A directory being read.
pub struct Listing {
    source: Source,
    /// The number of the entry that the source gives next.
    next: u64,
    /// The entries before it.
    kept: VecDeque<DirEntry>,
    own_ino: u64,
}

enum Source {
    /// The host's stream, in the host's order.
    Stream(rustix::fs::Dir),
    /// The host's stream, while its names are put in order.
    Sorting(Sorting),
    /// All names, sorted: the same order on every machine. They take this many bytes.
    Sorted(Vec<DirEntry>, usize),
}

/// Names in order, as far as they have been read. Each goes to its place at once: to sort them all in the end would
/// take as long as to read them, and nothing interrupts that.
struct Sorting {
    stream: rustix::fs::Dir,
    entries: BTreeMap<Vec<u8>, DirEntry>,
    bytes: usize,
    bytes_max: usize,
}

impl Sorting {
    /// Reads up to [`LISTING_STEP`] entries. Gives how many, and whether there are more. ENOMEM if they are too many.
    fn step(&mut self, dir: &Dir) -> Result<(u64, bool), Errno> {
        for read_before in 0..LISTING_STEP {
            let Some(entry) = read(&mut self.stream, dir)? else { return Ok((read_before, false)) };
            self.bytes += LISTING_ENTRY_BYTES + 2 * entry.name.len();
            if self.entries.len() == LISTING_SORTED_MAX || self.bytes > self.bytes_max {
                return Err(Errno::Nomem);
            }
            self.entries.insert(entry.name.clone(), entry);
        }
        Ok((LISTING_STEP, true))
    }
}

/// What there is under a number.
pub enum Found<'a> {
    /// This entry.
    Entry(&'a DirEntry),
    /// Nothing: there are fewer.
    End,
    /// It is not yet reached; ask again.
    Further,
}

impl Listing {
    /// Begins to read `dir`; in the order of the names, if `others` tells how many bytes other sorted
    /// directories take already.
    pub fn new(dir: &Dir, others: Option<usize>) -> Result<Listing, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(dir, ".", flags, Mode::empty()).map_err(|e| errno(&e.into()))?;
        let stream = rustix::fs::Dir::new(fd).map_err(|e| errno(&e.into()))?;
        let own_ino = Filestat::of_dir(dir)?.ino;
        let source = match others {
            Some(others) => Source::Sorting(Sorting {
                stream,
                entries: BTreeMap::new(),
                bytes: 0,
                bytes_max: LISTING_SORTED_BYTES_MAX.saturating_sub(others),
            }),
            None => Source::Stream(stream),
        };
        Ok(Listing { source, next: 0, kept: VecDeque::new(), own_ino })
    }

    /// Whether it holds a stream of the host open.
    pub fn is_stream(&self) -> bool {
        matches!(self.source, Source::Stream(_))
    }

    /// Whether its names are being put in order, so that the call that began it comes again.
    pub fn is_sorting(&self) -> bool {
        matches!(self.source, Source::Sorting(_))
    }

    /// Bytes that entries in order take.
    pub fn sorted_bytes(&self) -> usize {
        match &self.source {
            Source::Stream(_) => 0,
            Source::Sorting(sorting) => sorting.bytes,
            Source::Sorted(_, bytes) => *bytes,
        }
    }

    /// The entry numbered `cookie`, and how many had to be read to get there. ENOMEM if there are too many to sort.
    pub fn entry(&mut self, dir: &Dir, cookie: u64) -> Result<(Found<'_>, u64), Errno> {
        if cookie < self.next - self.kept.len() as u64 {
            self.kept.clear();
            self.next = 0;
            if let Source::Stream(stream) = &mut self.source {
                stream.rewind();
            }
        }
        let mut read = 0;
        if let Source::Sorting(sorting) = &mut self.source {
            let is_more;
            (read, is_more) = sorting.step(dir)?;
            if is_more {
                return Ok((Found::Further, read));
            }
            let entries = std::mem::take(&mut sorting.entries).into_values().collect();
            self.source = Source::Sorted(entries, sorting.bytes);
        }
        while self.next <= cookie {
            if read >= LISTING_STEP {
                return Ok((Found::Further, read));
            }
            let Some(entry) = self.following(dir)? else { return Ok((Found::End, read)) };
            if self.kept.len() == LISTING_KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back(entry);
            self.next += 1;
            read += 1;
        }
        let at = self.kept.len() - (self.next - cookie) as usize;
        Ok((self.kept.get(at).map_or(Found::End, Found::Entry), read))
    }

    fn following(&mut self, dir: &Dir) -> Result<Option<DirEntry>, Errno> {
        let dots: [&[u8]; 2] = [b".", b".."];
        if let Some(name) = dots.get(self.next as usize) {
            // A guest's directory is its root, and above a root is the root itself (POSIX, 4.13).
            let entry = DirEntry { ino: self.own_ino, filetype: filetype::DIRECTORY, name: name.to_vec() };
            return Ok(Some(entry));
        }
        match &mut self.source {
            Source::Stream(stream) => read(stream, dir),
            // It is sorted before it is asked.
            Source::Sorting(_) => Ok(None),
            Source::Sorted(all, _) => Ok(all.get(self.next as usize - dots.len()).cloned()),
        }
    }
}

/// The next entry of `stream` but `.` and `..`.
fn read(stream: &mut rustix::fs::Dir, dir: &Dir) -> Result<Option<DirEntry>, Errno> {
    loop {
        let Some(entry) = stream.read() else { return Ok(None) };
        let entry = entry.map_err(|error| errno(&error.into()))?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = filetype_of(entry.file_type());
        if entry.file_type() == rustix::fs::FileType::Unknown {
            // Some file systems do not say it in the listing.
            let stat = std::str::from_utf8(name).map(|name| Filestat::of_path(dir, name, false));
            kind = stat.map_or(kind, |stat| stat.map_or(kind, |stat| stat.filetype));
        }
        return Ok(Some(DirEntry { ino: entry.ino(), filetype: kind, name: name.to_vec() }));
    }
}
