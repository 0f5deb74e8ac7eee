//! How deep types and instances are, before they are validated: the validator looks through them by recursion, on the host's stack.
//!
//! An item of an instance counts as deep as the whole instance. What refers to nothing is left to the validator.

use super::problem::too_many;
use crate::base::error::LoadProblem;
use crate::base::limits::COMPONENT_DEPTH_MAX;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentDefinedType, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentType, ComponentTypeDeclaration, ComponentTypeRef, ComponentValType,
    FromReader, InstanceTypeDeclaration, Payload, SectionLimited, TypeBounds,
};

/// The components, and types of components and instances, that are being read, the outermost first.
#[derive(Default)]
pub struct Depths(Vec<Level>);

/// How deep the items of one of these are, by their index.
#[derive(Default)]
struct Level {
    types: Vec<u32>,
    funcs: Vec<u32>,
    instances: Vec<u32>,
    components: Vec<u32>,
    /// The deepest.
    most: u32,
}

type Done = Result<(), LoadProblem>;

impl Depths {
    /// A component begins.
    pub fn begin(&mut self) {
        self.0.push(Level::default());
    }

    /// A component ends.
    pub fn end(&mut self) -> Done {
        let most = self.0.pop().map_or(0, |level| level.most);
        self.push(ComponentExternalKind::Component, most + 1)
    }

    /// Looks at a section of the component that was begun last.
    ///
    /// # Errors
    /// Something in it is too deep.
    pub fn section(&mut self, payload: &Payload<'_>) -> Done {
        match payload {
            Payload::ComponentTypeSection(section) => self.each(section, |depths, ty: ComponentType<'_>| {
                let depth = depths.of_type(&ty)?;
                depths.push(ComponentExternalKind::Type, depth)
            }),
            Payload::ComponentInstanceSection(section) => self.each(section, |depths, instance| {
                let depth = depths.of_instance(&instance);
                depths.push(ComponentExternalKind::Instance, depth)
            }),
            Payload::ComponentAliasSection(section) => {
                self.each(section, |depths, alias| depths.alias(&alias))
            }
            Payload::ComponentCanonicalSection(section) => {
                self.each(section, |depths, function| match function {
                    CanonicalFunction::Lift { type_index, .. } => {
                        let depth = depths.item(ComponentExternalKind::Type, type_index, 0);
                        depths.push(ComponentExternalKind::Func, depth)
                    }
                    _ => Ok(()),
                })
            }
            Payload::ComponentImportSection(section) => self
                .each(section, |depths, import: wasmparser::ComponentImport<'_>| depths.declared(import.ty)),
            Payload::ComponentExportSection(section) => {
                self.each(section, |depths, export: wasmparser::ComponentExport<'_>| {
                    let depth = depths.item(export.kind, export.index, 0);
                    depths.push(export.kind, depth)
                })
            }
            _ => Ok(()),
        }
    }

    fn each<'a, T: FromReader<'a>>(
        &mut self,
        section: &SectionLimited<'a, T>,
        what: impl Fn(&mut Depths, T) -> Done,
    ) -> Done {
        // What does not parse is left to the validator.
        section.clone().into_iter().map_while(Result::ok).try_for_each(|item| what(self, item))
    }

    /// The next item of its kind has this depth.
    fn push(&mut self, kind: ComponentExternalKind, depth: u32) -> Done {
        if depth > COMPONENT_DEPTH_MAX {
            return Err(too_many("types or instances in a chain", COMPONENT_DEPTH_MAX as usize));
        }
        let Some(level) = self.0.last_mut() else { return Ok(()) };
        level.most = level.most.max(depth);
        match kind {
            ComponentExternalKind::Type => level.types.push(depth),
            ComponentExternalKind::Func => level.funcs.push(depth),
            ComponentExternalKind::Instance => level.instances.push(depth),
            ComponentExternalKind::Component => level.components.push(depth),
            ComponentExternalKind::Module | ComponentExternalKind::Value => {}
        }
        Ok(())
    }

    /// The depth of an item, so many levels further out.
    fn item(&self, kind: ComponentExternalKind, index: u32, further: u32) -> u32 {
        let level = self.0.len().checked_sub(1 + further as usize).map(|place| &self.0[place]);
        let items = level.map(|level| match kind {
            ComponentExternalKind::Type => &level.types[..],
            ComponentExternalKind::Func => &level.funcs,
            ComponentExternalKind::Instance => &level.instances,
            ComponentExternalKind::Component => &level.components,
            ComponentExternalKind::Module | ComponentExternalKind::Value => &[],
        });
        items.and_then(|items| items.get(index as usize)).copied().unwrap_or(0)
    }

    fn ty(&self, index: u32) -> u32 {
        self.item(ComponentExternalKind::Type, index, 0)
    }

    fn value(&self, ty: ComponentValType) -> u32 {
        match ty {
            ComponentValType::Primitive(_) => 0,
            ComponentValType::Type(index) => self.ty(index),
        }
    }

    fn of_type(&mut self, ty: &ComponentType<'_>) -> Result<u32, LoadProblem> {
        Ok(1 + match ty {
            ComponentType::Defined(defined) => self.of_defined(defined),
            ComponentType::Func(ty) => {
                let params = ty.params.iter().map(|(_, ty)| *ty);
                params.chain(ty.result).map(|ty| self.value(ty)).max().unwrap_or(0)
            }
            ComponentType::Resource { .. } => 0,
            ComponentType::Instance(declarations) => {
                self.begin();
                for declaration in declarations {
                    self.declaration(declaration)?;
                }
                self.0.pop().map_or(0, |level| level.most)
            }
            ComponentType::Component(declarations) => {
                self.begin();
                for declaration in declarations {
                    match declaration {
                        ComponentTypeDeclaration::Type(ty) => self.declared_type(ty)?,
                        ComponentTypeDeclaration::Alias(alias) => self.alias(alias)?,
                        ComponentTypeDeclaration::Export { ty, .. } => self.declared(*ty)?,
                        ComponentTypeDeclaration::Import(import) => self.declared(import.ty)?,
                        ComponentTypeDeclaration::CoreType(_) => {}
                    }
                }
                self.0.pop().map_or(0, |level| level.most)
            }
        })
    }

    fn of_defined(&self, ty: &ComponentDefinedType<'_>) -> u32 {
        let most = |types: &mut dyn Iterator<Item = ComponentValType>| {
            types.map(|ty| self.value(ty)).max().unwrap_or(0)
        };
        match ty {
            ComponentDefinedType::Record(fields) => most(&mut fields.iter().map(|(_, ty)| *ty)),
            ComponentDefinedType::Variant(cases) => most(&mut cases.iter().filter_map(|case| case.ty)),
            ComponentDefinedType::Tuple(types) => most(&mut types.iter().copied()),
            ComponentDefinedType::List(ty) | ComponentDefinedType::Option(ty) => self.value(*ty),
            ComponentDefinedType::Result { ok, err } => most(&mut ok.iter().chain(err).copied()),
            ComponentDefinedType::Future(ty) | ComponentDefinedType::Stream(ty) => {
                most(&mut ty.iter().copied())
            }
            ComponentDefinedType::Own(index) | ComponentDefinedType::Borrow(index) => self.ty(*index),
            ComponentDefinedType::Primitive(_)
            | ComponentDefinedType::Flags(_)
            | ComponentDefinedType::Enum(_) => 0,
        }
    }

    fn declaration(&mut self, declaration: &InstanceTypeDeclaration<'_>) -> Done {
        match declaration {
            InstanceTypeDeclaration::Type(ty) => self.declared_type(ty),
            InstanceTypeDeclaration::Alias(alias) => self.alias(alias),
            InstanceTypeDeclaration::Export { ty, .. } => self.declared(*ty),
            InstanceTypeDeclaration::CoreType(_) => Ok(()),
        }
    }

    fn declared_type(&mut self, ty: &ComponentType<'_>) -> Done {
        let depth = self.of_type(ty)?;
        self.push(ComponentExternalKind::Type, depth)
    }

    /// An item that is imported or exported with this type.
    fn declared(&mut self, ty: ComponentTypeRef) -> Done {
        let depth = match ty {
            ComponentTypeRef::Func(index)
            | ComponentTypeRef::Instance(index)
            | ComponentTypeRef::Component(index)
            | ComponentTypeRef::Type(TypeBounds::Eq(index)) => self.ty(index),
            ComponentTypeRef::Type(TypeBounds::SubResource) => 1,
            ComponentTypeRef::Module(_) | ComponentTypeRef::Value(_) => 0,
        };
        self.push(ty.kind(), depth)
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) -> Done {
        match alias {
            ComponentAlias::InstanceExport { kind, instance_index, .. } => {
                let depth = self.item(ComponentExternalKind::Instance, *instance_index, 0);
                self.push(*kind, depth)
            }
            ComponentAlias::Outer { kind, count, index } => {
                let kind = match kind {
                    ComponentOuterAliasKind::Type => ComponentExternalKind::Type,
                    ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                    ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::CoreType => return Ok(()),
                };
                let depth = self.item(kind, *index, *count);
                self.push(kind, depth)
            }
            ComponentAlias::CoreInstanceExport { .. } => Ok(()),
        }
    }

    fn of_instance(&self, instance: &ComponentInstance<'_>) -> u32 {
        1 + match instance {
            ComponentInstance::FromExports(exports) => {
                exports.iter().map(|export| self.item(export.kind, export.index, 0)).max().unwrap_or(0)
            }
            ComponentInstance::Instantiate { component_index, args } => {
                let args = args.iter().map(|arg| self.item(arg.kind, arg.index, 0)).max().unwrap_or(0);
                self.item(ComponentExternalKind::Component, *component_index, 0).max(args)
            }
        }
    }
}
