//! Modules by the path of their file, read and compiled for each call.

use super::Runner;
use crate::abi::command::{self, Invocation};
use crate::abi::{Job, numeric, pass_bytes};
use crate::base::error::Error;
use crate::base::outcome::{Report, Value};
use crate::host::guest_log::Origin;
use crate::host::streams::SinkTo;
use crate::sandbox::file::load_file;
use std::path::Path;

impl Runner {
    /// Calls a function of numbers in the module file at `path`.
    ///
    /// # Errors
    /// What cannot be read, loaded, found or passed; [`Error::Guest`] if the guest was stopped.
    ///
    /// ```
    /// # use fuelbox::{Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let sum = runner.run_function("guests/prebuilt/add.wasm", "add", &[10.into(), 20.into()])?;
    /// assert_eq!(sum, [30.into()]);
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn run_function(
        &self,
        path: impl AsRef<Path>,
        func: &str,
        params: &[Value],
    ) -> Result<Vec<Value>, Error> {
        Ok(self.report_function(path, func, params)?.result?)
    }

    /// As [`Runner::run_function`], with what the run used.
    ///
    /// # Errors
    /// As there, but a stopped guest is in the report.
    pub fn report_function(
        &self,
        path: impl AsRef<Path>,
        func: &str,
        params: &[Value],
    ) -> Result<Report<Vec<Value>>, Error> {
        let program = load_file(path.as_ref(), self.limits())?;
        numeric::run(self.job(&program, of_file(path.as_ref())), func, params)
    }

    /// Calls `greet` in the module file at `path` with bytes, by the packed convention.
    ///
    /// # Errors
    /// As [`Runner::run_function`].
    pub fn run_greet(&self, path: impl AsRef<Path>, name: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
        self.run_string(path, "greet", name)
    }

    /// Calls any packed function, or one of an Extism plug-in, in the module file at `path`: bytes in, bytes out.
    ///
    /// # Errors
    /// As [`Runner::run_function`].
    ///
    /// ```
    /// # use fuelbox::{Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let out = runner.run_string("guests/prebuilt/greet.wasm", "greet", b"\0\xff")?;
    /// assert_eq!(out, b"Hello, \0\xff");
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn run_string(
        &self,
        path: impl AsRef<Path>,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.report_string(path, func, input)?.result?)
    }

    /// As [`Runner::run_string`], with what the run used.
    ///
    /// # Errors
    /// As there, but a stopped guest is in the report.
    pub fn report_string(
        &self,
        path: impl AsRef<Path>,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Report<Vec<u8>>, Error> {
        let program = load_file(path.as_ref(), self.limits())?;
        pass_bytes(self.job(&program, of_file(path.as_ref())), func, input.as_ref())
    }

    /// Runs the WASI command in the module file at `path`; the result is what it wrote to standard output.
    ///
    /// # Errors
    /// As [`Runner::run_function`]; an exit code other than 0 is [`crate::Stop::Exit`] in the report.
    ///
    /// ```
    /// # use fuelbox::{Invocation, Runner, RunnerConfig, Stdin};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let stdin = Stdin::Bytes(b"one two\n".to_vec());
    /// let call = Invocation { args: vec![b"wc".to_vec()], stdin, ..Invocation::default() };
    /// let report = runner.report_command("guests/prebuilt/wordcount.wasm", call)?;
    /// assert_eq!(report.result?, b"1 2 8\n");
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn report_command(
        &self,
        path: impl AsRef<Path>,
        invocation: Invocation,
    ) -> Result<Report<Vec<u8>>, Error> {
        let program = load_file(path.as_ref(), self.limits())?;
        let job = Job { stdout: SinkTo::Buffer(Vec::new()), ..self.job(&program, of_file(path.as_ref())) };
        command::run(job, invocation)
    }
}

fn of_file(path: &Path) -> Origin {
    Origin { name: path.display().to_string().into(), ..Origin::default() }
}
