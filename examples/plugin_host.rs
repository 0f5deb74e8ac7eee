//! A plug-in host: a text editor, say, whose users put modules into a folder. Each file is a plug-in that changes text.
//! Plug-ins that are added, replaced or removed while it runs are noticed; one that does harm is stopped, and reported.
//!
//! ```text
//! cargo run --release --example plugin_host guests/prebuilt 'Hello, World'
//! ```

use fuelbox::{Call, Limits, Runner, RunnerConfig, WarmLimits};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (folder, text) = match (args.next(), args.next()) {
        (Some(folder), Some(text)) => (folder, text),
        _ => ("guests/prebuilt".into(), "Hello, World".into()),
    };
    // An instance of each plug-in is kept for its next call.
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let limits = Limits { deadline: Some(Duration::from_millis(200)), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, warm, ..RunnerConfig::default() })?;
    let changes = runner.load_plugins(&folder)?;
    for error in &changes.failed {
        eprintln!("{error}");
    }
    for plugin in &changes.loaded {
        // Functions of several conventions may be called like this: all that take and give bytes.
        for function in ["greet", "upper", "transform"] {
            let Ok(report) = runner.run(plugin.as_str(), Call::bytes(function, &text)) else { continue };
            match report.result {
                Ok(bytes) => println!("{plugin}.{function}: {}", String::from_utf8_lossy(&bytes)),
                Err(stop) => println!("{plugin}.{function}: {stop}"),
            }
        }
    }
    // To be called now and then.
    let changes = runner.reload()?;
    println!("{} plug-ins are new, {} are gone", changes.loaded.len(), changes.removed.len());
    Ok(())
}
