//! Closures with typed parameters as functions of the embedding program.

use super::guest::Guest;
use super::trap::Trap;
use crate::base::outcome::Value;
use crate::module::reader::{Signature, Ty};
use std::sync::Arc;

/// Parameters of a function, at most.
pub const PARAMS_MAX: usize = 8;

/// What a function does, with arguments of its type.
pub type Erased = dyn Fn(&mut Guest<'_>, &[Value]) -> Result<Option<Value>, Trap> + Send + Sync;

/// What [`HostFunctions::add`](crate::HostFunctions::add) takes: `Fn(&mut Guest<'_>, …) -> R`, with up to eight numbers as
/// further parameters. Numbers are `i32`, `u32`, `i64`, `u64`, `f32` and `f64`. `R` is a number or `()`, or a `Result` of
/// that and a [`Trap`].
///
/// ```
/// use fuelbox::{Guest, HostFunctions};
///
/// let mut host_functions = HostFunctions::default();
/// host_functions
///     .add("env", "add", |_: &mut Guest<'_>, a: u64, b: u64| a.wrapping_add(b))
///     .add("env", "print", |_: &mut Guest<'_>, number: f64| println!("{number}"));
/// ```
pub trait HostFunction<Params, Result>: Send + Sync + 'static + sealed::Sealed<Params, Result> {
    #[doc(hidden)]
    fn erased(self) -> (Signature, Arc<Erased>);
}

mod sealed {
    pub trait Sealed<Params, Result> {}
    pub trait Type {}
}

/// A number that a guest passes.
pub trait Number: Copy + Into<Value> + sealed::Type + 'static {
    #[doc(hidden)]
    const TYPE: Ty;
    #[doc(hidden)]
    fn of(value: Value) -> Option<Self>;
}

macro_rules! number {
    ($($rust:ident $case:ident)*) => {$(
        impl sealed::Type for $rust {}
        impl Number for $rust {
            const TYPE: Ty = Ty::$case;
            fn of(value: Value) -> Option<$rust> {
                match value {
                    Value::$case(v) => Some(v as $rust),
                    _ => None,
                }
            }
        }
    )*};
}

number! { i32 I32 u32 I32 i64 I64 u64 I64 f32 F32 f64 F64 }

/// What a function gives.
pub trait Returned: sealed::Type {
    #[doc(hidden)]
    const TYPE: Option<Ty>;
    #[doc(hidden)]
    fn answer(self) -> Result<Option<Value>, Trap>;
}

impl sealed::Type for () {}

impl Returned for () {
    const TYPE: Option<Ty> = None;
    fn answer(self) -> Result<Option<Value>, Trap> {
        Ok(None)
    }
}

impl<N: Number> Returned for N {
    const TYPE: Option<Ty> = Some(N::TYPE);
    fn answer(self) -> Result<Option<Value>, Trap> {
        Ok(Some(self.into()))
    }
}

impl<R: Returned> sealed::Type for Result<R, Trap> {}

impl<R: Returned> Returned for Result<R, Trap> {
    const TYPE: Option<Ty> = R::TYPE;
    fn answer(self) -> Result<Option<Value>, Trap> {
        self.and_then(Returned::answer)
    }
}

/// The argument `n`. wasm checks its type.
fn arg<N: Number>(args: &[Value], n: usize) -> Result<N, Trap> {
    let value = args.get(n).copied().and_then(N::of);
    value.ok_or_else(|| Trap::new(format_args!("argument {n} is missing or of another type")))
}

macro_rules! function {
    ($($param:ident $n:literal)*) => {
        impl<Closure, R, $($param),*> sealed::Sealed<($($param,)*), R> for Closure
        where
            Closure: Fn(&mut Guest<'_>, $($param),*) -> R,
        {}

        impl<Closure, R: Returned, $($param: Number),*> HostFunction<($($param,)*), R> for Closure
        where
            Closure: Fn(&mut Guest<'_>, $($param),*) -> R + Send + Sync + 'static,
        {
            #[allow(unused_variables)]
            fn erased(self) -> (Signature, Arc<Erased>) {
                let params = vec![$($param::TYPE),*];
                let results = R::TYPE.into_iter().collect();
                let call = move |guest: &mut Guest<'_>, args: &[Value]| self(guest, $(arg::<$param>(args, $n)?),*).answer();
                (Signature { params, results, wit: None }, Arc::new(call))
            }
        }
    };
}

function! {}
function! { A 0 }
function! { A 0 B 1 }
function! { A 0 B 1 C 2 }
function! { A 0 B 1 C 2 D 3 }
function! { A 0 B 1 C 2 D 3 E 4 }
function! { A 0 B 1 C 2 D 3 E 4 F 5 }
function! { A 0 B 1 C 2 D 3 E 4 F 5 G 6 }
function! { A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 }
