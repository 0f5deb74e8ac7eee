//! Results of runs whose report does not matter.

use fuelbox::{Call, Error, Runner, Target, Value};

/// Runs whose report does not matter: the result alone, or why there is none.
pub trait PlainResults {
    fn values<'a>(
        &self,
        target: impl Into<Target<'a>>,
        func: &str,
        params: &[Value],
    ) -> Result<Vec<Value>, Error>;

    fn bytes<'a>(
        &self,
        target: impl Into<Target<'a>>,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Error>;
}

impl PlainResults for Runner {
    fn values<'a>(
        &self,
        target: impl Into<Target<'a>>,
        func: &str,
        params: &[Value],
    ) -> Result<Vec<Value>, Error> {
        Ok(self.run(target, Call::values(func, params))?.result?)
    }

    fn bytes<'a>(
        &self,
        target: impl Into<Target<'a>>,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.run(target, Call::bytes(func, &input))?.result?)
    }
}
