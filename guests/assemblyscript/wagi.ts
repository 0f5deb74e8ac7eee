// Greets over HTTP as programs for Wagi do: a Content-Type, an empty line, the text; no Status. The name is in
// the path after the program's own, the greeting in the query.
// Convention: command (WASI).

function variable(name: string, otherwise: string): string {
  const value = process.env.has(name) ? process.env.get(name) : "";
  return value.length > 0 ? value : otherwise;
}

console.log("Content-Type: text/markdown");
console.log("");
const name = variable("PATH_INFO", "/World").substring(1);
console.log(variable("QUERY_STRING", "Hello") + ", *" + name + "*");
