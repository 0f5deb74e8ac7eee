//! Values into a guest: as core values and into memory (`CanonicalABI.md`, "Storing" and "Flat Lowering").
//!
//! The guest itself provides memory for lists and strings: its `realloc` is called while a value is lowered.

use super::handles::Entry;
use super::live::trap;
use super::text;
use crate::base::limits::COMPONENT_VALUE_FUEL;
use crate::host::component::value::{Handle, Value};
use crate::host::store::Halt;
use crate::module::component::plan::{Options, Plan, Resource};
use crate::module::component::types::{Def, ResourceId, Ty, discriminant_bytes};
use crate::sandbox::instance::Sandbox;
use wasmi::Val;

/// The value is not of its type, which only a function of the host can cause.
fn mismatch(ty: Ty, value: &Value) -> Halt {
    trap(format!("the host gave {value:?} for {ty:?}"))
}

/// Values that are stored between two looks at the clock.
const STORES_UNCHECKED: u32 = 4096;

/// Where values go.
#[derive(Clone, Copy)]
pub struct Target<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// How values are passed.
    pub options: Options,
    /// The call that handles are lent to.
    pub task: u32,
}

impl Sandbox<'_> {
    /// Appends the core values of `value`.
    pub(super) fn lower_flat(
        &mut self,
        target: Target<'_>,
        ty: Ty,
        value: &Value,
        out: &mut Vec<u64>,
    ) -> Result<(), Halt> {
        let types = &target.plan.types;
        if let Some(bits) = bits(ty, value) {
            out.push(bits);
            return Ok(());
        }
        let Ty::Def(id) = ty else {
            let (at, len) = self.lower_string(target, ty, value)?;
            out.extend([u64::from(at), u64::from(len)]);
            return Ok(());
        };
        match (types.def(id), value) {
            (Def::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                for ((_, ty), value) in fields.iter().zip(values) {
                    self.lower_flat(target, *ty, value, out)?;
                }
            }
            (Def::Tuple(members), Value::Record(values)) if members.len() == values.len() => {
                for (ty, value) in members.iter().zip(values) {
                    self.lower_flat(target, *ty, value, out)?;
                }
            }
            (Def::Flags(_), Value::Flags(flags)) => out.push(u64::from(*flags)),
            (Def::List(element), value) => {
                let (at, len) = self.lower_list(target, *element, value)?;
                out.extend([u64::from(at), u64::from(len)]);
            }
            (Def::Own(resource), Value::Own(handle)) | (Def::Borrow(resource), Value::Borrow(handle)) => {
                let is_borrow = matches!(value, Value::Borrow(_));
                out.push(u64::from(self.lower_handle(target, *resource, *handle, is_borrow)?));
            }
            (def, Value::Variant(case, payload)) => {
                let end = out.len() + usize::from(types.shape(ty).flat);
                out.push(u64::from(*case));
                match (def.payload(*case).ok_or_else(|| mismatch(ty, value))?, payload) {
                    (Some(inner), Some(payload)) => self.lower_flat(target, inner, payload, out)?,
                    (None, None) => {}
                    _ => return Err(mismatch(ty, value)),
                }
                out.resize(end, 0);
            }
            _ => return Err(mismatch(ty, value)),
        }
        Ok(())
    }

    /// Stores `value` at `at`, which is aligned for it.
    pub(super) fn store(&mut self, target: Target<'_>, ty: Ty, value: &Value, at: u32) -> Result<(), Halt> {
        self.look_at_clock()?;
        let types = &target.plan.types;
        let shape = types.shape(ty);
        if let Some(bits) = bits(ty, value) {
            return self.write(target, at, &bits.to_le_bytes()[..shape.size as usize]);
        }
        let Ty::Def(id) = ty else {
            let place = self.lower_string(target, ty, value)?;
            return self.write_place(target, at, place);
        };
        match (types.def(id), value) {
            (Def::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                self.store_all(target, fields.iter().map(|(_, ty)| *ty).zip(values), at)
            }
            (Def::Tuple(members), Value::Record(values)) if members.len() == values.len() => {
                self.store_all(target, members.iter().copied().zip(values), at)
            }
            (Def::Flags(_), Value::Flags(flags)) => {
                self.write(target, at, &flags.to_le_bytes()[..shape.size as usize])
            }
            (Def::List(element), value) => {
                let place = self.lower_list(target, *element, value)?;
                self.write_place(target, at, place)
            }
            (Def::Own(resource), Value::Own(handle)) | (Def::Borrow(resource), Value::Borrow(handle)) => {
                let is_borrow = matches!(value, Value::Borrow(_));
                let index = self.lower_handle(target, *resource, *handle, is_borrow)?;
                self.write(target, at, &index.to_le_bytes())
            }
            (def, Value::Variant(case, payload)) => {
                let carried = def.payload(*case).ok_or_else(|| mismatch(ty, value))?;
                self.write(target, at, &case.to_le_bytes()[..discriminant_bytes(def.cases()) as usize])?;
                match (carried, payload) {
                    (Some(inner), Some(payload)) => self.store(target, inner, payload, at + shape.payload_at),
                    (None, None) => Ok(()),
                    _ => Err(mismatch(ty, value)),
                }
            }
            _ => Err(mismatch(ty, value)),
        }
    }

    /// Stores values one after the other, each where it is aligned.
    pub(super) fn store_all<'v>(
        &mut self,
        target: Target<'_>,
        values: impl Iterator<Item = (Ty, &'v Value)>,
        at: u32,
    ) -> Result<(), Halt> {
        let mut at = at;
        for (ty, value) in values {
            let shape = target.plan.types.shape(ty);
            at = at.next_multiple_of(shape.align);
            self.store(target, ty, value, at)?;
            at = at.wrapping_add(shape.size);
        }
        Ok(())
    }

    /// Counts a value that is stored, and checks the deadline once for many. One element of a list may have thousands.
    fn look_at_clock(&mut self) -> Result<(), Halt> {
        let wasi = &mut self.host().wasi;
        wasi.extra_fuel = wasi.extra_fuel.saturating_add(COMPONENT_VALUE_FUEL);
        let stores = &mut self.live().unchecked_stores;
        *stores += 1;
        if *stores < STORES_UNCHECKED {
            return Ok(());
        }
        *stores = 0;
        self.check_deadline(0).map_err(Halt::Stop)
    }

    fn lower_string(&mut self, target: Target<'_>, ty: Ty, value: &Value) -> Result<(u32, u32), Halt> {
        let Value::String(text) = value else { return Err(mismatch(ty, value)) };
        let (bytes, align, len) = text::encode(target.options.encoding, text).map_err(trap)?;
        let at = self.allocate(target, bytes.len() as u64, align)?;
        self.before_copy(bytes.len()).map_err(Halt::Stop)?;
        self.write(target, at, &bytes)?;
        Ok((at, len))
    }

    fn lower_list(&mut self, target: Target<'_>, element: Ty, value: &Value) -> Result<(u32, u32), Halt> {
        let shape = target.plan.types.shape(element);
        let len = match (value, element) {
            (Value::Bytes(bytes), Ty::U8) => bytes.len(),
            (Value::List(values), _) => values.len(),
            _ => return Err(mismatch(element, value)),
        };
        let bytes = len as u64 * u64::from(shape.size);
        let at = self.allocate(target, bytes, shape.align)?;
        self.before_copy(bytes as usize).map_err(Halt::Stop)?;
        match value {
            Value::Bytes(bytes) => self.write(target, at, bytes)?,
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.store(target, element, value, at + index as u32 * shape.size)?;
                }
            }
            _ => return Err(mismatch(element, value)),
        }
        Ok((at, len as u32))
    }

    /// A handle for the guest. One who implements the resource is given what it knows the resource by.
    fn lower_handle(
        &mut self,
        target: Target<'_>,
        resource: ResourceId,
        handle: Handle,
        is_borrow: bool,
    ) -> Result<u32, Halt> {
        if handle.resource != resource && handle.resource != ResourceId::HOST {
            return Err(trap("a handle of another resource type"));
        }
        let instance = target.options.instance;
        let own = matches!(&target.plan.resources[resource.0 as usize],
            Resource::Guest { instance: own, .. } if *own == instance);
        if is_borrow && own {
            return Ok(handle.rep);
        }
        let lent_to = is_borrow.then_some(target.task);
        let live = self.live();
        if is_borrow && let Some(task) = live.tasks.get_mut(target.task as usize) {
            task.borrows += 1;
        }
        let entry = Entry { resource, rep: handle.rep, lent_to, lends: 0 };
        self.add_handle(instance, entry)
    }

    /// Memory of the guest for so many bytes.
    pub(super) fn allocate(&mut self, target: Target<'_>, bytes: u64, align: u32) -> Result<u32, Halt> {
        let too_long = || trap(format!("{bytes} bytes are too many for a guest's memory"));
        let size = u32::try_from(bytes).ok().filter(|size| *size <= i32::MAX as u32).ok_or_else(too_long)?;
        let realloc = target.options.realloc.ok_or_else(|| trap("there is no realloc"))?;
        let func = self.core_func(target.plan, realloc)?;
        let params = [Val::I32(0), Val::I32(0), Val::I32(align as i32), Val::I32(size as i32)];
        let mut results = [Val::I32(0)];
        self.call_core(func, &params, &mut results)?;
        let Val::I32(at) = results[0] else { return Err(trap("realloc gave no pointer")) };
        let at = at as u32;
        if !at.is_multiple_of(align) {
            return Err(trap(format!("realloc gave {at}, which is not aligned to {align} bytes")));
        }
        let memory_bytes = self.memory_of(target)?.len();
        if u64::from(at) + bytes > memory_bytes as u64 {
            return Err(trap(format!(
                "realloc gave {at} for {bytes} bytes, which are not in the memory of {memory_bytes} bytes"
            )));
        }
        Ok(at)
    }

    fn write_place(&mut self, target: Target<'_>, at: u32, place: (u32, u32)) -> Result<(), Halt> {
        self.write(target, at, &place.0.to_le_bytes())?;
        self.write(target, at + 4, &place.1.to_le_bytes())
    }

    fn write(&mut self, target: Target<'_>, at: u32, bytes: &[u8]) -> Result<(), Halt> {
        self.host().wasi.moved_bytes += bytes.len() as u64;
        let memory = self.memory_of(target)?;
        let begin = at as usize;
        // The memory was there when it was allocated, and memories do not shrink.
        let place =
            memory.get_mut(begin..begin + bytes.len()).ok_or_else(|| trap("a place outside the memory"))?;
        place.copy_from_slice(bytes);
        Ok(())
    }

    fn memory_of(&mut self, target: Target<'_>) -> Result<&mut [u8], Halt> {
        let memory = target.options.memory.ok_or_else(|| trap("there is no memory"))?;
        self.core_memory_mut(target.plan, memory)
    }
}

/// The bits of a number, boolean or character.
fn bits(ty: Ty, value: &Value) -> Option<u64> {
    Some(match (ty, value) {
        (Ty::Bool, Value::Bool(v)) => u64::from(*v),
        (Ty::S8, Value::S8(v)) => u64::from(i32::from(*v) as u32),
        (Ty::U8, Value::U8(v)) => u64::from(*v),
        (Ty::S16, Value::S16(v)) => u64::from(i32::from(*v) as u32),
        (Ty::U16, Value::U16(v)) => u64::from(*v),
        (Ty::S32, Value::S32(v)) => u64::from(*v as u32),
        (Ty::U32, Value::U32(v)) => u64::from(*v),
        (Ty::S64, Value::S64(v)) => *v as u64,
        (Ty::U64, Value::U64(v)) => *v,
        // Every NaN becomes the canonical one, as everywhere else here.
        (Ty::F32, Value::F32(v)) => u64::from(if v.is_nan() { 0x7fc0_0000 } else { v.to_bits() }),
        (Ty::F64, Value::F64(v)) => {
            if v.is_nan() {
                0x7ff8_0000_0000_0000
            } else {
                v.to_bits()
            }
        }
        (Ty::Char, Value::Char(v)) => u64::from(u32::from(*v)),
        _ => return None,
    })
}
