//! How deeply types are declared within each other, before the parser reads them: it does so by recursion, on the host's stack.

use super::problem::too_many;
use crate::base::error::LoadProblem;
use crate::base::limits::{COMPONENT_DEFINITIONS_MAX, COMPONENT_NESTING_MAX};
use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExportName, ComponentImport, ComponentType, ComponentTypeRef,
    CoreType, FromReader, Result,
};

/// The type of a component, and of an instance: what follows is the number of declarations, and these.
const OF_DECLARATIONS: [u8; 2] = [0x41, 0x42];

/// Checks the types in `bytes`, of which there are `count`. Gives the number of declarations within them. What does not parse is
/// left to the parser, which comes no further than this.
///
/// # Errors
/// They are nested too deeply, or there are too many declarations.
pub fn check(bytes: &[u8], count: u32) -> std::result::Result<usize, LoadProblem> {
    let mut types = Types { reader: BinaryReader::new(bytes, 0), left: vec![count], declarations: 0 };
    while let Ok(true) = types.step() {
        if types.left.len() > COMPONENT_NESTING_MAX {
            return Err(too_many("types declared within each other", COMPONENT_NESTING_MAX));
        }
        if types.declarations > COMPONENT_DEFINITIONS_MAX {
            return Err(too_many("declarations in types", COMPONENT_DEFINITIONS_MAX));
        }
    }
    Ok(types.declarations)
}

struct Types<'a> {
    reader: BinaryReader<'a>,
    /// What is left to be read: of the types of the section, of the declarations in one of them, and so on.
    left: Vec<u32>,
    declarations: usize,
}

impl<'a> Types<'a> {
    /// Reads one type or declaration, or ends a level. False at the end.
    fn step(&mut self) -> Result<bool> {
        let is_declaration = self.left.len() > 1;
        match self.left.last_mut() {
            None => return Ok(false),
            Some(0) => {
                self.left.pop();
                return Ok(true);
            }
            Some(left) => *left -= 1,
        }
        if is_declaration {
            self.declarations += 1;
            match self.reader.read_u8()? {
                0x00 => return self.skip::<CoreType<'a>>(),
                0x02 => return self.skip::<ComponentAlias<'a>>(),
                0x03 => return self.skip::<ComponentImport<'a>>(),
                0x04 => {
                    self.reader.read::<ComponentExportName<'a>>()?;
                    return self.skip::<ComponentTypeRef>();
                }
                // A type follows. The parser refuses all others.
                _ => {}
            }
        }
        let mut ahead = self.reader.clone();
        if OF_DECLARATIONS.contains(&ahead.read_u8()?) {
            self.left.push(ahead.read_var_u32()?);
            self.reader = ahead;
            return Ok(true);
        }
        self.skip::<ComponentType<'a>>()
    }

    fn skip<T: FromReader<'a>>(&mut self) -> Result<bool> {
        self.reader.read::<T>().map(|_| true)
    }
}
