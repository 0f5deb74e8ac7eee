//! Values out of a guest: from core values and from memory (`CanonicalABI.md`, "Loading" and "Flat Lifting").

use super::handles::{Handles, Trap};
use super::text;
use crate::base::heap::{self, Small};
use crate::base::limits::BULK_BYTES_PER_MS;
use crate::host::component::value::{Handle, Value};
use crate::host::store::Limiter;
use crate::module::component::plan::Encoding;
use crate::module::component::types::{Def, Ty, Types, discriminant_bytes};
use std::time::{Duration, Instant};

/// Bytes that a value takes at the host, beside those of a string.
const VALUE_BYTES: usize = size_of::<Value>();

/// Lifts values of one call.
pub struct Lift<'a> {
    /// The types.
    pub types: &'a Types,
    /// The guest's memory. Empty without one.
    pub memory: &'a [u8],
    /// How strings are encoded.
    pub encoding: Encoding,
    /// The guest's handles.
    pub handles: &'a mut Handles,
    /// Handles that are lent for the call.
    pub lent: &'a mut Vec<u32>,
    /// Counts what the host keeps.
    pub limiter: &'a mut Limiter,
    /// Bytes that were counted there.
    pub held_bytes: usize,
    /// Bytes moved, and values made, for the guest to pay.
    pub moved_bytes: u64,
    /// Values that were made, for the guest to pay.
    pub made: u64,
    /// When it has to end at the latest.
    pub latest: Option<Instant>,
    /// Bytes since the last look at the clock.
    pub unchecked_bytes: u64,
    /// Whether it would not have ended by then.
    pub is_late: bool,
    /// Values in values, each of which is an allocation.
    pub small: Small,
}

/// Core values to lift from, in their order. Each is the bits of an i32, i64, f32 or f64.
pub type Flats<'f> = std::slice::Iter<'f, u64>;

impl Lift<'_> {
    /// Values of these types: from core values, or if they are `spilled`, from where the first one points to.
    pub fn values(&mut self, types: &[Ty], spilled: bool, flats: &[u64]) -> Result<Vec<Value>, Trap> {
        let mut flats = flats.iter();
        let mut values = Vec::with_capacity(types.len());
        if !spilled {
            for ty in types {
                values.push(self.flat(*ty, &mut flats)?);
            }
            return Ok(values);
        }
        let mut at = next(&mut flats)? as u32;
        let shape = self.types.together(types.iter().copied());
        self.place(at, u64::from(shape.size), shape.align)?;
        for ty in types {
            let shape = self.types.shape(*ty);
            at = at.next_multiple_of(shape.align);
            values.push(self.load(*ty, at)?);
            at = at.wrapping_add(shape.size);
        }
        Ok(values)
    }

    /// A value from core values.
    pub fn flat(&mut self, ty: Ty, flats: &mut Flats<'_>) -> Result<Value, Trap> {
        let Ty::Def(id) = ty else { return self.flat_plain(ty, flats) };
        let types = self.types;
        match types.def(id) {
            Def::Record(fields) => self.flat_all(fields.iter().map(|(_, ty)| *ty), flats),
            Def::Tuple(members) => self.flat_all(members.iter().copied(), flats),
            def @ (Def::Variant(_) | Def::Enum(_) | Def::Option(_) | Def::Result { .. }) => {
                self.flat_case(ty, def, flats)
            }
            Def::Flags(names) => Ok(flags(next(flats)? as u32, names.len())),
            Def::List(element) => {
                let (begin, len) = (next(flats)? as u32, next(flats)? as u32);
                self.list(*element, begin, len)
            }
            Def::Own(_) | Def::Borrow(_) => {
                let index = next(flats)? as u32;
                self.handle(ty, index)
            }
        }
    }

    fn flat_plain(&mut self, ty: Ty, flats: &mut Flats<'_>) -> Result<Value, Trap> {
        let bits = next(flats)?;
        if ty == Ty::String {
            let len = next(flats)? as u32;
            return self.string(bits as u32, len);
        }
        plain(ty, bits)
    }

    fn flat_all(&mut self, types: impl Iterator<Item = Ty>, flats: &mut Flats<'_>) -> Result<Value, Trap> {
        let count = types.size_hint().0;
        self.hold_values(count)?;
        let mut values = Vec::with_capacity(count);
        for ty in types {
            values.push(self.flat(ty, flats)?);
        }
        Ok(Value::Record(values))
    }

    fn flat_case(&mut self, ty: Ty, def: &Def, flats: &mut Flats<'_>) -> Result<Value, Trap> {
        let rest = usize::from(self.types.shape(ty).flat) - 1;
        let case = next(flats)? as u32;
        let payload = payload(def, case)?;
        let after = flats.as_slice().get(rest..).ok_or("too few core values")?;
        let payload = match payload {
            Some(ty) => {
                self.hold_values(1)?;
                Some(Box::new(self.flat(ty, flats)?))
            }
            None => None,
        };
        *flats = after.iter();
        Ok(Value::Variant(case, payload))
    }

    /// A value from memory. `at` is aligned for it, and all of its bytes are there.
    pub fn load(&mut self, ty: Ty, at: u32) -> Result<Value, Trap> {
        let Ty::Def(id) = ty else {
            let shape = self.types.shape(ty);
            if ty == Ty::String {
                let (begin, len) = (self.number(at, 4)? as u32, self.number(at + 4, 4)? as u32);
                return self.string(begin, len);
            }
            return plain(ty, self.number(at, shape.size)?);
        };
        let types = self.types;
        match types.def(id) {
            Def::Record(fields) => self.load_all(fields.iter().map(|(_, ty)| *ty), at),
            Def::Tuple(members) => self.load_all(members.iter().copied(), at),
            def @ (Def::Variant(_) | Def::Enum(_) | Def::Option(_) | Def::Result { .. }) => {
                self.load_case(ty, def, at)
            }
            Def::Flags(names) => Ok(flags(self.number(at, types.shape(ty).size)? as u32, names.len())),
            Def::List(element) => {
                let (begin, len) = (self.number(at, 4)? as u32, self.number(at + 4, 4)? as u32);
                self.list(*element, begin, len)
            }
            Def::Own(_) | Def::Borrow(_) => {
                let index = self.number(at, 4)? as u32;
                self.handle(ty, index)
            }
        }
    }

    fn load_all(&mut self, types: impl Iterator<Item = Ty>, at: u32) -> Result<Value, Trap> {
        let count = types.size_hint().0;
        self.hold_values(count)?;
        let mut values = Vec::with_capacity(count);
        let mut at = at;
        for ty in types {
            let shape = self.types.shape(ty);
            at = at.next_multiple_of(shape.align);
            values.push(self.load(ty, at)?);
            at = at.wrapping_add(shape.size);
        }
        Ok(Value::Record(values))
    }

    fn load_case(&mut self, ty: Ty, def: &Def, at: u32) -> Result<Value, Trap> {
        let case = self.number(at, discriminant_bytes(def.cases()))? as u32;
        let payload_at = self.types.shape(ty).payload_at;
        let payload = match payload(def, case)? {
            Some(ty) => {
                self.hold_values(1)?;
                Some(Box::new(self.load(ty, at + payload_at)?))
            }
            None => None,
        };
        Ok(Value::Variant(case, payload))
    }

    fn place(&self, at: u32, bytes: u64, align: u32) -> Result<&[u8], Trap> {
        if !at.is_multiple_of(align) {
            return Err(format!("unaligned pointer: {at} is not a multiple of {align}"));
        }
        let end = u64::from(at) + bytes;
        let range = at as usize..usize::try_from(end).unwrap_or(usize::MAX);
        self.memory.get(range).ok_or_else(|| {
            format!("{bytes} bytes at {at} are not in the memory, which has {} bytes", self.memory.len())
        })
    }

    /// A number of 1, 2, 4 or 8 bytes.
    fn number(&self, at: u32, bytes: u32) -> Result<u64, Trap> {
        let mut out = [0; 8];
        let from = self.place(at, u64::from(bytes), 1)?;
        out[..from.len()].copy_from_slice(from);
        Ok(u64::from_le_bytes(out))
    }

    /// Counts so many values that the host is going to keep.
    fn hold_values(&mut self, count: usize) -> Result<(), Trap> {
        self.made += count as u64;
        self.hold(count.saturating_mul(VALUE_BYTES))
    }

    /// Counts what the host is going to keep.
    fn hold(&mut self, bytes: usize) -> Result<(), Trap> {
        self.unchecked_bytes += bytes as u64;
        if self.unchecked_bytes >= BULK_BYTES_PER_MS {
            self.unchecked_bytes = 0;
            let ends = Instant::now() + Duration::from_millis(bytes as u64 / BULK_BYTES_PER_MS);
            self.is_late = self.latest.is_some_and(|latest| ends > latest);
            if self.is_late {
                return Err(format!("a value of {bytes} bytes is late"));
            }
        }
        if !self.limiter.take_outside(bytes) {
            return Err(format!(
                "a value of {bytes} bytes is more than the memory limit leaves (--memory-pages)"
            ));
        }
        // A value in another one is an allocation, however small it is.
        self.small.take(bytes + VALUE_BYTES).map_err(|error| error.to_string())?;
        self.held_bytes += bytes;
        self.moved_bytes += bytes as u64;
        Ok(())
    }

    fn string(&mut self, begin: u32, len: u32) -> Result<Value, Trap> {
        let (units, align, is_utf16) = text::layout(self.encoding, len);
        let bytes = u64::from(units) * if is_utf16 { 2 } else { 1 };
        self.place(begin, bytes, align)?;
        // Latin-1 and UTF-16 may take half as much again in UTF-8.
        self.hold(bytes as usize * if self.encoding == Encoding::Utf8 { 1 } else { 2 })?;
        let place = self.place(begin, bytes, align)?;
        text::decode(self.encoding, is_utf16, place).map(Value::String)
    }

    fn list(&mut self, element: Ty, begin: u32, len: u32) -> Result<Value, Trap> {
        let shape = self.types.shape(element);
        let bytes = u64::from(len) * u64::from(shape.size);
        self.place(begin, bytes, shape.align)?;
        if element == Ty::U8 {
            self.hold(bytes as usize)?;
            let place = self.place(begin, bytes, 1)?;
            let copied = heap::copy(place).map_err(|error| error.to_string())?;
            return Ok(Value::Bytes(copied));
        }
        self.hold_values(len as usize)?;
        let mut values = Vec::new();
        heap::check(len as usize * VALUE_BYTES).map_err(|error| error.to_string())?;
        values
            .try_reserve_exact(len as usize)
            .map_err(|_| "the system has no memory for a list".to_string())?;
        for index in 0..len {
            values.push(self.load(element, begin + index * shape.size)?);
        }
        Ok(Value::List(values))
    }

    fn handle(&mut self, ty: Ty, index: u32) -> Result<Value, Trap> {
        let Ty::Def(id) = ty else { return Err("not a handle".into()) };
        match self.types.def(id) {
            Def::Own(resource) => {
                let entry = self.handles.get(index, *resource)?;
                if entry.lent_to.is_some() {
                    return Err(format!("handle {index} is borrowed, and cannot be given away"));
                }
                let rep = self.handles.remove(index, *resource)?.rep;
                Ok(Value::Own(Handle { resource: *resource, rep }))
            }
            Def::Borrow(resource) => {
                let entry = self.handles.get(index, *resource)?;
                entry.lends += 1;
                self.lent.push(index);
                Ok(Value::Borrow(Handle { resource: *resource, rep: entry.rep }))
            }
            _ => Err("not a handle".into()),
        }
    }
}

fn next(flats: &mut Flats<'_>) -> Result<u64, Trap> {
    flats.next().copied().ok_or_else(|| "too few core values".into())
}

/// What a case carries.
fn payload(def: &Def, case: u32) -> Result<Option<Ty>, Trap> {
    def.payload(case).ok_or_else(|| format!("case {case} of a variant with {} cases", def.cases()))
}

/// The flags that exist.
fn flags(bits: u32, count: usize) -> Value {
    Value::Flags(if count >= 32 { bits } else { bits & ((1 << count) - 1) })
}

fn plain(ty: Ty, bits: u64) -> Result<Value, Trap> {
    Ok(match ty {
        Ty::Bool => Value::Bool(bits as u32 != 0),
        Ty::S8 => Value::S8(bits as i8),
        Ty::U8 => Value::U8(bits as u8),
        Ty::S16 => Value::S16(bits as i16),
        Ty::U16 => Value::U16(bits as u16),
        Ty::S32 => Value::S32(bits as i32),
        Ty::U32 => Value::U32(bits as u32),
        Ty::S64 => Value::S64(bits as i64),
        Ty::U64 => Value::U64(bits),
        Ty::F32 => Value::F32(f32::from_bits(bits as u32)),
        Ty::F64 => Value::F64(f64::from_bits(bits)),
        Ty::Char => {
            let c = char::from_u32(bits as u32);
            Value::Char(c.ok_or_else(|| format!("{:#x} is no Unicode scalar value", bits as u32))?)
        }
        Ty::String | Ty::Def(_) => return Err("not a number".into()),
    })
}
