//! The names of interfaces' types, and what is behind them.

use super::text::Text;
use crate::host::component::function::Interface;
use crate::module::component::types::{Def, FuncTy, ResourceId, Ty, Types};
use std::collections::HashMap;

/// How deep types are nested in each other, aliases and uses included. A circle of names ends here.
const DEPTH_MAX: u32 = 32;

/// The names of interfaces' types, resolved when they are asked for.
pub struct Names<'a, 'i> {
    types: &'a mut Types,
    find: &'a dyn Fn(&str) -> Option<&'i Interface>,
    resource: &'a mut dyn FnMut(&str, &str) -> ResourceId,
    /// By interface and name.
    known: HashMap<(&'static str, &'static str), Named>,
    depth: u32,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A type of values.
    Type(Ty),
    /// A resource.
    Resource(ResourceId),
}

impl<'a, 'i> Names<'a, 'i> {
    /// Types go into `types`. `find` gives an interface by its name, and `resource` the type of a resource by the names of
    /// the interface that declares it and its own; it is asked once for each.
    pub fn new(
        types: &'a mut Types,
        find: &'a dyn Fn(&str) -> Option<&'i Interface>,
        resource: &'a mut dyn FnMut(&str, &str) -> ResourceId,
    ) -> Names<'a, 'i> {
        Names { types, find, resource, known: HashMap::new(), depth: 0 }
    }

    /// The type of the function `name` of `interface`, which is `ty` in WIT.
    ///
    /// # Errors
    /// It is no WIT, or has a name that stands for nothing.
    pub fn function(
        &mut self,
        interface: &Interface,
        name: &str,
        ty: &'static str,
    ) -> Result<FuncTy, String> {
        self.func_ty(interface, ty).map_err(|why| format!("{}: {name}: {why}", interface.name))
    }

    /// What `name` stands for in `interface`.
    ///
    /// # Errors
    /// As [`Names::function`].
    pub fn named(&mut self, interface: &Interface, name: &str) -> Result<Named, String> {
        if let Some(known) = self.known.get(&(interface.name, name)) {
            return Ok(*known);
        }
        self.deeper(|names| {
            let (name, named) = names.declared(interface, name)?;
            names.known.insert((interface.name, name), named);
            Ok(named)
        })
    }

    fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} types are nested in each other"));
        }
        self.depth += 1;
        let done = step(self);
        self.depth -= 1;
        done
    }

    /// Goes through the declarations of `interface` up to that of `name`. Gives the name as it is written there.
    fn declared(&mut self, interface: &Interface, name: &str) -> Result<(&'static str, Named), String> {
        let mut text = Text(interface.types);
        while !text.is_done() {
            let keyword = text.word()?;
            if keyword == "use" {
                if let Some((found, path, original)) = text.used(name)? {
                    let other = (self.find)(path).ok_or_else(|| format!("there is no interface `{path}`"))?;
                    return Ok((found, self.named(other, original)?));
                }
                continue;
            }
            let found = text.word()?;
            if found == name {
                let named = match keyword {
                    "resource" => Named::Resource((self.resource)(interface.name, found)),
                    "type" => self.alias(interface, &mut text)?,
                    _ => Named::Type(self.compound(interface, keyword, &mut text)?),
                };
                return Ok((found, named));
            }
            text.skip(match keyword {
                "resource" | "type" => ";",
                _ => "}",
            })?;
        }
        Err(format!("there is no `{name}` in `{}`", interface.name))
    }

    /// What is behind `type x`. The alias of a resource is that resource.
    fn alias(&mut self, interface: &Interface, text: &mut Text) -> Result<Named, String> {
        text.expect("=")?;
        let begin = *text;
        if let Ok(word) = text.word()
            && text.eat(";")
            && !is_builtin(word)
        {
            return self.named(interface, word);
        }
        *text = begin;
        Ok(Named::Type(self.ty(interface, text)?))
    }

    /// What is behind `record x` and the like.
    fn compound(&mut self, interface: &Interface, keyword: &str, text: &mut Text) -> Result<Ty, String> {
        let mut items = Vec::new();
        text.expect("{")?;
        while !text.eat("}") {
            let name: Box<str> = text.word()?.into();
            let ty = match keyword {
                "record" => {
                    text.expect(":")?;
                    Some(self.ty(interface, text)?)
                }
                "variant" if text.eat("(") => {
                    let ty = self.ty(interface, text)?;
                    text.expect(")")?;
                    Some(ty)
                }
                _ => None,
            };
            items.push((name, ty));
            text.comma("}")?;
        }
        let names = |items: Vec<(Box<str>, Option<Ty>)>| items.into_iter().map(|(name, _)| name).collect();
        let def = match keyword {
            "record" => Def::Record(items.into_iter().filter_map(|(name, ty)| Some((name, ty?))).collect()),
            "variant" => Def::Variant(items.into()),
            "enum" => Def::Enum(names(items)),
            "flags" => Def::Flags(names(items)),
            _ => return Err(format!("`{keyword}` declares no type")),
        };
        self.add(def)
    }

    fn add(&mut self, def: Def) -> Result<Ty, String> {
        self.types.add(def).map_err(|problem| problem.to_string())
    }

    fn func_ty(&mut self, interface: &Interface, text: &'static str) -> Result<FuncTy, String> {
        let mut text = Text(text);
        let mut params = Vec::new();
        text.expect("(")?;
        while !text.eat(")") {
            let name: Box<str> = text.word()?.into();
            text.expect(":")?;
            params.push((name, self.ty(interface, &mut text)?));
            text.comma(")")?;
        }
        let result = match text.eat("->") {
            true => Some(self.ty(interface, &mut text)?),
            false => None,
        };
        match text.is_done() {
            true => Ok(FuncTy { params: params.into(), result }),
            false => Err(text.unexpected("the end")),
        }
    }

    fn ty(&mut self, interface: &Interface, text: &mut Text) -> Result<Ty, String> {
        let is_escaped = text.peek() == Some('%');
        let word = text.word()?;
        if !is_escaped {
            if let Some(plain) = plain(word) {
                return Ok(plain);
            }
            if is_builtin(word) {
                return self.deeper(|names| names.built(interface, word, text));
            }
        }
        match self.named(interface, word)? {
            Named::Type(ty) => Ok(ty),
            Named::Resource(id) => self.add(Def::Own(id)),
        }
    }

    /// What is behind `list` and the like.
    fn built(&mut self, interface: &Interface, word: &str, text: &mut Text) -> Result<Ty, String> {
        if !text.eat("<") {
            return match word {
                "result" => self.add(Def::Result { ok: None, err: None }),
                _ => Err(text.unexpected("`<`")),
            };
        }
        let def = match word {
            "list" => Def::List(self.ty(interface, text)?),
            "option" => Def::Option(self.ty(interface, text)?),
            "result" => {
                let ok = if text.eat("_") { None } else { Some(self.ty(interface, text)?) };
                let err = if text.eat(",") { Some(self.ty(interface, text)?) } else { None };
                Def::Result { ok, err }
            }
            "tuple" => {
                let mut types = Vec::new();
                while !text.clone().eat(">") {
                    types.push(self.ty(interface, text)?);
                    text.comma(">")?;
                }
                Def::Tuple(types.into())
            }
            _ => {
                let name = text.word()?;
                match self.named(interface, name)? {
                    Named::Resource(id) if word == "own" => Def::Own(id),
                    Named::Resource(id) => Def::Borrow(id),
                    Named::Type(_) => return Err(format!("`{name}` is no resource")),
                }
            }
        };
        text.expect(">")?;
        self.add(def)
    }
}

/// A type that is a word.
fn plain(word: &str) -> Option<Ty> {
    Some(match word {
        "bool" => Ty::Bool,
        "s8" => Ty::S8,
        "u8" => Ty::U8,
        "s16" => Ty::S16,
        "u16" => Ty::U16,
        "s32" => Ty::S32,
        "u32" => Ty::U32,
        "s64" => Ty::S64,
        "u64" => Ty::U64,
        "f32" => Ty::F32,
        "f64" => Ty::F64,
        "char" => Ty::Char,
        "string" => Ty::String,
        _ => return None,
    })
}

/// Whether it is a type of WIT itself.
fn is_builtin(word: &str) -> bool {
    plain(word).is_some() || matches!(word, "list" | "option" | "result" | "tuple" | "own" | "borrow")
}
