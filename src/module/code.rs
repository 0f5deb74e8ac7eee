//! Goes through a module's code section: each function body is looked through, and what must be inserted into it
//! is kept for `rewrite.rs`.

use crate::base::error::LoadProblem;
use crate::module::code_limits;
use crate::module::code_limits::Found;
use crate::module::edit::Edit;
use crate::module::operators::Types;
use wasmparser::FunctionBody;

/// What has been read of the code section.
#[derive(Default)]
pub struct Code {
    /// What is to be inserted into it, in order.
    pub edits: Vec<Edit>,
    /// What the interpreter takes to translate it, in nanoseconds of a desktop core.
    pub translation_ns: u64,
    /// Bytes that it takes once it is translated.
    pub translated_bytes: u64,
    /// Function bodies so far.
    pub bodies: usize,
    /// Where the last one ends; 0 before the section.
    end: usize,
}

impl Code {
    /// The section begins; its first function body, with its size, is `at` so many bytes from the module's first.
    pub fn begin(&mut self, at: usize) {
        self.end = at;
    }

    /// The next function body, of a function whose results take so many stack cells.
    ///
    /// # Errors
    /// As [`code_limits::body`].
    pub fn body(
        &mut self,
        body: &FunctionBody<'_>,
        results: u32,
        types: &dyn Types,
        work_arounds: bool,
    ) -> Result<(), LoadProblem> {
        let Found { insertions, translation_ns, translated_bytes } =
            code_limits::body(body, results, types, work_arounds)?;
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
