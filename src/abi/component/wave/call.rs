//! Reads a call: `name(1, {a: "x"})`.

use super::read::Reader;
use crate::abi::component::cursor::Cursor;
use crate::host::component::value::Value;
use crate::module::component::types::{FuncTy, Types};

/// A call whose function is known by name, and whose arguments are not read yet.
#[derive(Debug)]
pub struct Call<'t> {
    /// The interface, if one is named: `wasi:cli/run@0.2.0` in `wasi:cli/run@0.2.0#run()`.
    pub interface: Option<&'t str>,
    /// The function.
    pub function: &'t str,
    /// At the opening parenthesis.
    args: Cursor<'t>,
}

impl<'t> Call<'t> {
    /// Reads a call up to its arguments.
    ///
    /// # Errors
    /// There is no name, or nothing like one.
    pub fn parse(text: &'t str) -> Result<Call<'t>, String> {
        let mut args = Cursor::new(text);
        args.space();
        let at = args.at();
        let name = args.run(|byte| byte.is_ascii_alphanumeric() || b"-_:/@.#+%[]".contains(byte));
        let (interface, function) = match name.rsplit_once('#') {
            Some((interface, function)) => (Some(interface), function),
            None => (None, name),
        };
        if function.is_empty() || interface.is_some_and(str::is_empty) {
            return Err(format!("{}: {}", args.place(at), args.expected(at, "the name of a function")));
        }
        args.space();
        match args.peek() {
            Some(b'(') => Ok(Call { interface, function: function.trim_start_matches('%'), args }),
            _ => Err(format!("{}: {}", args.place(args.at()), args.expected(args.at(), "`(`"))),
        }
    }

    /// The arguments, for a function of type `func`. The last ones may be left out, if they are options.
    ///
    /// # Errors
    /// They are not of these types: where not, what was expected there, and what was found.
    pub fn args(&self, types: &Types, func: &FuncTy) -> Result<Vec<Value>, String> {
        let mut reader = Reader::new(types, self.args.clone());
        let mut given = Vec::new();
        reader.sequence(["(", ")"], &mut |reader| match func.params.get(given.len()) {
            Some((_, ty)) => {
                given.push(Some(reader.value(*ty)?));
                Ok(())
            }
            None => reader.wrong(&format!("`)`, as there are {} parameters", func.params.len())),
        })?;
        reader.end()?;
        reader.complete(self.args.at(), &func.params, given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::component::types::{Def, Ty};

    #[test]
    fn names_of_functions() {
        for (text, interface, function) in [
            ("f()", None, "f"),
            (" two-words (1)", None, "two-words"),
            ("%type()", None, "type"),
            ("a:b/c#f()", Some("a:b/c"), "f"),
            ("a:b/c@1.0.0-rc.1+x#f(\"#\")", Some("a:b/c@1.0.0-rc.1+x"), "f"),
            ("[method]r.f()", None, "[method]r.f"),
        ] {
            let call = Call::parse(text).unwrap();
            assert_eq!((call.interface, call.function), (interface, function));
        }
        for (text, why) in [
            ("", "column 1: expected the name of a function, found the end"),
            ("(1)", "column 1: expected the name of a function, found `(`"),
            ("#f()", "column 1: expected the name of a function, found `#`"),
            ("a:b/c#()", "column 1: expected the name of a function, found `a`"),
            ("f", "column 2: expected `(`, found the end"),
            ("f g()", "column 3: expected `(`, found `g`"),
        ] {
            assert_eq!(Call::parse(text).unwrap_err(), why);
        }
    }

    #[test]
    fn arguments_are_of_their_types() {
        let mut types = Types::default();
        let option = types.add(Def::Option(Ty::U8)).unwrap();
        let params = [("a".into(), Ty::U8), ("b".into(), option), ("c".into(), option)];
        let func = FuncTy { params: params.into(), result: None };
        let args = |text| Call::parse(text).unwrap().args(&types, &func);
        let some = Value::some(Value::U8(2));
        assert_eq!(args("f(1)"), Ok(vec![Value::U8(1), Value::NONE, Value::NONE]));
        assert_eq!(args("f( 1, 2, )// x"), Ok(vec![Value::U8(1), some.clone(), Value::NONE]));
        assert_eq!(args("f(1,none,some(2))"), Ok(vec![Value::U8(1), Value::NONE, some]));
        assert_eq!(args("f()"), Err("column 2: `a` is missing".into()));
        assert_eq!(
            args("f(1,2,3,4)"),
            Err("column 9: expected `)`, as there are 3 parameters, found `4`".into())
        );
        assert_eq!(args("f(1) 2"), Err("column 6: expected the end, found `2`".into()));
        assert_eq!(args("f(256)"), Err("column 3: expected u8 (0 to 255), found `256`".into()));
    }
}
