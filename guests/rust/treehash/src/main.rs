//! Prints the SHA-256 of each file below the folders that it is given, as `HASH  PATH`, sorted by path.
//! Convention: command (WASI). Exit code 1 when something cannot be read (the rest is printed nevertheless),
//! 2 without an argument.
//!
//!   fuelbox run --dir some/folder::/data treehash.wasm -- /data
//!
//! Symbolic links are not followed, so that no loop is walked and no file is hashed twice.

use sha2::{Digest, Sha256};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes read at a time: a file is never held whole.
const BUFFER_BYTES: usize = 16 * 1024;

fn main() -> ExitCode {
    let roots: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if roots.is_empty() {
        eprintln!("treehash: name a folder, for example: treehash /data");
        return ExitCode::from(2);
    }
    let (mut files, mut good) = (Vec::new(), true);
    for root in &roots {
        good &= walk(root, &mut files);
    }
    files.sort();
    let mut output = io::stdout().lock();
    for path in &files {
        match hash(path) {
            Ok(hash) => {
                if let Err(error) = writeln!(output, "{hash}  {}", path.display()) {
                    eprintln!("treehash: {error}");
                    return ExitCode::FAILURE;
                }
            }
            Err(error) => good = complain(path, &error),
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Collects the files below `dir`. False if a folder in it cannot be read.
fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> bool {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return complain(dir, &error),
    };
    let mut good = true;
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok((path, kind)) if kind.is_dir() => good &= walk(&path, files),
            Ok((path, kind)) if kind.is_file() => files.push(path),
            Ok(_) => {}
            Err(error) => good = complain(dir, &error),
        }
    }
    good
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            len => hasher.update(&buffer[..len]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Says what went wrong with `path`, and is false.
fn complain(path: &Path, error: &io::Error) -> bool {
    eprintln!("treehash: {}: {error}", path.display());
    false
}
