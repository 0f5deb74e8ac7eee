//! The numeric convention: numbers in, numbers out; as text where they come from a command line or a body.

use super::{Job, called, exited, no_function};
use crate::binary::{Facts, Signature, Ty};
use crate::error::Error;
use crate::outcome::{Report, Stop, Value};
use crate::sandbox::Ended;
use std::fmt::Write;
use wasmi::{F32, F64, Val};

/// Whether every parameter and result is a number.
pub fn fits(signature: &Signature) -> bool {
    signature.params.iter().chain(&signature.results).all(|ty| ty.is_number())
}

/// Calls `func` with `params`.
///
/// # Errors
/// No such function, or parameters that differ from its type; a stopped guest is in the report.
pub fn run(job: Job<'_>, func: &str, params: &[Value]) -> Result<Report<Vec<Value>>, Error> {
    let signature = numeric_signature(job.program.facts(), func)?.clone();
    let given: Vec<Ty> = params.iter().map(|value| value.ty()).collect();
    if given != signature.params {
        let given = Signature { params: given, results: vec![] };
        return Err(Error::Input(format!("`{func}` is {signature}, but was called with {given}")));
    }
    let params: Vec<Val> = params.iter().map(|value| value.to_val()).collect();
    called(job, |sandbox| {
        let callee = sandbox.function(func).ok_or_else(|| Stop::Convention(format!("`{func}` is gone")))?;
        let mut results = vec![Val::I32(0); signature.results.len()];
        match sandbox.call(callee, &params, &mut results)? {
            Ended::Returned => Ok(results.iter().filter_map(Value::from_val).collect()),
            Ended::Exited(code) => Err(exited(code)),
        }
    })
}

fn numeric_signature<'a>(facts: &'a Facts, func: &str) -> Result<&'a Signature, Error> {
    let signature = facts.function(func).ok_or_else(|| no_function(facts, func))?;
    if !fits(signature) {
        return Err(Error::Input(format!("`{func}` is {signature}: only numbers can be passed")));
    }
    Ok(signature)
}

/// The values of `texts` by the parameter types of `func`.
///
/// # Errors
/// No such function; too few or too many texts; one that is no such number.
pub fn parse<S: AsRef<str>>(facts: &Facts, func: &str, texts: &[S]) -> Result<Vec<Value>, Error> {
    let signature = numeric_signature(facts, func)?;
    let (wanted, given) = (signature.params.len(), texts.len());
    if wanted != given {
        let s = if wanted == 1 { "" } else { "s" };
        return Err(Error::Input(format!(
            "`{func}` is {signature}: it takes {wanted} argument{s}, {given} given"
        )));
    }
    let pairs = signature.params.iter().zip(texts).enumerate();
    pairs
        .map(|(i, (ty, text))| {
            let text = text.as_ref();
            parse_one(*ty, text).ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                Error::Input(format!(
                    "argument {} of `{func}`: `{}` is not {} that fits {}",
                    i + 1,
                    shown.escape_debug(),
                    if matches!(ty, Ty::F32 | Ty::F64) { "a number" } else { "a decimal or 0x number" },
                    ty.name()
                ))
            })
        })
        .collect()
}

/// Decimal, signed or unsigned up to the type's width, or `0x` and the type's bits.
fn parse_one(ty: Ty, text: &str) -> Option<Value> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    // `from_str_radix` takes a sign, which is not part of a number's bits.
    let hex = hex.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    match ty {
        Ty::I32 => match hex {
            Some(digits) => u32::from_str_radix(digits, 16).ok().map(Value::from),
            None => {
                text.parse::<i32>().map(Value::from).or_else(|_| text.parse::<u32>().map(Value::from)).ok()
            }
        },
        Ty::I64 => match hex {
            Some(digits) => u64::from_str_radix(digits, 16).ok().map(Value::from),
            None => {
                text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
            }
        },
        Ty::F32 => text.parse::<f32>().ok().map(Value::from),
        Ty::F64 => text.parse::<f64>().ok().map(Value::from),
        Ty::V128 | Ty::Ref => None,
    }
}

/// The values in `input`: between white space, or a JSON array of numbers and strings.
///
/// # Errors
/// As [`parse`]; bytes that are no UTF-8; text that begins like an array and is none.
pub fn parse_text(facts: &Facts, func: &str, input: &[u8]) -> Result<Vec<Value>, Error> {
    let refuse = |what: String| Error::Input(format!("arguments of `{func}`: {what}"));
    let text = std::str::from_utf8(input).map_err(|e| refuse(format!("not UTF-8: {e}")))?.trim();
    if !text.starts_with('[') {
        return parse(facts, func, &text.split_whitespace().collect::<Vec<_>>());
    }
    let values: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|e| refuse(format!("not a JSON array: {e}")))?;
    let texts = values.into_iter().map(|value| match value {
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::String(string) => Ok(string),
        other => Err(refuse(format!("`{other}` in the array is neither a number nor a string"))),
    });
    parse(facts, func, &texts.collect::<Result<Vec<_>, _>>()?)
}

/// The values as text, each on a line.
pub fn lines(values: &[Value]) -> Vec<u8> {
    let mut text = String::new();
    for value in values {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{value}");
    }
    text.into_bytes()
}

impl Value {
    /// Its type.
    pub fn ty(self) -> Ty {
        match self {
            Value::I32(_) => Ty::I32,
            Value::I64(_) => Ty::I64,
            Value::F32(_) => Ty::F32,
            Value::F64(_) => Ty::F64,
        }
    }

    fn to_val(self) -> Val {
        match self {
            Value::I32(v) => Val::I32(v),
            Value::I64(v) => Val::I64(v),
            Value::F32(v) => Val::F32(F32::from_float(v)),
            Value::F64(v) => Val::F64(F64::from_float(v)),
        }
    }

    fn from_val(val: &Val) -> Option<Value> {
        Some(match val {
            Val::I32(v) => Value::I32(*v),
            Val::I64(v) => Value::I64(*v),
            Val::F32(v) => Value::F32(v.to_float()),
            Val::F64(v) => Value::F64(v.to_float()),
            _ => return None,
        })
    }
}
