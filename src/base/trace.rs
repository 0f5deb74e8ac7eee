//! What a traced run tells: the chain of calls in which it was stopped, and its fuel by function.

#[cfg(feature = "isolation")]
use crate::base::limits::TRACE_SHOWN_MAX;
use std::fmt;

/// What a traced run tells beside its report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Where the guest was stopped, if it was.
    pub chain: Option<Chain>,
    /// Fuel by function, if that was asked for.
    pub profile: Option<Profile>,
}

/// A chain of calls.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// What the instruction that trapped wanted of a memory or a table, if that is known.
    pub fault: Option<String>,
    /// The calls, the innermost first, without those in the middle of a long chain.
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "super::bounded::list::<_, _, TRACE_SHOWN_MAX>")
    )]
    pub frames: Vec<Frame>,
}

/// A call of a chain.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number. The innermost call has 0.
    pub number: usize,
    /// The function's name, which is printable.
    pub name: String,
    /// Bytes from the start of the module to the instruction, if that is known.
    pub at: Option<u32>,
    /// Its place in the source, if that is known; printable.
    pub line: Option<String>,
}

/// A few lines, without the last line end.
impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next = 0;
        let mut begin = "";
        if let Some(fault) = &self.fault {
            write!(f, "{fault}")?;
            begin = "\n";
        }
        for frame in &self.frames {
            if frame.number > next {
                write!(f, "{begin}... {} calls are not shown", frame.number - next)?;
                begin = "\n";
            }
            next = frame.number + 1;
            write!(f, "{begin}{}: {}", frame.number, frame.name)?;
            begin = "\n";
            if let Some(at) = frame.at {
                write!(f, " at {at:#x}")?;
            }
            if let Some(line) = &frame.line {
                write!(f, " ({line})")?;
            }
        }
        Ok(())
    }
}

/// Fuel by function and by the calls that led to it. A node comes after its parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The calls. The first is the host.
    pub nodes: Vec<Node>,
    /// Names of the functions, each as often as it is needed.
    pub names: Vec<String>,
    /// Whether there were more, which count to their callers.
    pub is_cut: bool,
}

/// The calls of a function by the same chain of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The function, by its place in [`Profile::names`].
    pub name: u32,
    /// The caller's node. The first node has itself.
    pub parent: u32,
    /// Fuel of the function itself.
    pub fuel: u64,
    /// How often it was called.
    pub calls: u64,
}
