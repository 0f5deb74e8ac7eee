//! A plug-in as Extism's documentation has it: counts vowels, with a variable and configuration. Beside it, a
//! function that takes much input, one that fails, and one that writes to the log.

use extism_pdk::*;
use serde::Serialize;

#[derive(Serialize, ToBytes)]
#[encoding(Json)]
struct Count {
    count: usize,
    total: usize,
    vowels: String,
}

/// Counts the vowels of the input, which `vowels` in the configuration lists; `total` goes on between the calls
/// of an instance.
#[plugin_fn]
pub fn count_vowels(input: String) -> FnResult<Count> {
    let vowels = config::get("vowels")?.unwrap_or_else(|| "aeiouAEIOU".into());
    let count = input.chars().filter(|c| vowels.contains(*c)).count();
    let before: String = var::get("total")?.unwrap_or_default();
    let total = before.parse().unwrap_or(0) + count;
    var::set("total", total.to_string())?;
    Ok(Count { count, total, vowels })
}

/// Turns the input round.
#[plugin_fn]
pub fn reverse(mut input: Vec<u8>) -> FnResult<Vec<u8>> {
    input.reverse();
    Ok(input)
}

/// Fails, with a code and a message.
#[plugin_fn]
pub fn fail(input: String) -> FnResult<()> {
    Err(WithReturnCode::new(Error::msg(format!("no use for: {input}")), 3))
}

/// Writes the input to the log.
#[plugin_fn]
pub fn tell(input: String) -> FnResult<()> {
    info!("{input}");
    warn!("{input}!");
    Ok(())
}
