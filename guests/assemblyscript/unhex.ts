// Decodes hexadecimal digits. Anything else is an error that says where.
// Convention: packed, with an error: bit 31 of the output's length says that the output is the message of one.
//
//   fuelbox call unhex-as.wasm unhex --data 48656c6c6f

const ERROR: u64 = 1 << 31;

// Memory for the input. The host writes it there. An instance lives for one call, or has its memory reset, so nothing
// gives it back.
export function allocate(len: usize): usize {
  return heap.alloc(len);
}

function packed(output: usize, len: u64): u64 {
  return <u64>output << 32 | len;
}

function failed(message: string): u64 {
  const bytes = String.UTF8.encode(message);
  return packed(changetype<usize>(bytes), ERROR | <u64>bytes.byteLength);
}

function value(digit: u8): i32 {
  if (digit >= 48 && digit <= 57) return digit - 48; // 0, 9
  const letter = <i32>(digit | 0x20) - 97; // a
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

export function unhex(digits: usize, len: usize): u64 {
  if (len % 2 != 0) return failed(len.toString() + " digits, which is no even number");
  const output = heap.alloc(len / 2);
  for (let at: usize = 0; at < len; at++) {
    const digit = value(load<u8>(digits + at));
    if (digit < 0) return failed("no hexadecimal digit at byte " + at.toString());
    const byte = output + at / 2;
    store<u8>(byte, at % 2 == 0 ? digit << 4 : load<u8>(byte) | digit);
  }
  return packed(output, len / 2);
}

// Instead of an import of the host's.
function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
