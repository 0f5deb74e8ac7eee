//! Runs commands in turns and tells what each process took: wall time, CPU time and peak memory.
//!
//! A program of its own because what starts a process shows in its figures: a child made by vfork(2) inherits its
//! parent's peak memory, so that under Python everything would seem to take ten megabytes.
//!
//! `measure ROUNDS`, with a command on each line of standard input, its words parted by tabs. Writes a line for
//! each process: index of the command, wall time in ns, CPU time in µs, peak memory in KiB, wait status.

use std::ffi::{c_int, c_long};
use std::io::{BufRead, Write};
use std::process::{Command, Stdio, exit};
use std::time::Instant;

/// `struct rusage` of 64-bit Linux (getrusage(2)): the fields that are read, and as many as there are.
#[repr(C)]
#[derive(Default)]
struct Usage {
    user: [c_long; 2],
    system: [c_long; 2],
    peak_kib: c_long,
    rest: [c_long; 13],
}

unsafe extern "C" {
    fn wait4(pid: c_int, status: *mut c_int, options: c_int, usage: *mut Usage) -> c_int;
}

fn measure(words: &[&str]) -> (u128, c_long, c_long, c_int) {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let child = command.spawn().unwrap_or_else(|error| {
        eprintln!("measure: {}: {error}", words[0]);
        exit(1)
    });
    let (mut status, mut usage) = (0, Usage::default());
    // SAFETY: both pointers are to live values of the types that the call writes.
    let waited = unsafe { wait4(child.id() as c_int, &mut status, 0, &mut usage) };
    let wall = begin.elapsed().as_nanos();
    assert_eq!(waited, child.id() as c_int);
    let micros = |time: [c_long; 2]| time[0] * 1_000_000 + time[1];
    (wall, micros(usage.user) + micros(usage.system), usage.peak_kib, status)
}

fn main() {
    let rounds: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let lines: Vec<String> = std::io::stdin().lock().lines().map_while(Result::ok).collect();
    let mut out = std::io::stdout().lock();
    for _ in 0..rounds {
        for (index, line) in lines.iter().enumerate() {
            let words: Vec<&str> = line.split('\t').collect();
            let (wall, cpu, peak, status) = measure(&words);
            let _ = writeln!(out, "{index}\t{wall}\t{cpu}\t{peak}\t{status}");
        }
    }
}
