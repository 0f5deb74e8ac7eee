//! The values and types that the engines have in common, and when two values count as equal.

use crate::choices::Choices;
use std::fmt;

/// A type of WebAssembly 2.0, without vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ty {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `funcref`
    Func,
    /// `externref`
    Extern,
}

impl Ty {
    /// The types of numbers.
    pub const NUMBERS: [Ty; 4] = [Ty::I32, Ty::I64, Ty::F32, Ty::F64];

    /// Whether it is a number's.
    pub fn is_number(self) -> bool {
        !matches!(self, Ty::Func | Ty::Extern)
    }
}

/// A number. Floats are kept as bits.
#[derive(Clone, Copy)]
pub enum Num {
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// The bits of an `f32`.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
}

/// All NaNs are equal: the specification leaves their bits open. Zeroes of different sign are not.
impl PartialEq for Num {
    fn eq(&self, other: &Num) -> bool {
        match (*self, *other) {
            (Num::I32(a), Num::I32(b)) => a == b,
            (Num::I64(a), Num::I64(b)) => a == b,
            (Num::F32(a), Num::F32(b)) => a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan(),
            (Num::F64(a), Num::F64(b)) => a == b || f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan(),
            _ => false,
        }
    }
}

impl fmt::Debug for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Num::I32(v) => write!(f, "i32:{v}"),
            Num::I64(v) => write!(f, "i64:{v}"),
            Num::F32(v) => write!(f, "f32:{:?} (0x{v:08x})", f32::from_bits(v)),
            Num::F64(v) => write!(f, "f64:{:?} (0x{v:016x})", f64::from_bits(v)),
        }
    }
}

const I32S: [i32; 20] = [
    0,
    1,
    -1,
    2,
    3,
    5,
    7,
    8,
    31,
    32,
    33,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    i32::MIN,
    i32::MAX,
];
const I64S: [i64; 22] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    31,
    63,
    64,
    65,
    0xff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    -0x8000_0000,
    -0x8000_0001,
    i64::MIN,
    i64::MAX,
];
const F64S: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.0,
    3.25,
    100.0,
    -7.75,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    2147483647.0,
    2147483648.0,
    -2147483649.0,
    4294967296.0,
    9.3e18,
    1.9e19,
    1e-310,
    1e300,
];

/// A number of type `ty`, which is a number's: often one at the edge of something.
pub fn number(ty: Ty, c: &mut Choices<'_>) -> Num {
    let any = c.chance(15);
    match ty {
        Ty::I32 if any => Num::I32(c.bits() as i32),
        Ty::I32 => Num::I32(*c.pick(&I32S)),
        Ty::I64 if any => Num::I64(c.bits() as i64),
        Ty::I64 => Num::I64(*c.pick(&I64S)),
        Ty::F32 if any => Num::F32((c.bits() as i32 as f32 / 16.0).to_bits()),
        Ty::F32 => Num::F32((*c.pick(&F64S) as f32).to_bits()),
        Ty::F64 if any => Num::F64((c.bits() as i64 as f64 / 16.0).to_bits()),
        _ => Num::F64(c.pick(&F64S).to_bits()),
    }
}
