//! Why a component is not loaded.

use crate::base::error::LoadProblem;

/// It has more of something than is supported.
pub(super) fn too_many(what: &str, max: usize) -> LoadProblem {
    LoadProblem::Invalid(format!("more {what} than the {max} supported"))
}
