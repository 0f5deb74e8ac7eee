//! The calls of a guest that have not ended, as many as are shown of a chain. What a deep recursion takes is bounded.

use crate::base::limits::{TRACE_FRAMES_INNER, TRACE_FRAMES_MAX, TRACE_SHOWN_INNER, TRACE_SHOWN_OUTER};
use std::collections::VecDeque;

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The function's index.
    pub function: u32,
    /// The offset at which its caller called it.
    pub from: u32,
}

/// The calls that have not ended. In a very deep recursion, those in the middle are only counted.
#[derive(Debug, Default)]
pub struct Frames {
    outer: Vec<Call>,
    /// The innermost ones beyond `outer`.
    inner: VecDeque<Call>,
    /// How many there are beyond `outer`.
    beyond: usize,
}

/// A call of a chain: its number from the inside, its function, and the offset where it is.
pub type Shown = (usize, u32, Option<u32>);

impl Frames {
    /// Begins a call.
    pub fn enter(&mut self, call: Call) {
        if self.beyond == 0 && self.outer.len() < TRACE_FRAMES_MAX && self.outer.try_reserve(1).is_ok() {
            return self.outer.push(call);
        }
        self.beyond += 1;
        if self.inner.len() == TRACE_FRAMES_INNER {
            self.inner.pop_front();
        }
        self.inner.push_back(call);
    }

    /// Ends the innermost call. Returns the offset where its caller is.
    pub fn leave(&mut self) -> u32 {
        let call = if self.beyond > 0 {
            self.beyond -= 1;
            self.inner.pop_back()
        } else {
            self.outer.pop()
        };
        call.map_or(0, |call| call.from)
    }

    /// The calls that are shown, the innermost of which is at the offset `at`.
    pub fn shown(&self, at: u32) -> Vec<Shown> {
        let depth = self.outer.len() + self.beyond;
        let inner = self.inner.iter().rev().enumerate();
        let outer = self.outer.iter().rev().enumerate().map(|(number, call)| (number + self.beyond, call));
        let mut next = (0, Some(at));
        let mut shown = Vec::new();
        for (number, call) in inner.chain(outer) {
            // After a gap, it is not known where the caller is.
            let at = next.1.filter(|_| next.0 == number);
            next = (number + 1, Some(call.from));
            if number < TRACE_SHOWN_INNER || number + TRACE_SHOWN_OUTER >= depth {
                shown.push((number, call.function, at));
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(frames: &Frames) -> Vec<(usize, u32)> {
        frames.shown(7).iter().map(|(number, function, _)| (*number, *function)).collect()
    }

    #[test]
    fn a_chain_has_the_places_of_the_callers() {
        let mut frames = Frames::default();
        assert_eq!(frames.shown(7), []);
        for (function, from) in [(3, 0), (4, 30), (5, 40)] {
            frames.enter(Call { function, from });
        }
        assert_eq!(frames.shown(50), [(0, 5, Some(50)), (1, 4, Some(40)), (2, 3, Some(30))]);
        assert_eq!(frames.leave(), 40);
        assert_eq!(frames.shown(41), [(0, 4, Some(41)), (1, 3, Some(30))]);
        assert_eq!((frames.leave(), frames.leave(), frames.leave()), (30, 0, 0));
    }

    #[test]
    fn of_a_deep_recursion_both_ends_are_shown_and_the_middle_is_counted() {
        let mut frames = Frames::default();
        let depth = TRACE_FRAMES_MAX + 1000;
        (0..depth).for_each(|function| frames.enter(Call { function: function as u32, from: 1 }));
        assert_eq!(frames.inner.len(), TRACE_FRAMES_INNER);
        let shown = numbers(&frames);
        assert_eq!(shown.len(), TRACE_SHOWN_INNER + TRACE_SHOWN_OUTER);
        assert!(shown.iter().all(|(number, function)| *function as usize == depth - 1 - number));
        // What was dropped stays unknown, and what is called from there is known again.
        for _ in 0..500 {
            frames.leave();
        }
        assert_eq!(numbers(&frames).first(), Some(&(depth - 500 - TRACE_SHOWN_OUTER, 7)));
        frames.enter(Call { function: 9, from: 2 });
        assert_eq!(frames.shown(3)[0], (0, 9, Some(3)));
        assert!(frames.shown(3)[1].0 > 1);
        for _ in 0..depth - 500 + 10 {
            frames.leave();
        }
        assert_eq!(numbers(&frames), []);
    }
}
