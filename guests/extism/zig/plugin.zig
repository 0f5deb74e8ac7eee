//! The same plug-in as in extism/rust, without a development kit: what Extism's host has to offer is declared
//! here, as its documentation has it. A block that is a key, a value or a message is the host's from then on.
const std = @import("std");

const host = struct {
    extern "extism:host/env" fn input_length() u64;
    extern "extism:host/env" fn input_load_u8(index: u64) u8;
    extern "extism:host/env" fn alloc(length: u64) u64;
    extern "extism:host/env" fn length(offset: u64) u64;
    extern "extism:host/env" fn load_u8(offset: u64) u8;
    extern "extism:host/env" fn store_u8(offset: u64, byte: u8) void;
    extern "extism:host/env" fn output_set(offset: u64, length: u64) void;
    extern "extism:host/env" fn error_set(offset: u64) void;
    extern "extism:host/env" fn config_get(key: u64) u64;
    extern "extism:host/env" fn var_get(key: u64) u64;
    extern "extism:host/env" fn var_set(key: u64, value: u64) void;
    extern "extism:host/env" fn log_info(offset: u64) void;
    extern "extism:host/env" fn log_warn(offset: u64) void;
};

const allocator = std.heap.wasm_allocator;

/// A block of the host's memory with `bytes`.
fn block(bytes: []const u8) u64 {
    const offset = host.alloc(bytes.len);
    for (bytes, 0..) |byte, i| host.store_u8(offset + i, byte);
    return offset;
}

/// The bytes of a block; none where it is none.
fn bytesOf(offset: u64) ?[]u8 {
    const bytes = allocator.alloc(u8, @intCast(host.length(offset))) catch @panic("out of memory");
    for (bytes, 0..) |*byte, i| byte.* = host.load_u8(offset + i);
    return if (offset == 0) null else bytes;
}

fn readInput() []u8 {
    const bytes = allocator.alloc(u8, @intCast(host.input_length())) catch @panic("out of memory");
    for (bytes, 0..) |*byte, i| byte.* = host.input_load_u8(i);
    return bytes;
}

/// Counts the vowels of the input, which `vowels` in the configuration lists.
export fn count_vowels() i32 {
    const vowels = bytesOf(host.config_get(block("vowels"))) orelse "aeiouAEIOU";
    var count: usize = 0;
    for (readInput()) |byte| {
        if (std.mem.indexOfScalar(u8, vowels, byte) != null) count += 1;
    }
    const before = bytesOf(host.var_get(block("total"))) orelse "0";
    const total = count + (std.fmt.parseInt(usize, before, 10) catch 0);
    var digits: [20]u8 = undefined;
    host.var_set(block("total"), block(std.fmt.bufPrint(&digits, "{d}", .{total}) catch unreachable));
    const format = "{{\"count\": {d}, \"total\": {d}, \"vowels\": \"{s}\"}}";
    const output = std.fmt.allocPrint(allocator, format, .{ count, total, vowels }) catch @panic("out of memory");
    host.output_set(block(output), output.len);
    return 0;
}

/// Turns the input round.
export fn reverse() i32 {
    const input = readInput();
    std.mem.reverse(u8, input);
    host.output_set(block(input), input.len);
    return 0;
}

/// Fails, with a code and a message.
export fn fail() i32 {
    const message = std.mem.concat(allocator, u8, &.{ "no use for: ", readInput() }) catch @panic("out of memory");
    host.error_set(block(message));
    return 3;
}

/// Writes the input to the log.
export fn tell() i32 {
    host.log_info(block(readInput()));
    host.log_warn(block(readInput()));
    return 0;
}
