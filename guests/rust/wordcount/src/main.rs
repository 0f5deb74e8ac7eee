//! Counts its standard input like `wc`: lines, words and bytes, separated by one space.
//! `-l`, `-w` and `-c` print only the lines, the words or the bytes.
//! Convention: command (WASI). Exit code 1 when reading or writing fails, 2 for an unknown argument.
//!
//! A line ends with a newline byte. A word is a run of bytes other than the ASCII white space of C's `isspace`.
//! GNU wc also leaves out words without a printable character, so it may count fewer in binary input.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;

/// Bytes read at a time. The input is never held whole, so its size does not matter to the memory cap.
const BUFFER_BYTES: usize = 16 * 1024;

#[derive(Clone, Copy, PartialEq)]
enum Column {
    Lines,
    Words,
    Bytes,
}

/// In the order in which they print, whatever the order of the arguments.
const COLUMNS: [Column; 3] = [Column::Lines, Column::Words, Column::Bytes];

#[derive(Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
    /// The last byte belonged to a word, which may go on in the next chunk.
    in_word: bool,
}

impl Counts {
    fn add(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            // Tab, newline, vertical tab, form feed, carriage return, space. `is_ascii_whitespace` leaves out 0x0B.
            let in_word = !matches!(byte, b'\t'..=b'\r' | b' ');
            self.words += u64::from(in_word && !self.in_word);
            self.lines += u64::from(byte == b'\n');
            self.in_word = in_word;
        }
        self.bytes += chunk.len() as u64;
    }

    fn column(&self, column: Column) -> u64 {
        match column {
            Column::Lines => self.lines,
            Column::Words => self.words,
            Column::Bytes => self.bytes,
        }
    }
}

fn main() -> ExitCode {
    let chosen = match parse(env::args_os().skip(1)) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            let unknown = unknown.to_string_lossy();
            eprintln!("wordcount: unknown argument '{unknown}'; it takes -l (lines), -w (words) and -c (bytes)");
            return ExitCode::from(2);
        }
    };
    match count(io::stdin().lock()).and_then(|counts| print(&counts, &chosen)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The columns asked for, or the first argument that names none.
fn parse(args: impl Iterator<Item = OsString>) -> Result<Vec<Column>, OsString> {
    args.map(|arg| match arg.to_str() {
        Some("-l") => Ok(Column::Lines),
        Some("-w") => Ok(Column::Words),
        Some("-c") => Ok(Column::Bytes),
        _ => Err(arg),
    })
    .collect()
}

fn count(mut input: impl Read) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(counts),
            Ok(len) => counts.add(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn print(counts: &Counts, chosen: &[Column]) -> io::Result<()> {
    let numbers: Vec<String> = COLUMNS
        .into_iter()
        .filter(|column| chosen.is_empty() || chosen.contains(column))
        .map(|column| counts.column(column).to_string())
        .collect();
    let mut output = io::stdout().lock();
    writeln!(output, "{}", numbers.join(" "))?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn counts(chunks: &[&[u8]]) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        for chunk in chunks {
            counts.add(chunk);
        }
        (counts.lines, counts.words, counts.bytes)
    }

    #[test]
    fn a_word_may_span_chunks() {
        assert_eq!(counts(&[b"one tw", b"o\nthr", b"", b"ee"]), (1, 3, 13));
        assert_eq!(counts(&[b"one", b" ", b"two"]), (0, 2, 7));
    }

    #[test]
    fn all_six_white_space_bytes_separate_and_no_others() {
        assert_eq!(counts(&[b"a\tb\nc\x0bd\x0ce\rf g"]), (1, 7, 13));
        assert_eq!(counts(&[b"a\0b\x08\x0e\x1f\x7f\x85\xa0\xff"]), (0, 1, 10));
    }
}
