//! Numbers of types as text. WAVE and JSON have the same ones (RFC 8259, section 6).

use crate::host::component::value::Value;
use crate::module::component::types::Ty;

/// The least and the greatest integer of a type.
pub fn range(ty: Ty) -> Option<(i128, i128)> {
    Some(match ty {
        Ty::S8 => (i8::MIN.into(), i8::MAX.into()),
        Ty::U8 => (0, u8::MAX.into()),
        Ty::S16 => (i16::MIN.into(), i16::MAX.into()),
        Ty::U16 => (0, u16::MAX.into()),
        Ty::S32 => (i32::MIN.into(), i32::MAX.into()),
        Ty::U32 => (0, u32::MAX.into()),
        Ty::S64 => (i64::MIN.into(), i64::MAX.into()),
        Ty::U64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// The value of an integer type that `text` is: digits, maybe with a minus.
pub fn integer(ty: Ty, text: &str) -> Option<Value> {
    let number: i128 = is_number(text, false).then(|| text.parse().ok())??;
    let (least, greatest) = range(ty)?;
    if !(least..=greatest).contains(&number) {
        return None;
    }
    Some(match ty {
        Ty::S8 => Value::S8(number as i8),
        Ty::U8 => Value::U8(number as u8),
        Ty::S16 => Value::S16(number as i16),
        Ty::U16 => Value::U16(number as u16),
        Ty::S32 => Value::S32(number as i32),
        Ty::U32 => Value::U32(number as u32),
        Ty::S64 => Value::S64(number as i64),
        Ty::U64 => Value::U64(number as u64),
        _ => return None,
    })
}

/// The value of a float type that `text` is: a finite number.
pub fn float(ty: Ty, text: &str) -> Option<Value> {
    if !is_number(text, true) {
        return None;
    }
    match ty {
        Ty::F32 => text.parse().ok().filter(|number: &f32| number.is_finite()).map(Value::F32),
        Ty::F64 => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::F64),
        _ => None,
    }
}

/// A float that is no finite number.
pub fn special(ty: Ty, number: f64) -> Option<Value> {
    match ty {
        Ty::F32 => Some(Value::F32(number as f32)),
        Ty::F64 => Some(Value::F64(number)),
        _ => None,
    }
}

/// What a type takes, for messages.
pub fn taken(ty: Ty, name: &str) -> String {
    match range(ty) {
        Some((least, greatest)) => format!("{name} ({least} to {greatest})"),
        None => name.into(),
    }
}

/// The text of an integer or a finite float that is of type `ty`.
pub fn print(ty: Ty, value: &Value) -> Option<String> {
    Some(match (ty, value) {
        (Ty::S8, Value::S8(v)) => v.to_string(),
        (Ty::U8, Value::U8(v)) => v.to_string(),
        (Ty::S16, Value::S16(v)) => v.to_string(),
        (Ty::U16, Value::U16(v)) => v.to_string(),
        (Ty::S32, Value::S32(v)) => v.to_string(),
        (Ty::U32, Value::U32(v)) => v.to_string(),
        (Ty::S64, Value::S64(v)) => v.to_string(),
        (Ty::U64, Value::U64(v)) => v.to_string(),
        // The shortest text that is this number. Without an exponent it may have hundreds of digits.
        (Ty::F32, Value::F32(v)) if v.is_finite() && is_written_out((*v).into()) => v.to_string(),
        (Ty::F32, Value::F32(v)) if v.is_finite() => format!("{v:e}"),
        (Ty::F64, Value::F64(v)) if v.is_finite() && is_written_out(*v) => v.to_string(),
        (Ty::F64, Value::F64(v)) if v.is_finite() => format!("{v:e}"),
        _ => return None,
    })
}

/// A float of type `ty` that is not finite: one of the three texts for a NaN and the infinities.
pub fn not_finite(ty: Ty, value: &Value, texts: [&'static str; 3]) -> Option<&'static str> {
    let number = match (ty, value) {
        (Ty::F32, Value::F32(v)) => f64::from(*v),
        (Ty::F64, Value::F64(v)) => *v,
        _ => return None,
    };
    let [nan, positive, negative] = texts;
    match number {
        _ if number.is_nan() => Some(nan),
        f64::INFINITY => Some(positive),
        f64::NEG_INFINITY => Some(negative),
        _ => None,
    }
}

fn is_written_out(number: f64) -> bool {
    number == 0.0 || (1e-6..1e16).contains(&number.abs())
}

/// Whether `text` is a number of JSON; with a fraction or an exponent only where it may have them.
fn is_number(text: &str, may_have_fraction: bool) -> bool {
    let digits = |text: &mut &[u8]| {
        let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *text = &text[len..];
        len
    };
    let eat = |text: &mut &[u8], marks: &[u8]| {
        let is_next = text.first().is_some_and(|byte| marks.contains(byte));
        *text = &text[usize::from(is_next)..];
        is_next
    };
    let mut rest = text.as_bytes();
    eat(&mut rest, b"-");
    let has_zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    let mut is_right = whole == 1 || whole > 1 && !has_zero;
    if may_have_fraction {
        if eat(&mut rest, b".") {
            is_right &= digits(&mut rest) > 0;
        }
        if eat(&mut rest, b"eE") {
            eat(&mut rest, b"+-");
            is_right &= digits(&mut rest) > 0;
        }
    }
    is_right && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for text in
            ["0", "-0", "1", "10", "-10", "0.5", "1e5", "1E+05", "1e-5", "-0.0e0", "12345678901234567890"]
        {
            assert!(is_number(text, true), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
        for text in [
            "", "-", "00", "01", "-01", "+1", ".5", "1.", "1e", "1e+", "e5", "0x1", "1_0", "inf", "1 ", "--1",
        ] {
            assert!(!is_number(text, true) && !is_number(text, false), "{text}");
        }
        assert!(!is_number("1.0", false) && !is_number("1e0", false) && is_number("-17", false));
    }

    #[test]
    fn the_ends_of_each_type() {
        for ty in [Ty::S8, Ty::U8, Ty::S16, Ty::U16, Ty::S32, Ty::U32, Ty::S64, Ty::U64] {
            let (least, greatest) = range(ty).unwrap();
            for number in [least, greatest, 0, 1] {
                let text = number.to_string();
                assert_eq!(print(ty, &integer(ty, &text).unwrap()), Some(text));
            }
            assert_eq!(integer(ty, &(least - 1).to_string()), None);
            assert_eq!(integer(ty, &(greatest + 1).to_string()), None);
            assert_eq!(integer(ty, &"9".repeat(100)), None);
        }
        assert_eq!((integer(Ty::Char, "1"), float(Ty::Char, "1")), (None, None));
    }

    #[test]
    fn floats_are_short_and_exact() {
        let all = [0.1, -0.0, 1e300, 5e-324, f64::MAX, 123456.75, 1e15, 1e16, -1e-7, 2.5e-6];
        for number in all {
            let text = print(Ty::F64, &Value::F64(number)).unwrap();
            assert!(text.len() < 26, "{text}");
            let Some(Value::F64(again)) = float(Ty::F64, &text) else { panic!("{text}") };
            assert_eq!(again.to_bits(), number.to_bits(), "{text}");
        }
        for number in [0.1f32, f32::MAX, f32::MIN_POSITIVE, 16_777_217.0, 1e-45] {
            let text = print(Ty::F32, &Value::F32(number)).unwrap();
            assert_eq!(float(Ty::F32, &text), Some(Value::F32(number)), "{text}");
        }
        assert_eq!((float(Ty::F64, "1e999"), float(Ty::F32, "3.5e38")), (None, None));
        assert_eq!((print(Ty::F64, &Value::F64(f64::NAN)), print(Ty::U8, &Value::S8(1))), (None, None));
        let texts = ["a", "b", "c"];
        assert_eq!(not_finite(Ty::F32, &Value::F32(f32::NAN), texts), Some("a"));
        assert_eq!(not_finite(Ty::F32, &Value::F32(f32::INFINITY), texts), Some("b"));
        assert_eq!(not_finite(Ty::F64, &Value::F64(f64::NEG_INFINITY), texts), Some("c"));
        assert_eq!(not_finite(Ty::F64, &Value::F64(0.0), texts), None);
        assert_eq!(not_finite(Ty::F64, &Value::F32(f32::NAN), texts), None);
    }
}
