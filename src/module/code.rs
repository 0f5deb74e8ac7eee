//! Reads a module's code section: checks each function body, and keeps the necessary insertions for
//! `rewrite.rs`.

use crate::base::error::LoadProblem;
use crate::module::code_limits;
use crate::module::code_limits::Found;
use crate::module::edit::Edit;
use crate::module::operators::Types;
use wasmparser::FunctionBody;

/// State of reading the code section.
#[derive(Default)]
pub struct Code {
    /// Insertions, in order.
    pub edits: Vec<Edit>,
    /// Estimated translation time, in nanoseconds on a desktop core.
    pub translation_ns: u64,
    /// Estimated size of the translated code, in bytes.
    pub translated_bytes: u64,
    /// Function bodies so far.
    pub bodies: usize,
    /// End of the last one; 0 before the section.
    end: usize,
}

impl Code {
    /// Starts the section. Its first function body, including the size, is at the byte `at` of the module.
    pub fn begin(&mut self, at: usize) {
        self.end = at;
    }

    /// Checks the next function body, of a function whose parameters and results take so many stack cells.
    ///
    /// # Errors
    /// As [`code_limits::body`].
    pub fn body(
        &mut self,
        body: &FunctionBody<'_>,
        cells: (u32, u32),
        types: &dyn Types,
        work_arounds: bool,
    ) -> Result<(), LoadProblem> {
        let Found { insertions, translation_ns, translated_bytes } =
            code_limits::body(body, cells, types, work_arounds)?;
        self.translation_ns += translation_ns;
        self.translated_bytes += translated_bytes;
        self.bodies += 1;
        let size_at = std::mem::replace(&mut self.end, body.range().end);
        if !insertions.is_empty() {
            self.edits.push(Edit { body: body.range(), size_at, insertions });
        }
        Ok(())
    }
}
