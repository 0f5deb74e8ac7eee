// The same plug-in as in extism/rust, made with Extism's development kit for AssemblyScript.
import { Config, Host, LogLevel, Memory, Var } from "@extism/as-pdk";
import { error_set } from "@extism/as-pdk/lib/env";

// `asc --use abort=plugin/abort` takes this for the import that Extism's host does not have. What follows it is
// an `unreachable`.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  error_set(Memory.allocateString(message === null ? "aborted" : message).offset);
}

/** Counts the vowels of the input, which `vowels` in the configuration lists. */
export function count_vowels(): i32 {
  const configured = Config.get("vowels");
  const vowels = configured === null ? "aeiouAEIOU" : configured;
  const input = Host.inputString();
  let count = 0;
  for (let i = 0; i < input.length; i++) {
    if (vowels.includes(input.charAt(i))) count++;
  }
  const before = Var.getString("total");
  const total = (before === null ? 0 : I32.parseInt(before)) + count;
  Var.set("total", Uint8Array.wrap(String.UTF8.encode(total.toString())));
  Host.outputString('{"count": ' + count.toString() + ', "total": ' + total.toString() + ', "vowels": "' + vowels + '"}');
  return 0;
}

/** Turns the input round. */
export function reverse(): i32 {
  Host.output(Host.input().reverse());
  return 0;
}

/** Fails, with a code and a message. */
export function fail(): i32 {
  error_set(Memory.allocateString("no use for: " + Host.inputString()).offset);
  return 3;
}

/** Writes the input to the log. */
export function tell(): i32 {
  const input = Host.inputString();
  Host.log(LogLevel.Info, input);
  Host.log(LogLevel.Warn, input);
  return 0;
}
