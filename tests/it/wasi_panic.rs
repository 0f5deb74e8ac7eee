//! A panic in the host's own code during a call ends the run, and nothing more.

use crate::support::{job, program};
use fuelbox::abi::{Job, command};
use fuelbox::host::streams::{SharedWriter, SinkTo};
use fuelbox::{Error, Invocation, Limits, Stdin};
use std::sync::{Arc, Mutex};

const GUEST: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\04\00\00\00")
    (func $deep (param i32)
      (if (local.get 0)
        (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
        (else
          (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))))
    (func (export "_start") (call $deep (i32.const 100))))"#;

/// A writer that an embedder got wrong.
struct Panics;

impl std::io::Write for Panics {
    fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
        panic!("the embedder's writer panics");
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_in_a_writer_or_reader_is_an_error_of_that_run() {
    let limits = Limits::default();
    let program = program(GUEST, &limits);
    for _ in 0..3 {
        let writer: SharedWriter = Arc::new(Mutex::new(Panics));
        let bad = Job { stdout: SinkTo::Writer(writer), ..job(&program, &limits) };
        let error = command::run(bad, Invocation::default()).unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error}");

        let stdin = Stdin::Lazy(Box::new(|| panic!("the embedder's reader panics")));
        let invocation = Invocation { stdin, ..Invocation::default() };
        let error = command::run(job(&program, &limits), invocation).unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error}");

        // The next run knows nothing of it.
        let report = command::run(job(&program, &limits), Invocation::default()).unwrap();
        assert_eq!(report.result, Ok(vec![0; 4]));
    }
}
