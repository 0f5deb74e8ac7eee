//! The oracle on stable Rust: `differential --seconds 60 --seed 1`. It ends with 1 if engines differ.

use fuelbox_fuzz::compare::Counts;
use fuelbox_fuzz::generate::{Fault, Shape};
use fuelbox_fuzz::reduce::reduce;
use fuelbox_fuzz::session::{Found, REWRITTEN, SEED, Session, Source, run};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const HELP: &str = "\
Runs generated modules by fuelbox and by another engine, and compares.

  --seed N          the first seed (default 1)
  --seconds N       how long (default 60, unless another bound is given)
  --modules N       how many modules
  --executions N    how many executions of functions
  --threads N       default 2
  --keep-going      do not end at the first difference
  --brief           do not reduce and print the module
  --smith           modules by wasm-smith only
  --with A,B        modules for fuelbox that may run into these faults of wasmi 2.0.0, and no others:
                    params, selects, far-stores, br-tables
  --faults          wasmi 2.0.0 alone, one of its faults after the other; fails unless each is found
                    within --seconds, or 60
";

fn main() -> ExitCode {
    // One line says which seed it was, also where a panic cannot be caught.
    std::panic::set_hook(Box::new(|info| {
        let at = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        eprintln!("panic with seed {} at {at}", SEED.get());
    }));
    match parse() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(Task { session, faults: true, brief })) => find_faults(&session, brief),
        Ok(Some(Task { session, faults: false, brief })) => {
            let counts = timed(&session, &|found| report(found, brief));
            ExitCode::from(u8::from(counts.differences > 0))
        }
        Err(error) => {
            eprintln!("differential: {error}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

struct Task {
    session: Session,
    faults: bool,
    brief: bool,
}

fn parse() -> Result<Option<Task>, String> {
    let mut args = std::env::args().skip(1);
    let mut session = Session {
        seed: 1,
        time: None,
        modules: None,
        executions: None,
        threads: 2,
        keep_going: false,
        source: Source::Mixed,
    };
    let (mut faults, mut brief) = (false, false);
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
        match flag.as_str() {
            "--seed" => session.seed = number(value()?)?,
            "--seconds" => session.time = Some(Duration::from_secs(number(value()?)?)),
            "--modules" => session.modules = Some(number(value()?)?),
            "--executions" | "--functions" => session.executions = Some(number(value()?)?),
            "--threads" => session.threads = number(value()?)? as usize,
            "--keep-going" => session.keep_going = true,
            "--brief" => brief = true,
            "--smith" => session.source = Source::Smith,
            "--with" => session.source = Source::With(shape(&value()?)?),
            "--faults" => faults = true,
            "--help" => {
                print!("{HELP}");
                return Ok(None);
            }
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    if session.time.is_none() && session.modules.is_none() && session.executions.is_none() {
        session.time = Some(Duration::from_secs(60));
    }
    Ok(Some(Task { session, faults, brief }))
}

fn shape(names: &str) -> Result<Shape, String> {
    let one = |name: &str| {
        Fault::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| format!("no fault `{name}`"))
    };
    let faults: Vec<Fault> =
        names.split(',').filter(|name| !name.is_empty()).map(one).collect::<Result<_, _>>()?;
    Ok(Shape::with(&faults))
}

fn timed(session: &Session, tell: &(dyn Fn(&Found) + Sync)) -> Counts {
    let started = Instant::now();
    let counts = run(session, tell);
    let seconds = started.elapsed().as_secs_f64();
    let Counts { modules, refused, calls, executions, traps, limits, pauses, differences } = counts;
    println!(
        "{modules} modules, {refused} refused, {calls} calls, {executions} executions ({:.0} a second), \
         {traps} trapped, {limits} at a limit, {pauses} pauses, {differences} differences, {seconds:.1} s",
        executions as f64 / seconds,
    );
    counts
}

/// Each known fault by itself, so that what is found is that fault.
fn find_faults(session: &Session, brief: bool) -> ExitCode {
    let mut are_all_found = true;
    for fault in Fault::ALL {
        println!("looking for {}", fault.name());
        let time = session.time.or(Some(Duration::from_secs(60)));
        let session = Session { source: Source::Fault(fault), time, keep_going: false, ..session.clone() };
        let counts = timed(&session, &|found| report(found, brief));
        if counts.differences == 0 {
            println!("NOT FOUND: {}", fault.name());
            are_all_found = false;
        }
    }
    // Without any of them nothing may differ, or what was found was something else.
    let careful = Session { source: Source::With(Shape::default()), modules: Some(2_000), ..session.clone() };
    println!("looking for others, with none of these ({} are rewritten by fuelbox)", REWRITTEN.len());
    let others = timed(&careful, &|found| report(found, brief));
    ExitCode::from(u8::from(!are_all_found || others.differences > 0))
}

fn report(found: &Found, brief: bool) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let Found { seed, made, roads, difference } = found;
    println!("\nDIFFERENCE with seed {seed} on {}", difference.road);
    println!("{} {:?}\n{}", difference.function, difference.args, difference.what);
    if brief {
        return;
    }
    let (wasm, reduced) = reduce(&made.wasm, difference, *roads);
    println!("reduced from {} to {} bytes:", made.wasm.len(), wasm.len());
    println!("{} {:?}\n{}", reduced.function, reduced.args, reduced.what);
    match wasmprinter::print_bytes(&wasm) {
        Ok(text) => println!("{text}"),
        Err(error) => println!("it cannot be printed: {error}"),
    }
}
