//! The numeric convention: numbers in, numbers out; as text where they come from a command line or a body.

use super::job::{Job, called, exited};
use super::reserved::no_function;
use crate::base::error::Error;
use crate::base::limits::{NUMBER_TEXT_BYTES_MAX, TYPE_PARAMS_MAX};
use crate::base::outcome::{Report, Stop, Value};
use crate::host::numbers::{from_val, to_val};
use crate::module::reader::{ModuleInfo, Signature, Ty};
use crate::sandbox::instance::Ended;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write};
use wasmi::Val;

/// Whether every parameter and result is a number.
pub fn fits(signature: &Signature) -> bool {
    signature.params.iter().chain(&signature.results).all(|ty| ty.is_number())
}

/// Calls `func` with `params`.
///
/// # Errors
/// No such function, or parameters that differ from its type; a stopped guest is in the report.
pub fn run(job: Job<'_>, func: &str, params: &[Value]) -> Result<Report<Vec<Value>>, Error> {
    let signature = numeric_signature(job.program.info(), func)?;
    if !params.iter().map(|value| value.ty()).eq(signature.params.iter().copied()) {
        let given =
            Signature { params: params.iter().map(|value| value.ty()).collect(), results: vec![], wit: None };
        return Err(Error::Input(format!("`{func}` is {signature}, but was called with {given}")));
    }
    let count = signature.results.len();
    let params: Vec<Val> = params.iter().map(|value| to_val(*value)).collect();
    called(job, |sandbox| {
        let callee = sandbox.function(func).ok_or_else(|| Stop::Convention(format!("`{func}` is gone")))?;
        let mut results = vec![Val::I32(0); count];
        match sandbox.call(callee, &params, &mut results)? {
            Ended::Returned => Ok(results.iter().filter_map(from_val).collect()),
            Ended::Exited(code) => Err(exited(code)),
        }
    })
}

fn numeric_signature<'a>(info: &'a ModuleInfo, func: &str) -> Result<&'a Signature, Error> {
    let signature = info.function(func).ok_or_else(|| no_function(info, func))?;
    if !fits(signature) {
        return Err(Error::Input(format!("`{func}` is {signature}: only numbers can be passed")));
    }
    Ok(signature)
}

/// The values of `texts` by the parameter types of `func`.
///
/// # Errors
/// No such function; too few or too many texts; one that is no such number.
pub fn parse<S: AsRef<str>>(info: &ModuleInfo, func: &str, texts: &[S]) -> Result<Vec<Value>, Error> {
    let signature = numeric_signature(info, func)?;
    check_count(info, func, texts.len())?;
    let pairs = signature.params.iter().zip(texts).enumerate();
    pairs
        .map(|(i, (ty, text))| {
            let text = text.as_ref();
            parse_one(*ty, text).ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                let wanted = match ty {
                    Ty::I32 => "an i32: -2147483648 to 4294967295, or 0x and up to 8 digits".into(),
                    Ty::I64 => {
                        "an i64: -9223372036854775808 to 18446744073709551615, or 0x and up to 16 digits"
                            .into()
                    }
                    ty => format!("an {}: a decimal number", ty.name()),
                };
                Error::Input(format!(
                    "argument {} of `{func}`: `{}` is not {wanted}",
                    i + 1,
                    shown.escape_debug()
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
pub fn parse_text(info: &ModuleInfo, func: &str, input: &[u8]) -> Result<Vec<Value>, Error> {
    let refuse = |what: String| Error::Input(format!("arguments of `{func}`: {what}"));
    let text = std::str::from_utf8(input).map_err(|e| refuse(format!("not UTF-8: {e}")))?.trim();
    // What there is too much of is counted, and not kept.
    if !text.starts_with('[') {
        check_count(info, func, text.split_whitespace().count())?;
        return parse(info, func, &text.split_whitespace().collect::<Vec<_>>());
    }
    let array: Array = serde_json::from_str(text).map_err(|e| refuse(format!("not a JSON array: {e}")))?;
    if let Some(number) = array.odd {
        return Err(refuse(format!("number {number} in the array is neither a number nor a string")));
    }
    check_count(info, func, array.count)?;
    parse(info, func, &array.texts)
}

/// Checks how many values there are.
fn check_count(info: &ModuleInfo, func: &str, given: usize) -> Result<(), Error> {
    let signature = numeric_signature(info, func)?;
    let wanted = signature.params.len();
    if wanted == given {
        return Ok(());
    }
    let s = if wanted == 1 { "" } else { "s" };
    Err(Error::Input(format!("`{func}` is {signature}: it takes {wanted} argument{s}, {given} given")))
}

/// What a JSON array holds, as far as a function can take it: a million small things in it take no more room.
#[derive(Default)]
struct Array {
    texts: Vec<String>,
    count: usize,
    /// The place of the first that can be no value, counted from 1.
    odd: Option<usize>,
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Array, D::Error> {
        from.deserialize_seq(Items)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Array;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Array, A::Error> {
        let mut array = Array::default();
        while let Some(Item(text)) = items.next_element()? {
            array.count += 1;
            match text {
                Some(text) if array.count <= TYPE_PARAMS_MAX => array.texts.push(text),
                Some(_) => {}
                None => drop(array.odd.get_or_insert(array.count)),
            }
        }
        Ok(array)
    }
}

/// A number or string as text; none for anything else.
struct Item(Option<String>);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Item, D::Error> {
        from.deserialize_any(OneItem)
    }
}

struct OneItem;

impl<'de> Visitor<'de> for OneItem {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Item, E> {
        Ok(Item(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Item, E> {
        Ok(Item(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Item, E> {
        Ok(Item(serde_json::Number::from_f64(number).map(|number| number.to_string())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item(Some(text).filter(|text| text.len() <= NUMBER_TEXT_BYTES_MAX).map(str::to_string)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Item(None))
    }
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
    pub(crate) fn ty(self) -> Ty {
        match self {
            Value::I32(_) => Ty::I32,
            Value::I64(_) => Ty::I64,
            Value::F32(_) => Ty::F32,
            Value::F64(_) => Ty::F64,
        }
    }
}
