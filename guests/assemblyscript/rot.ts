// Rotates the letters of standard input through the alphabet, by the first argument or by 13.
// Convention: command (WASI). Exit code 2 when the argument is not a number.
//
//   fuelbox run rot.wasm -- 13 < letter.txt

const BUFFER_BYTES = 16 * 1024;

function rotated(byte: u8, by: i32): u8 {
  const first: u8 = byte >= 97 ? 97 : 65; // a, A
  const place = <i32>byte - first;
  return place >= 0 && place < 26 ? <u8>(first + (place + by) % 26) : byte;
}

function run(): void {
  let by = 13;
  if (process.argv.length > 1) {
    const number = parseInt(process.argv[1]);
    if (isNaN(number)) {
      process.stderr.write("rot: '" + process.argv[1] + "' is not a number\n");
      process.exit(2);
    }
    by = (<i32>(<i64>number % 26) + 26) % 26;
  }
  const buffer = new ArrayBuffer(BUFFER_BYTES);
  for (let read = process.stdin.read(buffer); read > 0; read = process.stdin.read(buffer)) {
    const bytes = Uint8Array.wrap(buffer, 0, read);
    for (let i = 0; i < read; i++) bytes[i] = rotated(bytes[i], by);
    process.stdout.write(buffer.slice(0, read));
  }
}

run();
