//! Types for tests, with a layout of their own: computed from `CanonicalABI.md` once more, and not by what is tested.

use crate::chance::Chance;
use fuelbox::component::Value;
use std::fmt::Write;

/// A type.
#[derive(Debug, Clone)]
pub enum Ty {
    /// By its name in WAT.
    Plain(&'static str),
    String,
    List(Box<Ty>),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    /// Cases with or without a payload. `kind` is how WAT writes it.
    Variant(Kind, Vec<Option<Ty>>),
    Flags(u32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Variant,
    Enum,
    Option,
    Result,
}

const PLAIN: [&str; 12] =
    ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char"];

impl Ty {
    /// A type with at most `depth` levels.
    pub fn random(chance: &mut Chance, depth: u32) -> Ty {
        let inner = |chance: &mut Chance| Ty::random(chance, depth - 1);
        let some = |chance: &mut Chance| (chance.below(3) > 0).then(|| Ty::random(chance, depth - 1));
        match if depth == 0 { chance.below(3) } else { chance.below(12) } {
            0 | 1 => Ty::Plain(chance.one_of(&PLAIN)),
            2 | 3 => Ty::String,
            4 | 5 => Ty::List(Box::new(inner(chance))),
            6 => Ty::Record((0..=chance.below(4)).map(|_| inner(chance)).collect()),
            7 => Ty::Tuple((0..=chance.below(4)).map(|_| inner(chance)).collect()),
            8 => Ty::Variant(Kind::Variant, (0..=chance.below(5)).map(|_| some(chance)).collect()),
            9 => Ty::Variant(Kind::Option, vec![None, Some(inner(chance))]),
            10 => Ty::Variant(Kind::Result, vec![some(chance), some(chance)]),
            _ if chance.below(2) == 0 => {
                let cases = chance.one_of(&[1, 2, 255, 256, 257]);
                Ty::Variant(Kind::Enum, vec![None; cases])
            }
            _ => Ty::Flags(chance.one_of(&[1, 2, 8, 9, 16, 17, 31, 32])),
        }
    }

    /// A value of it.
    pub fn value(&self, chance: &mut Chance) -> Value {
        let n = chance.next();
        match self {
            Ty::Plain("bool") => Value::Bool(n & 1 == 1),
            Ty::Plain("s8") => Value::S8(n as i8),
            Ty::Plain("u8") => Value::U8(n as u8),
            Ty::Plain("s16") => Value::S16(n as i16),
            Ty::Plain("u16") => Value::U16(n as u16),
            Ty::Plain("s32") => Value::S32(n as i32),
            Ty::Plain("u32") => Value::U32(n as u32),
            Ty::Plain("s64") => Value::S64(n as i64),
            Ty::Plain("u64") => Value::U64(n),
            Ty::Plain("f32") => Value::F32((n as i32) as f32 / 8.0),
            Ty::Plain("f64") => Value::F64((n as i64) as f64 / 8.0),
            Ty::Plain(_) => Value::Char(char::from_u32(n as u32 % 0xd800).unwrap()),
            Ty::String => {
                let texts = [
                    "",
                    "plain",
                    "h\u{e9}llo",
                    "\u{100}",
                    "\u{10ffff} and \0",
                    "a longer text than the others",
                ];
                Value::String(chance.one_of(&texts).into())
            }
            Ty::List(ty) if matches!(**ty, Ty::Plain("u8")) => {
                Value::Bytes((0..chance.below(9)).map(|_| chance.next() as u8).collect())
            }
            Ty::List(ty) => Value::List((0..chance.below(4)).map(|_| ty.value(chance)).collect()),
            Ty::Record(types) | Ty::Tuple(types) => {
                Value::Record(types.iter().map(|ty| ty.value(chance)).collect())
            }
            Ty::Variant(_, cases) => {
                let case = chance.below(cases.len() as u64) as usize;
                let payload = cases[case].as_ref().map(|ty| Box::new(ty.value(chance)));
                Value::Variant(case as u32, payload)
            }
            Ty::Flags(count) => Value::Flags(n as u32 & ((1u64 << count) - 1) as u32),
        }
    }

    /// Its name in WAT. What it is made of goes to `out`, as definitions.
    pub fn wat(&self, out: &mut String) -> String {
        match self {
            Ty::Plain(name) => (*name).into(),
            Ty::String => "string".into(),
            Ty::Flags(count) => {
                let names: String = (0..*count).map(|n| format!(r#" "f{n}""#)).collect();
                definition(format!("(flags{names})"), out)
            }
            Ty::Variant(Kind::Enum, cases) => {
                let names: String = (0..cases.len()).map(|n| format!(r#" "c{n}""#)).collect();
                definition(format!("(enum{names})"), out)
            }
            Ty::List(ty) => format!("(list {})", ty.wat(out)),
            Ty::Tuple(types) => {
                let types: Vec<_> = types.iter().map(|ty| ty.wat(out)).collect();
                format!("(tuple {})", types.join(" "))
            }
            Ty::Record(types) => {
                let types: Vec<_> = types.iter().map(|ty| ty.wat(out)).collect();
                let fields = types.iter().enumerate().map(|(n, ty)| format!(r#" (field "f{n}" {ty})"#));
                definition(format!("(record{})", fields.collect::<String>()), out)
            }
            Ty::Variant(kind, cases) => {
                let types: Vec<_> =
                    cases.iter().map(|ty| ty.as_ref().map_or(String::new(), |ty| ty.wat(out))).collect();
                match kind {
                    Kind::Option => format!("(option {})", types[1]),
                    Kind::Result => {
                        let err =
                            if types[1].is_empty() { String::new() } else { format!("(error {})", types[1]) };
                        format!("(result {} {err})", types[0])
                    }
                    _ => {
                        let cases = types.iter().enumerate().map(|(n, ty)| format!(r#" (case "c{n}" {ty})"#));
                        definition(format!("(variant{})", cases.collect::<String>()), out)
                    }
                }
            }
        }
    }

    /// Size and alignment in memory.
    pub fn layout(&self) -> (u32, u32) {
        match self {
            Ty::Plain("bool" | "s8" | "u8") => (1, 1),
            Ty::Plain("s16" | "u16") => (2, 2),
            Ty::Plain("s64" | "u64" | "f64") => (8, 8),
            Ty::Plain(_) => (4, 4),
            Ty::String | Ty::List(_) => (8, 4),
            Ty::Flags(count) => match count {
                0..=8 => (1, 1),
                9..=16 => (2, 2),
                _ => (4, 4),
            },
            Ty::Record(types) | Ty::Tuple(types) => {
                let (mut size, mut align) = (0u32, 1);
                for ty in types {
                    let (own_size, own_align) = ty.layout();
                    size = size.next_multiple_of(own_align) + own_size;
                    align = align.max(own_align);
                }
                (size.next_multiple_of(align), align)
            }
            Ty::Variant(_, cases) => {
                let (discriminant, payload_at) = head(cases);
                let size = cases.iter().flatten().map(|ty| ty.layout().0).max().unwrap_or(0);
                let align =
                    cases.iter().flatten().map(|ty| ty.layout().1).max().unwrap_or(1).max(discriminant);
                ((payload_at + size).next_multiple_of(align), align)
            }
        }
    }

    /// Its core types.
    pub fn flat(&self) -> Vec<&'static str> {
        match self {
            Ty::Plain("s64" | "u64") => vec!["i64"],
            Ty::Plain("f32") => vec!["f32"],
            Ty::Plain("f64") => vec!["f64"],
            Ty::Plain(_) | Ty::Flags(_) => vec!["i32"],
            Ty::String | Ty::List(_) => vec!["i32", "i32"],
            Ty::Record(types) | Ty::Tuple(types) => types.iter().flat_map(Ty::flat).collect(),
            Ty::Variant(_, cases) => {
                let mut all: Vec<&'static str> = vec!["i32"];
                for ty in cases.iter().flatten() {
                    for (n, own) in ty.flat().into_iter().enumerate() {
                        match all.get_mut(n + 1) {
                            None => all.push(own),
                            Some(known) if *known == own => {}
                            Some(known) if matches!((*known, own), ("i32", "f32") | ("f32", "i32")) => {
                                *known = "i32"
                            }
                            Some(known) => *known = "i64",
                        }
                    }
                }
                all
            }
        }
    }

    /// WAT that stores a value at `at`, from locals that `get` gives, each as the core type that is asked for.
    pub fn store(&self, at: u32, get: &dyn Fn(usize, &'static str) -> String) -> String {
        match self {
            Ty::Plain("bool" | "s8" | "u8") => format!("(i32.store8 (i32.const {at}) {})", get(0, "i32")),
            Ty::Plain("s16" | "u16") => format!("(i32.store16 (i32.const {at}) {})", get(0, "i32")),
            Ty::Plain("s64" | "u64") => format!("(i64.store (i32.const {at}) {})", get(0, "i64")),
            Ty::Plain("f32") => format!("(f32.store (i32.const {at}) {})", get(0, "f32")),
            Ty::Plain("f64") => format!("(f64.store (i32.const {at}) {})", get(0, "f64")),
            Ty::Plain(_) => format!("(i32.store (i32.const {at}) {})", get(0, "i32")),
            Ty::Flags(_) => {
                let size = self.layout().0 * 8;
                let suffix = if size == 32 { String::new() } else { size.to_string() };
                format!("(i32.store{suffix} (i32.const {at}) {})", get(0, "i32"))
            }
            Ty::String | Ty::List(_) => format!(
                "(i32.store (i32.const {at}) {}) (i32.store (i32.const {}) {})",
                get(0, "i32"),
                at + 4,
                get(1, "i32")
            ),
            Ty::Record(types) | Ty::Tuple(types) => {
                let (mut at, mut from, mut out) = (at, 0, String::new());
                for ty in types {
                    let (size, align) = ty.layout();
                    at = at.next_multiple_of(align);
                    out += &ty.store(at, &|n, core| get(from + n, core));
                    at += size;
                    from += ty.flat().len();
                }
                out
            }
            Ty::Variant(_, cases) => {
                let (discriminant, payload_at) = head(cases);
                let suffix = if discriminant == 4 { String::new() } else { (discriminant * 8).to_string() };
                let mut out = format!("(i32.store{suffix} (i32.const {at}) {})", get(0, "i32"));
                for (case, ty) in cases.iter().enumerate().filter_map(|(n, ty)| ty.as_ref().map(|ty| (n, ty)))
                {
                    let inner = ty.store(at + payload_at, &|n, core| get(n + 1, core));
                    let _ = write!(out, "(if (i32.eq {} (i32.const {case})) (then {inner}))", get(0, "i32"));
                }
                out
            }
        }
    }
}

fn definition(what: String, out: &mut String) -> String {
    let name = format!("$t{}", out.matches("(export $t").count());
    let _ = write!(out, r#"(type {name}-type {what}) (export {name} "{}" (type {name}-type)) "#, &name[1..]);
    name
}

/// Bytes of the discriminant, and where the payload begins.
fn head(cases: &[Option<Ty>]) -> (u32, u32) {
    let discriminant = if cases.len() <= 256 { 1 } else { 2 };
    let align = cases.iter().flatten().map(|ty| ty.layout().1).max().unwrap_or(1);
    (discriminant, discriminant.next_multiple_of(align))
}
