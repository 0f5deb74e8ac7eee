//! Runs one module on all roads and holds the answers against each other.

use crate::generate::Made;
use crate::road::fuelbox::Fuelbox;
use crate::road::plain::Plain;
use crate::road::reference::Reference;
use crate::road::{End, Loaded, PANICKED, Road, Run};
use crate::value::Num;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Fuel of fuelbox's small slices: the least pauses at nearly each basic block.
pub const SMALL_SLICE: u64 = 7;

/// Fuel of slices on wasmi alone: another size, so that it pauses elsewhere.
const PLAIN_SLICE: u64 = 23;

/// Which roads are taken beside the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roads {
    /// fuelbox, with its own slices and with small ones.
    pub fuelbox: bool,
    /// Whether fuelbox does what it does for wasmi's faults.
    pub work_arounds: bool,
    /// wasmi 2.0.0 alone, with memory and globals compared, after traps too. Only for modules that keep clear
    /// of its known faults, or to find these.
    pub plain: bool,
}

/// What was done, for the closing line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Modules made.
    pub modules: u64,
    /// Modules refused by a road.
    pub refused: u64,
    /// Calls: function and arguments.
    pub calls: u64,
    /// Executions of a call on a road under test; those on references are not counted.
    pub executions: u64,
    /// Calls that trapped.
    pub traps: u64,
    /// Calls that ran into a limit and were not compared.
    pub limits: u64,
    /// Pauses of executions under test.
    pub pauses: u64,
    /// Modules with a difference.
    pub differences: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.modules += other.modules;
        self.refused += other.refused;
        self.calls += other.calls;
        self.executions += other.executions;
        self.traps += other.traps;
        self.limits += other.limits;
        self.pauses += other.pauses;
        self.differences += other.differences;
    }
}

/// A call to which two roads gave different answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// The road under test.
    pub road: &'static str,
    /// The exported function.
    pub function: String,
    /// Its arguments.
    pub args: Vec<Num>,
    /// What differs, both sides of it.
    pub what: String,
}

/// Runs all calls of a module, up to the first difference.
pub fn module(made: &Made, roads: Roads, counts: &mut Counts) -> Option<Difference> {
    counts.modules += 1;
    let found = catch_unwind(AssertUnwindSafe(|| on_all_roads(made, roads, counts)));
    let found = found.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        let what = format!("panic: {}", text.unwrap_or_default());
        Some(Difference { road: "any", what, ..Difference::default() })
    });
    counts.differences += u64::from(found.is_some());
    found
}

struct Tested {
    name: &'static str,
    loaded: Box<dyn Loaded>,
    /// Roads of one number run the same code and use the same fuel.
    fuel_group: u32,
}

fn on_all_roads(made: &Made, roads: Roads, counts: &mut Counts) -> Option<Difference> {
    if !roads.work_arounds {
        // A panic of the translator can be caught here. In the middle of a run, where fuelbox translates, it
        // ends the process.
        let _ = Plain { slice_fuel: PLAIN_SLICE }.load(&made.wasm);
    }
    let (mut tested, mut references) = match load_all(&made.wasm, roads) {
        Ok(loaded) => loaded,
        Err(reason) if reason.contains(PANICKED) => {
            return Some(Difference {
                road: "any",
                what: format!("panic: {reason}"),
                ..Difference::default()
            });
        }
        Err(_) => {
            counts.refused += 1;
            return None;
        }
    };
    made.calls.iter().find_map(|(function, args)| {
        counts.calls += 1;
        let what = one_call(&mut tested, &mut references, function, args, counts);
        what.map(|(road, what)| Difference { road, function: function.clone(), args: args.clone(), what })
    })
}

/// A reference, by name.
type Answering = (&'static str, Box<dyn Loaded>);

fn load_all(wasm: &[u8], roads: Roads) -> Result<(Vec<Tested>, Vec<Answering>), String> {
    let mut all: Vec<(Box<dyn Road>, u32)> = Vec::new();
    if roads.fuelbox {
        all.push((Box::new(Fuelbox::new(roads.work_arounds)), 0));
        all.push((Box::new(Fuelbox::paused(roads.work_arounds, SMALL_SLICE)), 0));
    }
    if roads.plain {
        all.push((Box::new(Plain { slice_fuel: PLAIN_SLICE }), 1));
    }
    let load = |(road, fuel_group): &(Box<dyn Road>, u32)| {
        Ok(Tested { name: road.name(), loaded: road.load(wasm)?, fuel_group: *fuel_group })
    };
    let tested = all.iter().map(load).collect::<Result<_, String>>()?;
    let references = references().into_iter().map(|road| Ok((road.name(), road.load(wasm)?)));
    Ok((tested, references.collect::<Result<_, String>>()?))
}

fn references() -> Vec<Box<dyn Road>> {
    vec![
        Box::new(Reference),
        #[cfg(feature = "wasmtime")]
        Box::new(crate::road::wasmtime::Wasmtime::default()),
    ]
}

fn one_call(
    tested: &mut [Tested],
    references: &mut [Answering],
    function: &str,
    args: &[Num],
    counts: &mut Counts,
) -> Option<(&'static str, String)> {
    let mut fuels: [Option<u64>; 2] = [None; 2];
    let expected: Vec<Run> = references.iter_mut().map(|(_, road)| road.call(function, args)).collect();
    if expected.iter().any(|run| run.end == End::Limit) {
        counts.limits += 1;
        return None;
    }
    counts.traps += u64::from(matches!(expected[0].end, End::Trapped(_)));
    for one in tested {
        let run = one.loaded.call(function, args);
        counts.executions += 1;
        counts.pauses += run.pauses;
        if run.end == End::Limit {
            counts.limits += 1;
            return None;
        }
        let known = fuels[one.fuel_group as usize].get_or_insert(run.fuel);
        if *known != run.fuel {
            return Some((one.name, format!("fuel {known} with other slices\nfuel {} here", run.fuel)));
        }
        for ((name, reference), expected) in references.iter().zip(&expected) {
            if run.end != expected.end {
                return Some((one.name, format!("{name}: {:?}\n{}: {:?}", expected.end, one.name, run.end)));
            }
            if let (Some(a), Some(b)) = (reference.state(), one.loaded.state())
                && a != b
            {
                return Some((one.name, state_difference(&a, &b)));
            }
        }
    }
    None
}

fn state_difference(a: &crate::road::State<'_>, b: &crate::road::State<'_>) -> String {
    if a.globals != b.globals {
        return format!("globals of the reference: {:?}\nglobals here: {:?}", a.globals, b.globals);
    }
    let at = a.memory.iter().zip(b.memory).position(|(a, b)| a != b);
    match at {
        Some(at) => {
            format!("memory at {at}: {} in the reference, {} here", a.memory[at], b.memory[at])
        }
        None => format!("{} bytes of memory in the reference, {} here", a.memory.len(), b.memory.len()),
    }
}
