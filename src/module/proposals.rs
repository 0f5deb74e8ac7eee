//! Proposals to WebAssembly that a module needs and this build, or the interpreter, does not have.

use crate::base::error::LoadProblem;

/// Words in errors of the parser, the proposal that they belong to, and the cargo feature that brings it, if one does.
const PROPOSALS: [(&str, &str, Option<&str>); 4] = [
    ("exceptions proposal", "exceptions", None),
    ("exception handling", "exceptions", None),
    ("threads must be enabled", "threads", None),
    ("SIMD", "SIMD", Some("simd")),
];

/// Names the proposal that a refused module needs, and the build that has it, before the words of the parser.
pub fn explain(problem: LoadProblem) -> LoadProblem {
    let LoadProblem::Invalid(why) = &problem else { return problem };
    let Some((_, name, feature)) = PROPOSALS.iter().find(|(words, ..)| why.contains(words)) else {
        return problem;
    };
    if why.contains(&format!("it uses {name}, which")) {
        return problem;
    }
    LoadProblem::Invalid(match feature {
        None => format!("it uses {name}, which the interpreter does not have in any build: {why}"),
        // Relaxed SIMD, which the parser names the same way, is in no build.
        Some("simd") if cfg!(feature = "simd") => return problem,
        Some(feature) => {
            format!("it uses {name}, which this build does not have (cargo feature `{feature}`): {why}")
        }
    })
}
