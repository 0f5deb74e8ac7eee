//! Components on stable Rust: `components --seconds 60 --seed 1`. It ends with 1 if a value changes on its way, if a slice of
//! fuel changes what a component does, or if a run outlives its limits. A panic ends it with its seed.

#[path = "../../../tests/it/chance.rs"]
mod chance;
#[path = "../../../tests/it/component/echo.rs"]
mod echo;
#[path = "../../../tests/it/component/shape.rs"]
mod shape;

use chance::Chance;
use fuelbox::component::Value;
use fuelbox::{Call, CompileOptions, Limits, Program, Report, Runner, RunnerConfig};
use shape::Ty;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Passes random values through generated components, and runs components whose bytes were changed.

  --seed N          the first seed (default 1)
  --seconds N       how long (default 60): half of it for each
";

/// Fuel of a small slice: a run pauses in almost every basic block.
const SMALL_SLICE: u64 = 7;

/// How much longer than its deadline a run may take here, where other processes run too.
const LATE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut seed, mut seconds) = (1, 60);
    while let Some(flag) = args.next() {
        let value = args.next().and_then(|value| value.parse::<u64>().ok());
        match (flag.as_str(), value) {
            ("--seed", Some(value)) => seed = value.max(1),
            ("--seconds", Some(value)) => seconds = value,
            _ => {
                eprintln!("{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    let half = Duration::from_secs(seconds).div_f64(2.0);
    let (values, wrong) = values(seed, half);
    let (changed, loaded, late) = changed(seed, half);
    println!("{values} values of random types, {wrong} changed on their way");
    println!("{changed} components with changed bytes, {loaded} loaded, {late} runs outlived their limits");
    ExitCode::from(u8::from(wrong + late > 0))
}

fn limits() -> Limits {
    Limits { fuel: 50_000_000, deadline: Some(Duration::from_millis(500)), ..Limits::default() }
}

fn runner() -> Runner {
    Runner::new(RunnerConfig { limits: limits(), ..RunnerConfig::default() }).expect("the limits make sense")
}

/// Calls `echo` with usual and with small slices. The fuel must be the same as well.
fn echoes(runner: &Runner, source: &str, args: &[Value], expected: &Value) -> bool {
    let wasm = wat::parse_str(source).expect("the generator makes components");
    let call = |slice_fuel| -> Report<Option<Value>> {
        let options = CompileOptions { slice_fuel, ..CompileOptions::default() };
        let program = Program::compile_with("echo", &wasm, &limits(), &options).expect("it is valid");
        runner.run(&program, Call::component("echo", args)).expect("it has the function")
    };
    let (usual, small) = (call(CompileOptions::default().slice_fuel), call(SMALL_SLICE));
    usual.result.as_ref() == Ok(&Some(expected.clone()))
        && small.result == usual.result
        && small.usage.fuel == usual.usage.fuel
}

/// Passes values for this long. Gives how many, and how many came back changed.
fn values(seed: u64, time: Duration) -> (u64, u64) {
    let (runner, begin) = (runner(), Instant::now());
    let (mut passed, mut wrong) = (0, 0);
    for seed in seed.. {
        if begin.elapsed() >= time {
            break;
        }
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let depth = 1 + chance.below(4) as u32;
        let ty = Ty::random(&mut chance, depth);
        let (inner, outer) = (chance.one_of(&echo::STRINGS), chance.one_of(&echo::STRINGS));
        let value = ty.value(&mut chance);
        let wrapped = Value::Record(vec![value.clone(), Value::U8(7)]);
        let mut spilled = vec![wrapped.clone()];
        spilled.extend([const { Value::U64(1) }; 17]);
        let mut cases = vec![(echo::in_memory_of(&ty, inner), &spilled[..])];
        let alone = [value];
        if ty.flat().len() <= 16 {
            cases.push((echo::flat(&ty, inner), &alone));
            cases.push((echo::around(&ty, inner, outer), &alone));
        }
        for (source, args) in cases {
            passed += 1;
            if !echoes(&runner, &source, args, &wrapped) {
                wrong += 1;
                println!("seed {seed}: {ty:?}\n{source}\n{args:?}");
            }
        }
    }
    (passed, wrong)
}

/// Components that are changed.
const SEEDS: [&[u8]; 3] = [
    include_bytes!("../../../guests/prebuilt/shapes.wasm"),
    include_bytes!("../../../guests/prebuilt/http-hello.wasm"),
    include_bytes!("../../../guests/prebuilt/wordcount-p2.wasm"),
];

/// Runs changed components for this long. Gives how many, how many of them loaded, and how many runs took too long.
fn changed(seed: u64, time: Duration) -> (u64, u64, u64) {
    let (runner, begin) = (runner(), Instant::now());
    let (mut all, mut loaded, mut late) = (0, 0, 0);
    for seed in seed.. {
        if begin.elapsed() >= time {
            break;
        }
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut wasm = match chance.below(4) {
            0 => chance.one_of(&SEEDS).to_vec(),
            _ => {
                let ty = Ty::random(&mut chance, 2);
                let source = match ty.flat().len() {
                    0..=16 if chance.below(2) == 0 => echo::around(&ty, echo::STRINGS[0], echo::STRINGS[1]),
                    _ => echo::in_memory_of(&ty, echo::STRINGS[2]),
                };
                wat::parse_str(source).expect("the generator makes components")
            }
        };
        for _ in 0..=chance.below(4) {
            change(&mut wasm, &mut chance);
        }
        all += 1;
        let Ok(program) = Program::compile("changed", &wasm, &limits()) else { continue };
        loaded += 1;
        let names: Vec<String> = program.functions().map(|(name, _)| name.to_string()).collect();
        for name in names {
            let started = Instant::now();
            let _ = runner.run(&program, Call::bytes(&name, b"[\"text\", 1, 2, 3]"));
            if started.elapsed() > Duration::from_millis(500) + LATE {
                late += 1;
                println!("seed {seed}: {name} took {:?}", started.elapsed());
            }
        }
    }
    (all, loaded, late)
}

/// Changes, adds, removes, repeats or moves bytes.
fn change(wasm: &mut Vec<u8>, chance: &mut Chance) {
    if wasm.is_empty() {
        return;
    }
    let at = chance.below(wasm.len() as u64) as usize;
    let other = chance.below(wasm.len() as u64) as usize;
    match chance.below(7) {
        0 => wasm[at] = chance.next() as u8,
        1 => wasm[at] ^= 1 << chance.below(8),
        2 => wasm[at] = wasm[at].wrapping_add(1),
        3 => drop(wasm.remove(at)),
        4 => wasm.insert(at, chance.next() as u8),
        5 => wasm[at] = wasm[other],
        _ => {
            let end = wasm.len().min(other + 1 + chance.below(16) as usize);
            let piece = wasm[other..end].to_vec();
            wasm.splice(at..at, piece);
        }
    }
}
