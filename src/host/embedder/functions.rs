//! The functions by module and name, and how the interpreter calls one.

use super::guest::Guest;
use super::typed::{Erased, HostFunction};
use crate::base::outcome::{Stop, Value};
#[cfg(feature = "component")]
use crate::host::component::embedder::HostInterface;
use crate::host::functions::enter;
use crate::host::numbers::{from_val, to_val};
use crate::host::store::{Answer, Halt, Host};
use crate::module::reader::{Signature, Ty};
use std::sync::Arc;
use wasmi::{Func, FuncType, Store, StoreContextMut, Val, ValType};

/// Functions of the embedding program that guests may import: closures, by module and name. A closure takes a
/// [`Guest`] and up to eight numbers, gives a number or nothing, and may stop the guest by a [`Trap`](super::trap::Trap). It takes part in
/// the guest's deadline, which is checked after each call: what takes long in it must end by itself.
///
/// A function comes before what fuelbox has by the same name. Guests that import one of another type do not load. A panic in
/// one ends the run with an error, and nothing else. Functions of the module `extism:host/user` are those of Extism plug-ins
/// ([`Guest::block`]). Guests in processes of their own have none.
///
/// ```
/// use fuelbox::{Call, Guest, HostFunctions, Runner, RunnerConfig, Trap};
///
/// let mut host_functions = HostFunctions::default();
/// host_functions.add("env", "length", |guest: &mut Guest<'_>, text: u32, len: u32| -> Result<u32, Trap> {
///     Ok(guest.read_str(text, len)?.chars().count() as u32)
/// });
/// let runner = Runner::new(RunnerConfig { host_functions, ..RunnerConfig::default() })?;
/// # #[cfg(feature = "wat")] {
/// let program = runner.compile("count", br#"(module
///     (import "env" "length" (func $length (param i32 i32) (result i32)))
///     (memory (export "memory") 1)
///     (data (i32.const 8) "\c3\a4bc")
///     (func (export "count") (result i32) (call $length (i32.const 8) (i32.const 4))))"#)?;
/// assert_eq!(runner.run(&program, Call::values("count", &[]))?.result?, [3.into()]);
/// # }
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct HostFunctions(Arc<All>);

#[derive(Clone, Default)]
struct All {
    functions: Vec<(Box<str>, Box<str>, Function)>,
    #[cfg(feature = "component")]
    interfaces: Vec<HostInterface>,
}

impl std::fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.functions.iter().map(|(module, name, _)| format!("{module}.{name}"));
        f.debug_list().entries(names).finish()
    }
}

impl HostFunctions {
    /// Adds a function, in the place of one with the same names.
    pub fn add<Params, Result>(
        &mut self,
        module: &str,
        name: &str,
        function: impl HostFunction<Params, Result>,
    ) -> &mut HostFunctions {
        let (signature, call) = function.erased();
        let title = format!("{module}.{name}").into();
        let all = Arc::make_mut(&mut self.0);
        all.functions.retain(|(m, n, _)| (&**m, &**n) != (module, name));
        all.functions.push((module.into(), name.into(), Function { title, signature, call }));
        self
    }

    /// Adds an interface that components import, in the place of one with the same name.
    #[cfg(feature = "component")]
    pub fn add_interface(&mut self, interface: HostInterface) -> &mut HostFunctions {
        let all = Arc::make_mut(&mut self.0);
        all.interfaces.retain(|other| !other.is_same(&interface));
        all.interfaces.push(interface);
        self
    }

    /// The function with these names.
    pub(crate) fn find(&self, module: &str, name: &str) -> Option<&Function> {
        let mut all = self.0.functions.iter();
        all.find(|(m, n, _)| (&**m, &**n) == (module, name)).map(|(_, _, function)| function)
    }

    /// The interface that components import as `name`: the one of this version, or the one of all.
    #[cfg(feature = "component")]
    pub(crate) fn interface(&self, name: &str) -> Option<&HostInterface> {
        self.0
            .interfaces
            .iter()
            .filter(|interface| interface.is(name))
            .max_by_key(|interface| interface.has_version())
    }
}

/// One of the functions.
#[derive(Clone)]
pub struct Function {
    title: Arc<str>,
    signature: Signature,
    call: Arc<Erased>,
}

impl Function {
    /// The type that a guest must import it with.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The function, for the guests of `store`.
    pub fn create(&self, store: &mut Store<Host>) -> Func {
        let types = |types: &[Ty]| types.iter().map(|ty| val_type(*ty)).collect::<Vec<_>>();
        let ty = FuncType::new(types(&self.signature.params), types(&self.signature.results));
        let function = self.clone();
        Func::new(store, ty, move |caller, params, results| {
            let answer = enter(caller, |store| function.call(store, params))?;
            if let (Some(result), Some(val)) = (results.first_mut(), answer.0) {
                *result = val;
            }
            Ok(())
        })
    }

    fn call(&self, store: &mut StoreContextMut<'_, Host>, params: &[Val]) -> Result<Answer, Halt> {
        let mut args = [Value::I32(0); super::typed::PARAMS_MAX];
        for (arg, param) in args.iter_mut().zip(params) {
            // Its type has numbers alone.
            *arg = from_val(param).unwrap_or(Value::I32(0));
        }
        let args = &args[..params.len().min(args.len())];
        store.data_mut().wasi.may_have_waited = true;
        let done = match store.data().memory {
            Some(handle) => {
                let (memory, host) = handle.data_and_store_mut(store);
                (self.call)(&mut Guest::new(memory, host), args)
            }
            None => (self.call)(&mut Guest::new(&mut [], store.data_mut()), args),
        };
        match done {
            Ok(value) => Ok(Answer(value.map(to_val))),
            Err(trap) => Err(Halt::Stop(Stop::Trap(format!("{}: {trap}", self.title)))),
        }
    }
}

fn val_type(ty: Ty) -> ValType {
    match ty {
        Ty::I64 => ValType::I64,
        Ty::F32 => ValType::F32,
        Ty::F64 => ValType::F64,
        // Functions have no others.
        Ty::I32 | Ty::V128 | Ty::Ref => ValType::I32,
    }
}
