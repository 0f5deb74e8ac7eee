//! The code of a plug-in: compiled in this process, or for processes of its own.

use crate::abi::{FromPolicy, schemas, try_instance};
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::base::outcome::Stop;
#[cfg(feature = "isolation")]
use crate::isolation::{Sealed, Spec, manager::Manager};
use crate::module::reader::ModuleInfo;
use crate::sandbox::program::{CompileOptions, Program, Tracing};
use std::borrow::Cow;
#[cfg(feature = "isolation")]
use std::sync::Arc;

/// The code of a plug-in.
#[derive(Debug)]
pub enum Code {
    /// Compiled in this process.
    Here(Box<Program>),
    /// Compiled in each process that runs it.
    #[cfg(feature = "isolation")]
    Apart(Arc<Sealed>),
}

impl Code {
    /// The module's declarations.
    pub fn info(&self) -> &ModuleInfo {
        match self {
            Code::Here(program) => program.info(),
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => &sealed.facts.info,
        }
    }

    /// JSON Schemas of a component's functions, as JSON; empty if there is none.
    pub fn schemas(&self) -> Cow<'_, str> {
        match self {
            Code::Here(program) => schemas(program).into(),
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => sealed.facts.schemas.as_str().into(),
        }
    }

    /// Whether it runs in this process.
    pub fn is_here(&self) -> bool {
        matches!(self, Code::Here(_))
    }

    /// Bytes of the binary module.
    pub fn size(&self) -> usize {
        match self {
            Code::Here(program) => program.size(),
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => sealed.facts.size,
        }
    }

    /// Gives back memory that is kept in this process for later calls, unless it was used just now.
    pub fn trim(&self) {
        match self {
            Code::Here(program) => program.trim(),
            #[cfg(feature = "isolation")]
            Code::Apart(_) => {}
        }
    }

    /// Whether translation of functions may delay a run by more than a moment.
    pub fn is_slow_to_translate(&self) -> bool {
        match self {
            Code::Here(program) => program.is_slow_to_translate(),
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => sealed.facts.is_slow_to_translate,
        }
    }
}

/// Where modules are loaded.
#[derive(Debug, Clone, Default)]
pub struct Loader {
    /// How modules are compiled in this process.
    options: CompileOptions,
    #[cfg(feature = "isolation")]
    manager: Option<Arc<Manager>>,
}

/// Where the guests of a plug-in run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In threads of this process.
    Thread,
    /// In processes of their own.
    Process,
}

impl Place {
    /// The place called `name`, in flags and policies.
    pub fn parse(name: &str) -> Option<Place> {
        match name {
            "thread" => Some(Place::Thread),
            "process" => Some(Place::Process),
            _ => None,
        }
    }
}

impl Loader {
    /// In this process, compiled like this.
    pub fn with(options: CompileOptions) -> Loader {
        Loader {
            options,
            #[cfg(feature = "isolation")]
            manager: None,
        }
    }

    /// In processes of `manager`, those modules that are to be there.
    #[cfg(feature = "isolation")]
    pub fn in_processes(self, manager: Manager) -> Loader {
        Loader { manager: Some(Arc::new(manager)), ..self }
    }

    /// What has the processes.
    #[cfg(feature = "isolation")]
    pub fn manager(&self) -> Option<&Manager> {
        self.manager.as_deref()
    }

    /// Where a plug-in runs whose policy says `asked`.
    ///
    /// # Errors
    /// A sentence why it cannot run there.
    pub fn place(&self, asked: Option<Place>) -> Result<Place, &'static str> {
        #[cfg(feature = "isolation")]
        let (has_any, has_all) = (self.manager.is_some(), self.manager().is_some_and(Manager::has_all));
        #[cfg(not(feature = "isolation"))]
        let (has_any, has_all) = (false, false);
        match asked {
            Some(Place::Thread) if has_all => Err("less than the server's --isolation, which is process"),
            Some(Place::Process) if !has_any => Err("this server has no processes for guests"),
            Some(place) => Ok(place),
            None if has_all => Ok(Place::Process),
            None => Ok(Place::Thread),
        }
    }

    /// Loads the module in `bytes`, to be run at `place`, and traced or not.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn load(
        &self,
        name: &str,
        bytes: &[u8],
        (limits, place, is_traced): (&Limits, Place, bool),
    ) -> Result<Code, Error> {
        #[cfg(feature = "isolation")]
        if let (Some(manager), Place::Process) = (&self.manager, place) {
            return Ok(Code::Apart(Arc::new(manager.load(name, bytes, (limits, is_traced))?)));
        }
        #[cfg(not(feature = "isolation"))]
        let _ = place;
        let mut options = self.options.clone();
        if is_traced {
            options.tracing = Tracing::Chain;
        }
        Ok(Code::Here(Box::new(Program::compile_with(name, bytes, limits, &options)?)))
    }

    /// Ends the processes of plug-ins that are gone or have changed.
    pub fn retire(&self) {
        #[cfg(feature = "isolation")]
        if let Some(manager) = &self.manager {
            manager.retire();
        }
    }

    /// Makes an instance under `limits` with what a policy gives, start function and all, and lets it go.
    ///
    /// # Errors
    /// As a run.
    pub fn try_instance(
        &self,
        code: &Code,
        limits: &Limits,
        policy: FromPolicy<'_>,
    ) -> Result<Result<(), Stop>, Error> {
        match code {
            Code::Here(program) => Ok(try_instance(program, limits, policy.guest_env.clone())?.result),
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => {
                let no_process = || Error::Internal("the module has no process".into());
                let spec = Spec { name: "the module", sealed, limits, policy, warm: None, cancel: None };
                self.manager.as_ref().ok_or_else(no_process)?.try_instance(&spec)
            }
        }
    }
}
