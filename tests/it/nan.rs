//! The bits of NaNs, where a guest can see them: the same on every CPU. `scripts/test-arm.sh` runs the same guest there.

use crate::guest::numbers;
use fuelbox::{Limits, Value};

const GUEST: &str = include_str!("nan.wat");

/// Core specification, section 2.2.3.
const CANONICAL_64: i64 = 0x7ff8_0000_0000_0000;
const CANONICAL_32: i32 = 0x7fc0_0000;

fn results(func: &str, params: &[Value]) -> Vec<Value> {
    numbers(GUEST, &Limits::default(), func, params).result.unwrap()
}

#[test]
fn what_makes_a_nan_makes_the_canonical_one() {
    let made = results("f64_made", &[]);
    for (at, bits) in made.iter().enumerate() {
        let expected = match at {
            6 => CANONICAL_64 | i64::MIN, // neg
            8 => 1_f64.to_bits() as i64,  // copysign with a positive NaN
            _ => CANONICAL_64,
        };
        assert_eq!(*bits, Value::I64(expected), "f64, operation {at}");
    }
    let made = results("f32_made", &[]);
    for (at, bits) in made.iter().enumerate() {
        let expected = match at {
            6 => CANONICAL_32 | i32::MIN,
            8 => 1_f32.to_bits() as i32,
            _ => CANONICAL_32,
        };
        assert_eq!(*bits, Value::I32(expected), "f32, operation {at}");
    }
}

#[test]
fn what_is_given_a_nan_gives_the_canonical_one() {
    for given in [-1, CANONICAL_64, CANONICAL_64 | i64::MIN, 0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_1234] {
        let all = results("f64_given", &[Value::I64(given)]);
        let (demoted, others) = all.split_last().unwrap();
        assert!(others.iter().all(|bits| *bits == Value::I64(CANONICAL_64)), "{given:x}: {others:x?}");
        assert_eq!(*demoted, Value::I64(i64::from(CANONICAL_32)), "{given:x}");
        // What only moves bits keeps them.
        assert_eq!(results("f64_stored", &[Value::I64(given)]), [Value::I64(given)]);
    }
    for given in [-1, CANONICAL_32, CANONICAL_32 | i32::MIN, 0x7f80_0001, 0x7fc0_1234] {
        let all = results("f32_given", &[Value::I32(given)]);
        let (promoted, others) = all.split_last().unwrap();
        assert!(others.iter().all(|bits| *bits == Value::I32(CANONICAL_32)), "{given:x}: {others:x?}");
        assert_eq!(*promoted, Value::I32((CANONICAL_64 >> 32) as i32), "{given:x}");
        assert_eq!(results("f32_stored", &[Value::I32(given)]), [Value::I32(given)]);
    }
}
