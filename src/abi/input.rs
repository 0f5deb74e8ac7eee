//! What a run is given: values or bytes for a function, or the invocation of a program.

use super::bytes::call_bytes;
use super::command::{self, Invocation};
use super::convention::Convention;
use super::exports::START;
#[cfg(feature = "isolation")]
use super::given::{Environment, Given};
use super::job::Job;
use super::numeric;
use crate::base::error::Error;
use crate::base::outcome::{Report, Value};
#[cfg(feature = "component")]
use crate::host::component::value as component;
#[cfg(feature = "isolation")]
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;

/// A call of one function, with values ([`Call::values`]) or bytes ([`Call::bytes`]).
///
/// ```
/// use fuelbox::{Call, GuestEnv, Runner, RunnerConfig, Value};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let add = Path::new("guests/prebuilt/add.wasm");
/// let sum = runner.run(add, Call::values("add", &[10.into(), 20.into()]))?;
/// assert_eq!(sum.result?, [Value::I32(30)]);
///
/// let vowels = Path::new("guests/prebuilt/extism-c.wasm");
/// let env = GuestEnv { config: vec![("vowels".into(), "lo".into())], ..GuestEnv::default() };
/// let report = runner.run(vowels, Call::bytes("count_vowels", "Hello, World!").guest_env(env))?;
/// assert_eq!(report.result?, br#"{"count": 5, "total": 5, "vowels": "lo"}"#);
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Call<'a, T: ?Sized> {
    func: &'a str,
    input: &'a T,
    convention: Option<Convention>,
    guest_env: GuestEnv,
}

impl<'a> Call<'a, [Value]> {
    /// Calls `func`, a function of numbers, with `values`. The report holds its results.
    pub fn values(func: &'a str, values: &'a [Value]) -> Call<'a, [Value]> {
        Call { func, input: values, convention: None, guest_env: GuestEnv::default() }
    }
}

impl<'a> Call<'a, [u8]> {
    /// Calls `func` with `bytes`, by whichever convention it has. The report holds the bytes that it gives. A function of
    /// numbers takes them as text, between white space or as a JSON array, and gives one a line.
    ///
    /// ```
    /// # use fuelbox::{Call, Runner, RunnerConfig};
    /// # use std::path::Path;
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let greet = Path::new("guests/prebuilt/greet.wasm");
    /// assert_eq!(runner.run(greet, Call::bytes("greet", b"\0\xff"))?.result?, b"Hello, \0\xff");
    /// let add = Path::new("guests/prebuilt/add.wasm");
    /// assert_eq!(runner.run(add, Call::bytes("add", "[10, 20]"))?.result?, b"30\n");
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn bytes(func: &'a str, bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Call<'a, [u8]> {
        Call { func, input: bytes.as_ref(), convention: None, guest_env: GuestEnv::default() }
    }

    /// By this convention and no other.
    #[must_use]
    pub fn convention(mut self, convention: Convention) -> Self {
        self.convention = Some(convention);
        self
    }
}

#[cfg(feature = "component")]
impl<'a> Call<'a, [component::Value]> {
    /// Calls `func` of a component with `values` of its type. The report holds its result.
    ///
    /// ```
    /// use fuelbox::component::Value;
    /// use fuelbox::{Call, Runner, RunnerConfig};
    /// use std::path::Path;
    ///
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let shapes = Path::new("guests/prebuilt/shapes.wasm");
    /// let report = runner.run(shapes, Call::component("greet", &[Value::String("World".into())]))?;
    /// assert_eq!(report.result?, Some(Value::String("Hello, World".into())));
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn component(func: &'a str, values: &'a [component::Value]) -> Call<'a, [component::Value]> {
        Call { func, input: values, convention: None, guest_env: GuestEnv::default() }
    }
}

impl<T: ?Sized> Call<'_, T> {
    /// With this environment.
    #[must_use]
    pub fn guest_env(mut self, guest_env: GuestEnv) -> Self {
        self.guest_env = guest_env;
        self
    }
}

/// What [`Runner::run`](crate::Runner::run) takes beside its target: a [`Call`] or an [`Invocation`].
///
/// ```
/// use fuelbox::{Error, Input, Report, Runner, Target};
///
/// /// What a run used, whatever it is given.
/// fn fuel<I: Input>(runner: &Runner, target: Target<'_>, input: I) -> Result<u64, Error> {
///     let report: Report<I::Output> = runner.run(target, input)?;
///     Ok(report.usage.fuel)
/// }
/// ```
pub trait Input: Sealed {
    /// What the report holds if the run ends well.
    type Output;

    /// Whether that is what the guest writes to standard output.
    #[doc(hidden)]
    const IS_STDOUT: bool;

    /// The function that is called.
    #[doc(hidden)]
    fn function(&self) -> &str;

    /// What the guest is given beside.
    #[doc(hidden)]
    fn guest_env(&self) -> &GuestEnv;

    /// This, with what a policy gives beside.
    #[doc(hidden)]
    #[must_use]
    fn under(self, policy: &FromPolicy<'_>) -> Self;

    /// Does the run.
    #[doc(hidden)]
    fn run(self, job: Job<'_>) -> Result<Report<Self::Output>, Error>;

    /// This as plain data, and the bytes beside, for a guest in another process.
    #[cfg(feature = "isolation")]
    #[doc(hidden)]
    fn given(&self) -> Result<(Given, &[u8]), Error>;

    /// What such a guest gave: values, or bytes. None if it is the other of the two.
    #[cfg(feature = "isolation")]
    #[doc(hidden)]
    fn output(values: Option<Vec<Value>>, bytes: Vec<u8>) -> Option<Self::Output>;
}

/// Nobody else implements [`Input`].
#[doc(hidden)]
pub trait Sealed {}

impl<T: ?Sized> Sealed for Call<'_, T> {}
impl Sealed for Invocation {}

/// What a plug-in's policy says of its runs' input.
pub struct FromPolicy<'a> {
    /// The convention of its functions.
    pub convention: Option<Convention>,
    /// Environment and directories.
    pub guest_env: &'a GuestEnv,
    /// Arguments of a program, after those that it is given.
    pub args: &'a [String],
    /// Whether its runs are traced.
    pub is_traced: bool,
}

impl Input for Call<'_, [Value]> {
    type Output = Vec<Value>;
    const IS_STDOUT: bool = false;

    fn function(&self) -> &str {
        self.func
    }

    fn guest_env(&self) -> &GuestEnv {
        &self.guest_env
    }

    fn under(self, policy: &FromPolicy<'_>) -> Self {
        Call { guest_env: self.guest_env.with(policy.guest_env), ..self }
    }

    fn run(self, job: Job<'_>) -> Result<Report<Vec<Value>>, Error> {
        numeric::run(Job { guest_env: self.guest_env, ..job }, self.func, self.input)
    }

    #[cfg(feature = "isolation")]
    fn given(&self) -> Result<(Given, &[u8]), Error> {
        let (func, values) = (self.func.into(), self.input.to_vec());
        Ok((Given::Values { func, values, environment: Environment::given(&self.guest_env)? }, &[]))
    }

    #[cfg(feature = "isolation")]
    fn output(values: Option<Vec<Value>>, _: Vec<u8>) -> Option<Vec<Value>> {
        values
    }
}

#[cfg(feature = "component")]
impl Input for Call<'_, [component::Value]> {
    type Output = Option<component::Value>;
    const IS_STDOUT: bool = false;

    fn function(&self) -> &str {
        self.func
    }

    fn guest_env(&self) -> &GuestEnv {
        &self.guest_env
    }

    fn under(self, policy: &FromPolicy<'_>) -> Self {
        Call { guest_env: self.guest_env.with(policy.guest_env), ..self }
    }

    fn run(self, job: Job<'_>) -> Result<Report<Option<component::Value>>, Error> {
        super::component::call::run_values(Job { guest_env: self.guest_env, ..job }, self.func, self.input)
    }

    #[cfg(feature = "isolation")]
    fn given(&self) -> Result<(Given, &[u8]), Error> {
        Err(Error::Input("a component in another process is called with bytes, not with values".into()))
    }

    #[cfg(feature = "isolation")]
    fn output(_: Option<Vec<Value>>, _: Vec<u8>) -> Option<Option<component::Value>> {
        None
    }
}

impl Input for Call<'_, [u8]> {
    type Output = Vec<u8>;
    const IS_STDOUT: bool = false;

    fn function(&self) -> &str {
        self.func
    }

    fn guest_env(&self) -> &GuestEnv {
        &self.guest_env
    }

    fn under(self, policy: &FromPolicy<'_>) -> Self {
        let guest_env = self.guest_env.with(policy.guest_env);
        Call { guest_env, convention: policy.convention.or(self.convention), ..self }
    }

    fn run(self, job: Job<'_>) -> Result<Report<Vec<u8>>, Error> {
        call_bytes(Job { guest_env: self.guest_env, ..job }, self.func, self.input, self.convention)
    }

    #[cfg(feature = "isolation")]
    fn given(&self) -> Result<(Given, &[u8]), Error> {
        let (func, convention) = (self.func.into(), self.convention);
        Ok((Given::Bytes { func, convention, environment: Environment::given(&self.guest_env)? }, self.input))
    }

    #[cfg(feature = "isolation")]
    fn output(values: Option<Vec<Value>>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        values.is_none().then_some(bytes)
    }
}

impl Input for Invocation {
    type Output = Vec<u8>;
    const IS_STDOUT: bool = true;

    fn function(&self) -> &str {
        self.entry.as_deref().unwrap_or(START)
    }

    fn guest_env(&self) -> &GuestEnv {
        &self.guest_env
    }

    fn under(mut self, policy: &FromPolicy<'_>) -> Self {
        self.args.extend(policy.args.iter().map(|arg| arg.clone().into_bytes()));
        Invocation { guest_env: self.guest_env.with(policy.guest_env), ..self }
    }

    fn run(self, job: Job<'_>) -> Result<Report<Vec<u8>>, Error> {
        command::run(job, self)
    }

    #[cfg(feature = "isolation")]
    fn given(&self) -> Result<(Given, &[u8]), Error> {
        let (has_stdin, stdin): (bool, &[u8]) = match &self.stdin {
            Stdin::Empty => (false, &[]),
            Stdin::Bytes(bytes) => (true, bytes),
            _ => return Err(Error::Input("a guest in another process gets its input as bytes".into())),
        };
        let environment = Environment::given(&self.guest_env)?;
        let (args, entry) = (self.args.clone(), self.entry.clone());
        Ok((Given::Program { args, entry, environment, has_stdin, streams: false }, stdin))
    }

    #[cfg(feature = "isolation")]
    fn output(values: Option<Vec<Value>>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        values.is_none().then_some(bytes)
    }
}
