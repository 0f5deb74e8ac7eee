//! Types as a component declares them, and what it imports from the host.

use super::build::{Builder, missing};
use super::plan::{Func, FuncCode, InstanceId, Resource};
use super::scope::{Item, Items, Named, Outer, Type};
use super::types::{Def, FuncTy, ResourceId, Ty};
use crate::base::error::LoadProblem;
use std::rc::Rc;
use std::sync::Arc;
use wasmparser::{
    ComponentAlias, ComponentDefinedType, ComponentFuncType, ComponentOuterAliasKind, ComponentType,
    ComponentTypeRef, ComponentValType, InstanceTypeDeclaration, PrimitiveValType, TypeBounds,
};

/// The instance that defines a resource, and its core functions.
pub(super) type Owner<'s> = Option<(InstanceId, &'s [u32])>;

fn primitive(ty: PrimitiveValType) -> Result<Ty, LoadProblem> {
    Ok(match ty {
        PrimitiveValType::Bool => Ty::Bool,
        PrimitiveValType::S8 => Ty::S8,
        PrimitiveValType::U8 => Ty::U8,
        PrimitiveValType::S16 => Ty::S16,
        PrimitiveValType::U16 => Ty::U16,
        PrimitiveValType::S32 => Ty::S32,
        PrimitiveValType::U32 => Ty::U32,
        PrimitiveValType::S64 => Ty::S64,
        PrimitiveValType::U64 => Ty::U64,
        PrimitiveValType::F32 => Ty::F32,
        PrimitiveValType::F64 => Ty::F64,
        PrimitiveValType::Char => Ty::Char,
        PrimitiveValType::String => Ty::String,
        PrimitiveValType::ErrorContext => return Err(missing("an error context (WASI 0.3)")),
    })
}

/// The type of a value.
fn value(ty: ComponentValType, types: &Outer<'_>) -> Result<Ty, LoadProblem> {
    match ty {
        ComponentValType::Primitive(ty) => primitive(ty),
        ComponentValType::Type(index) => match types.ty(index) {
            Some(Type::Value(ty)) => Ok(ty),
            _ => Err(missing("a type of values")),
        },
    }
}

fn resource(index: u32, types: &Outer<'_>) -> Result<ResourceId, LoadProblem> {
    match types.ty(index) {
        Some(Type::Resource(id)) => Ok(id),
        _ => Err(missing("a resource")),
    }
}

/// The name of an interface without its version: `wasi:io/streams` of `wasi:io/streams@0.2.3`.
pub fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

impl Builder {
    /// A type.
    pub(super) fn ty<'a>(
        &mut self,
        ty: &'a ComponentType<'a>,
        types: &Rc<Outer<'a>>,
        owner: Owner<'_>,
    ) -> Result<Type<'a>, LoadProblem> {
        Ok(match ty {
            ComponentType::Defined(ComponentDefinedType::Primitive(ty)) => Type::Value(primitive(*ty)?),
            ComponentType::Defined(defined) => {
                let def = self.defined(defined, types)?;
                self.steps(def.parts())?;
                Type::Value(self.plan.types.add(def)?)
            }
            ComponentType::Func(ty) => Type::Func(Arc::new(self.func_ty(ty, types)?)),
            ComponentType::Instance(declarations) => Type::Instance(declarations, Rc::clone(types)),
            ComponentType::Component(_) => Type::Component,
            ComponentType::Resource { dtor, .. } => {
                let (instance, core_funcs) = owner.ok_or_else(|| missing("a component instance"))?;
                let destructor = match dtor {
                    Some(index) => {
                        Some(*core_funcs.get(*index as usize).ok_or_else(|| missing("a core function"))?)
                    }
                    None => None,
                };
                Type::Resource(self.resource(Resource::Guest { instance, destructor }))
            }
        })
    }

    fn func_ty(&mut self, ty: &ComponentFuncType<'_>, types: &Outer<'_>) -> Result<FuncTy, LoadProblem> {
        self.steps(ty.params.len())?;
        let mut params = Vec::with_capacity(ty.params.len());
        for (name, ty) in ty.params.iter() {
            params.push(((*name).into(), value(*ty, types)?));
        }
        let result = ty.result.map(|ty| value(ty, types)).transpose()?;
        Ok(FuncTy { params: params.into(), result })
    }

    fn defined(&mut self, ty: &ComponentDefinedType<'_>, types: &Outer<'_>) -> Result<Def, LoadProblem> {
        let optional = |ty: &Option<ComponentValType>| ty.map(|ty| value(ty, types)).transpose();
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        Ok(match ty {
            ComponentDefinedType::Primitive(_) => return Err(missing("a compound type")),
            ComponentDefinedType::Record(fields) => {
                let field = |(name, ty): &(&str, _)| Ok(((*name).into(), value(*ty, types)?));
                Def::Record(fields.iter().map(field).collect::<Result<_, LoadProblem>>()?)
            }
            ComponentDefinedType::Variant(cases) => {
                let case = |case: &wasmparser::VariantCase<'_>| Ok((case.name.into(), optional(&case.ty)?));
                Def::Variant(cases.iter().map(case).collect::<Result<_, LoadProblem>>()?)
            }
            ComponentDefinedType::List(ty) => Def::List(value(*ty, types)?),
            ComponentDefinedType::Tuple(members) => {
                Def::Tuple(members.iter().map(|ty| value(*ty, types)).collect::<Result<_, _>>()?)
            }
            ComponentDefinedType::Flags(flags) => Def::Flags(names(flags)),
            ComponentDefinedType::Enum(cases) => Def::Enum(names(cases)),
            ComponentDefinedType::Option(ty) => Def::Option(value(*ty, types)?),
            ComponentDefinedType::Result { ok, err } => {
                Def::Result { ok: optional(ok)?, err: optional(err)? }
            }
            ComponentDefinedType::Own(index) => Def::Own(resource(*index, types)?),
            ComponentDefinedType::Borrow(index) => Def::Borrow(resource(*index, types)?),
            _ => {
                return Err(LoadProblem::Invalid(
                    "types of asynchronous components (WASI 0.3) are not supported".into(),
                ));
            }
        })
    }

    /// An import of the component itself.
    pub(super) fn import<'a>(
        &mut self,
        name: &str,
        ty: ComponentTypeRef,
        types: &Rc<Outer<'a>>,
    ) -> Result<Item<'a>, LoadProblem> {
        if matches!(ty, ComponentTypeRef::Instance(_) | ComponentTypeRef::Func(_)) {
            self.plan.imports.push(name.into());
        }
        self.of_host(("", name), ty, types)
    }

    /// An item of the host: `name` of an interface, or of none.
    fn of_host<'a>(
        &mut self,
        (interface, name): (&str, &str),
        ty: ComponentTypeRef,
        types: &Rc<Outer<'a>>,
    ) -> Result<Item<'a>, LoadProblem> {
        self.steps(1)?;
        let refuse = |what: &str| LoadProblem::Import {
            import: if interface.is_empty() { name.into() } else { format!("{interface}#{name}") },
            why: format!("as {what}, which only another component could provide"),
        };
        Ok(match ty {
            ComponentTypeRef::Func(index) => {
                let Some(Type::Func(ty)) = types.ty(index) else { return Err(missing("a function type")) };
                let code = FuncCode::Host { interface: interface.into(), name: name.into() };
                Item::Func(self.func(Func { ty, code }))
            }
            ComponentTypeRef::Type(TypeBounds::Eq(index)) => {
                Item::Type(types.ty(index).ok_or_else(|| missing("a type"))?)
            }
            ComponentTypeRef::Type(TypeBounds::SubResource) => {
                Item::Type(Type::Resource(self.host_resource(interface, name)))
            }
            ComponentTypeRef::Instance(index) => {
                let Some(Type::Instance(declarations, outer)) = types.ty(index) else {
                    return Err(missing("an instance type"));
                };
                Item::Instance(self.host_instance(name, declarations, outer)?)
            }
            ComponentTypeRef::Module(_) => return Err(refuse("a core module")),
            ComponentTypeRef::Component(_) => return Err(refuse("a component")),
            ComponentTypeRef::Value(_) => return Err(refuse("a value")),
        })
    }

    /// The resource type `name` of an interface of the host, whatever version of it.
    pub(super) fn host_resource(&mut self, interface: &str, name: &str) -> ResourceId {
        let key: (Arc<str>, Arc<str>) = (unversioned(interface).into(), name.into());
        if let Some(id) = self.host_resources.get(&key) {
            return *id;
        }
        let (interface, name) = key.clone();
        let id = self.resource(Resource::Host { interface, name });
        self.host_resources.insert(key, id);
        id
    }

    /// The instance `name` that the host provides, with what the component declares of it.
    fn host_instance<'a>(
        &mut self,
        name: &str,
        declarations: &'a [InstanceTypeDeclaration<'a>],
        outer: Rc<Outer<'a>>,
    ) -> Result<Items<'a>, LoadProblem> {
        let types = Rc::new(Outer { outer: Some(outer), ..Outer::default() });
        let mut instances: Vec<Items<'a>> = Vec::new();
        let mut items = Named::default();
        for declaration in declarations {
            self.steps(1)?;
            let ty = match declaration {
                InstanceTypeDeclaration::CoreType(_) => continue,
                InstanceTypeDeclaration::Type(ty) => self.ty(ty, &types, None)?,
                InstanceTypeDeclaration::Alias(alias) => match aliased(alias, &types, &instances)? {
                    Some(ty) => ty,
                    None => continue,
                },
                InstanceTypeDeclaration::Export { name: own, ty } => {
                    let item = self.of_host((name, own.0), *ty, &types)?;
                    items.push(own.0, item.clone());
                    match item {
                        Item::Type(ty) => ty,
                        Item::Instance(inner) => {
                            instances.push(inner);
                            continue;
                        }
                        _ => continue,
                    }
                }
            };
            types.types.borrow_mut().push(ty);
        }
        Ok(Rc::new(items))
    }
}

/// The type that an alias in an instance type refers to. None if it refers to something else than a type.
fn aliased<'a>(
    alias: &ComponentAlias<'a>,
    types: &Rc<Outer<'a>>,
    instances: &[Items<'a>],
) -> Result<Option<Type<'a>>, LoadProblem> {
    match alias {
        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, count, index } => {
            let ty = types.further(*count).and_then(|outer| outer.ty(*index));
            ty.map(Some).ok_or_else(|| missing("an outer type"))
        }
        ComponentAlias::Outer { .. } => Ok(None),
        ComponentAlias::InstanceExport { instance_index, name, .. } => {
            match instances.get(*instance_index as usize).and_then(|items| items.get(name)) {
                Some(Item::Type(ty)) => Ok(Some(ty.clone())),
                _ => Err(missing("an exported type")),
            }
        }
        ComponentAlias::CoreInstanceExport { .. } => Err(missing("a component's instance")),
    }
}
