//! `wasi:filesystem`: files and directories. They are those of preview1, and what changes them is under the same limits.

mod codes;
mod descriptor;
mod entries;
mod file;
mod metadata;
mod paths;
mod transfer;

use crate::host::component::function::{Interface, Row};

/// `wasi:filesystem/types`.
#[rustfmt::skip]
pub const TYPES: Interface = Interface {
    name: "wasi:filesystem/types",
    types: "use wasi:io/streams.{input-stream, output-stream, error};
        use wasi:clocks/wall-clock.{datetime};
        type filesize = u64;
        enum descriptor-type {
            unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file, socket
        }
        flags descriptor-flags {
            read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory
        }
        flags path-flags { symlink-follow }
        flags open-flags { create, directory, exclusive, truncate }
        type link-count = u64;
        record descriptor-stat {
            %type: descriptor-type,
            link-count: link-count,
            size: filesize,
            data-access-timestamp: option<datetime>,
            data-modification-timestamp: option<datetime>,
            status-change-timestamp: option<datetime>
        }
        variant new-timestamp { no-change, now, timestamp(datetime) }
        record directory-entry { %type: descriptor-type, name: string }
        enum error-code {
            access, would-block, already, bad-descriptor, busy, deadlock, quota, exist, file-too-large,
            illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop, too-many-links,
            message-size, name-too-long, no-device, no-entry, no-lock, insufficient-memory, insufficient-space,
            not-directory, not-empty, not-recoverable, unsupported, no-tty, no-such-device, overflow,
            not-permitted, pipe, read-only, invalid-seek, text-file-busy, cross-device
        }
        enum advice { normal, sequential, random, will-need, dont-need, no-reuse }
        record metadata-hash-value { lower: u64, upper: u64 }
        resource descriptor;
        resource directory-entry-stream;",
    rows: &[
        Row { name: "[method]descriptor.read-via-stream", ty: "(self: borrow<descriptor>, offset: filesize) -> result<own<input-stream>, error-code>", call: transfer::read_via_stream },
        Row { name: "[method]descriptor.write-via-stream", ty: "(self: borrow<descriptor>, offset: filesize) -> result<own<output-stream>, error-code>", call: transfer::write_via_stream },
        Row { name: "[method]descriptor.append-via-stream", ty: "(self: borrow<descriptor>) -> result<own<output-stream>, error-code>", call: transfer::append_via_stream },
        Row { name: "[method]descriptor.advise", ty: "(self: borrow<descriptor>, offset: filesize, length: filesize, advice: advice) -> result<_, error-code>", call: file::advise },
        Row { name: "[method]descriptor.sync-data", ty: "(self: borrow<descriptor>) -> result<_, error-code>", call: file::sync_data },
        Row { name: "[method]descriptor.get-flags", ty: "(self: borrow<descriptor>) -> result<descriptor-flags, error-code>", call: file::get_flags },
        Row { name: "[method]descriptor.get-type", ty: "(self: borrow<descriptor>) -> result<descriptor-type, error-code>", call: file::get_type },
        Row { name: "[method]descriptor.set-size", ty: "(self: borrow<descriptor>, size: filesize) -> result<_, error-code>", call: file::set_size },
        Row { name: "[method]descriptor.set-times", ty: "(self: borrow<descriptor>, data-access-timestamp: new-timestamp, data-modification-timestamp: new-timestamp) -> result<_, error-code>", call: metadata::set_times },
        Row { name: "[method]descriptor.read", ty: "(self: borrow<descriptor>, length: filesize, offset: filesize) -> result<tuple<list<u8>, bool>, error-code>", call: transfer::read },
        Row { name: "[method]descriptor.write", ty: "(self: borrow<descriptor>, buffer: list<u8>, offset: filesize) -> result<filesize, error-code>", call: transfer::write },
        Row { name: "[method]descriptor.read-directory", ty: "(self: borrow<descriptor>) -> result<own<directory-entry-stream>, error-code>", call: entries::read_directory },
        Row { name: "[method]descriptor.sync", ty: "(self: borrow<descriptor>) -> result<_, error-code>", call: file::sync },
        Row { name: "[method]descriptor.create-directory-at", ty: "(self: borrow<descriptor>, path: string) -> result<_, error-code>", call: paths::create_directory_at },
        Row { name: "[method]descriptor.stat", ty: "(self: borrow<descriptor>) -> result<descriptor-stat, error-code>", call: metadata::stat },
        Row { name: "[method]descriptor.stat-at", ty: "(self: borrow<descriptor>, path-flags: path-flags, path: string) -> result<descriptor-stat, error-code>", call: metadata::stat_at },
        Row { name: "[method]descriptor.set-times-at", ty: "(self: borrow<descriptor>, path-flags: path-flags, path: string, data-access-timestamp: new-timestamp, data-modification-timestamp: new-timestamp) -> result<_, error-code>", call: metadata::set_times_at },
        Row { name: "[method]descriptor.link-at", ty: "(self: borrow<descriptor>, old-path-flags: path-flags, old-path: string, new-descriptor: borrow<descriptor>, new-path: string) -> result<_, error-code>", call: paths::link_at },
        Row { name: "[method]descriptor.open-at", ty: "(self: borrow<descriptor>, path-flags: path-flags, path: string, open-flags: open-flags, %flags: descriptor-flags) -> result<own<descriptor>, error-code>", call: paths::open_at },
        Row { name: "[method]descriptor.readlink-at", ty: "(self: borrow<descriptor>, path: string) -> result<string, error-code>", call: paths::readlink_at },
        Row { name: "[method]descriptor.remove-directory-at", ty: "(self: borrow<descriptor>, path: string) -> result<_, error-code>", call: paths::remove_directory_at },
        Row { name: "[method]descriptor.rename-at", ty: "(self: borrow<descriptor>, old-path: string, new-descriptor: borrow<descriptor>, new-path: string) -> result<_, error-code>", call: paths::rename_at },
        Row { name: "[method]descriptor.symlink-at", ty: "(self: borrow<descriptor>, old-path: string, new-path: string) -> result<_, error-code>", call: paths::symlink_at },
        Row { name: "[method]descriptor.unlink-file-at", ty: "(self: borrow<descriptor>, path: string) -> result<_, error-code>", call: paths::unlink_file_at },
        Row { name: "[method]descriptor.is-same-object", ty: "(self: borrow<descriptor>, other: borrow<descriptor>) -> bool", call: metadata::is_same_object },
        Row { name: "[method]descriptor.metadata-hash", ty: "(self: borrow<descriptor>) -> result<metadata-hash-value, error-code>", call: metadata::metadata_hash },
        Row { name: "[method]descriptor.metadata-hash-at", ty: "(self: borrow<descriptor>, path-flags: path-flags, path: string) -> result<metadata-hash-value, error-code>", call: metadata::metadata_hash_at },
        Row { name: "[method]directory-entry-stream.read-directory-entry", ty: "(self: borrow<directory-entry-stream>) -> result<option<directory-entry>, error-code>", call: entries::read_directory_entry },
        Row { name: "filesystem-error-code", ty: "(err: borrow<error>) -> option<error-code>", call: codes::filesystem_error_code },
    ],
};

/// `wasi:filesystem/preopens`.
pub const PREOPENS: Interface = Interface {
    name: "wasi:filesystem/preopens",
    types: "use wasi:filesystem/types.{descriptor};",
    rows: &[Row {
        name: "get-directories",
        ty: "() -> list<tuple<own<descriptor>, string>>",
        call: descriptor::get_directories,
    }],
};
