//! Random types and values of them, the same in every run of the tests.

use crate::host::component::value::Value;
use crate::module::component::types::{Def, Ty, Types};

/// Names that fields, cases and flags have: among them what means something in WAVE, JSON or WIT.
const NAMES: [&str; 16] = [
    "ok",
    "err",
    "some",
    "none",
    "true",
    "false",
    "nan",
    "inf",
    "null",
    "type",
    "a",
    "b2",
    "two-words",
    "HTTP3",
    "x-Y",
    "list",
];

/// A sequence of numbers (xorshift64, Marsaglia 2003).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n
    }

    fn names(&mut self, count: usize) -> Vec<Box<str>> {
        let first = self.below(NAMES.len());
        let names = NAMES.iter().cycle().skip(first).take(count.min(NAMES.len()));
        let more = (NAMES.len()..count).map(|at| format!("n{at}").into());
        names.map(|name| (*name).into()).chain(more).collect()
    }

    /// How many fields or cases a type has: more than a few now and then.
    fn count(&mut self) -> usize {
        match self.below(20) {
            0 => 20,
            _ => 1 + self.below(4),
        }
    }

    fn plain(&mut self) -> Ty {
        [
            Ty::Bool,
            Ty::S8,
            Ty::U8,
            Ty::S16,
            Ty::U16,
            Ty::S32,
            Ty::U32,
            Ty::S64,
            Ty::U64,
            Ty::F32,
            Ty::F64,
            Ty::Char,
            Ty::String,
        ][self.below(13)]
    }

    /// A type in which types are nested at most so deep.
    pub fn ty(&mut self, types: &mut Types, depth: usize) -> Ty {
        if depth <= 1 || self.below(6) == 0 {
            return self.plain();
        }
        let inner = |random: &mut Random, types: &mut Types| random.ty(types, depth - 1);
        let def = match self.below(9) {
            0 => {
                let count = self.count();
                Def::Record(self.names(count).into_iter().map(|name| (name, inner(self, types))).collect())
            }
            1 => {
                let count = self.count();
                let mut case = |name| (name, (self.below(3) > 0).then(|| inner(self, types)));
                let names = Random(count as u64 + 99).names(count);
                Def::Variant(names.into_iter().map(&mut case).collect())
            }
            2 => Def::List(inner(self, types)),
            3 => Def::Tuple((0..self.count()).map(|_| inner(self, types)).collect()),
            4 => {
                let count = 1 + self.below(32);
                Def::Flags(self.names(count).into())
            }
            5 => {
                let count = self.count();
                Def::Enum(self.names(count).into())
            }
            6 | 7 => Def::Option(inner(self, types)),
            _ => {
                let mut one = || (self.below(3) > 0).then(|| inner(self, types));
                Def::Result { ok: one(), err: one() }
            }
        };
        types.add(def).unwrap()
    }

    /// A value of type `ty`.
    pub fn value(&mut self, types: &Types, ty: Ty) -> Value {
        let Ty::Def(id) = ty else { return self.plain_value(ty) };
        let payload = |random: &mut Random, case: usize, ty: Option<Ty>| {
            Value::Variant(case as u32, ty.map(|ty| Box::new(random.value(types, ty))))
        };
        match types.def(id) {
            Def::Record(fields) => {
                Value::Record(fields.iter().map(|(_, ty)| self.value(types, *ty)).collect())
            }
            Def::Tuple(all) => Value::Record(all.iter().map(|ty| self.value(types, *ty)).collect()),
            Def::List(Ty::U8) => Value::Bytes((0..self.below(5)).map(|_| self.next() as u8).collect()),
            Def::List(ty) => Value::List((0..self.below(4)).map(|_| self.value(types, *ty)).collect()),
            Def::Flags(names) => Value::Flags((self.next() as u32) >> (32 - names.len())),
            Def::Enum(names) => Value::case(self.below(names.len()) as u32),
            Def::Variant(cases) => {
                let case = self.below(cases.len());
                payload(self, case, cases[case].1)
            }
            Def::Option(ty) => match self.below(2) {
                0 => Value::NONE,
                _ => Value::some(self.value(types, *ty)),
            },
            Def::Result { ok, err } => match self.below(2) {
                0 => payload(self, 0, *ok),
                _ => payload(self, 1, *err),
            },
            Def::Own(_) | Def::Borrow(_) => panic!("no type has a resource here"),
        }
    }

    /// Bits of a number: any, few, or all but few.
    fn bits(&mut self) -> u64 {
        match self.below(4) {
            0 => self.next() & 7,
            1 => !(self.next() & 7),
            2 => self.next() >> self.below(64),
            _ => self.next(),
        }
    }

    fn float(&mut self) -> f64 {
        match self.below(6) {
            0 => {
                [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN_POSITIVE][self.below(6)]
            }
            1 => self.bits() as i64 as f64,
            2 => self.below(100_000) as f64 / 1000.0,
            _ => match f64::from_bits(self.next()) {
                // Which NaN it is has no text.
                float if float.is_nan() => f64::NAN,
                float => float,
            },
        }
    }

    fn char(&mut self) -> char {
        const ODD: [char; 18] = [
            '"',
            '\'',
            '\\',
            '/',
            '\n',
            '\r',
            '\t',
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{202e}',
            '\u{2028}',
            '\u{feff}',
            '{',
            'é',
            '☃',
            '\u{1f600}',
            '\u{10ffff}',
        ];
        match self.below(3) {
            0 => ODD[self.below(ODD.len())],
            1 => char::from_u32(self.below(0x11_0000) as u32).unwrap_or('?'),
            _ => (b' ' + self.below(95) as u8).into(),
        }
    }

    fn plain_value(&mut self, ty: Ty) -> Value {
        match ty {
            Ty::Bool => Value::Bool(self.below(2) == 0),
            Ty::S8 => Value::S8(self.bits() as i8),
            Ty::U8 => Value::U8(self.bits() as u8),
            Ty::S16 => Value::S16(self.bits() as i16),
            Ty::U16 => Value::U16(self.bits() as u16),
            Ty::S32 => Value::S32(self.bits() as i32),
            Ty::U32 => Value::U32(self.bits() as u32),
            Ty::S64 => Value::S64(self.bits() as i64),
            Ty::U64 => Value::U64(self.bits()),
            Ty::F32 => Value::F32(self.float() as f32),
            Ty::F64 => Value::F64(self.float()),
            Ty::Char => Value::Char(self.char()),
            _ => {
                let len = if self.below(50) == 0 { 5000 } else { self.below(8) };
                Value::String((0..len).map(|_| self.char()).collect())
            }
        }
    }

    /// `text` with something changed: cut, doubled, a character other, or a piece of another text in it.
    pub fn broken(&mut self, text: &str) -> String {
        const PIECES: [&str; 27] = [
            "{", "}", "[", "]", "(", ")", ",", ":", "\"", "'", "%", "\\", "-", "0", "1e999", "null", "none",
            "some(", "{:}", "\\u{0}", "\\ud800", "\"\"\"\n", "//", "\n", "nan", "é", " ",
        ];
        let mut chars: Vec<char> = text.chars().take(200).collect();
        for _ in 0..=self.below(3) {
            let at = self.below(chars.len() + 1);
            match self.below(4) {
                0 => chars.truncate(at),
                1 if at < chars.len() => drop(chars.remove(at)),
                2 if at < chars.len() => chars[at] = self.char(),
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    chars.splice(at..at, piece.chars());
                }
            }
        }
        chars.into_iter().collect()
    }
}
