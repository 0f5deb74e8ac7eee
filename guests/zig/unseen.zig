//! Prints, with their numbers, the lines of standard input that a file does not have.
//! Convention: command (WASI). Exit code 1 when the file cannot be read, 2 without an argument.
//!
//!   fuelbox run --dir some/folder::. unseen.wasm -- known.txt < lines.txt
//!
//! Zig's current folder under WASI is the first one that the host gives, so paths are relative to that.
const std = @import("std");
const Io = std.Io;

const file_bytes_max: Io.Limit = .limited(1024 * 1024);

pub fn main(init: std.process.Init) !u8 {
    const arena = init.arena.allocator();
    const args = try init.minimal.args.toSlice(arena);
    if (args.len != 2) {
        std.debug.print("unseen: name one file, for example: unseen known.txt\n", .{});
        return 2;
    }
    const text = Io.Dir.cwd().readFileAlloc(init.io, args[1], arena, file_bytes_max) catch |err| {
        std.debug.print("unseen: {s}: {s}\n", .{ args[1], @errorName(err) });
        return 1;
    };
    var known: std.StringHashMapUnmanaged(void) = .empty;
    var lines = std.mem.splitScalar(u8, text, '\n');
    while (lines.next()) |line| try known.put(arena, line, {});

    var in_buffer: [16 * 1024]u8 = undefined;
    var out_buffer: [4 * 1024]u8 = undefined;
    var stdin: Io.File.Reader = .initStreaming(.stdin(), init.io, &in_buffer);
    var stdout: Io.File.Writer = .initStreaming(.stdout(), init.io, &out_buffer);
    var number: usize = 1;
    while (try stdin.interface.takeDelimiter('\n')) |line| : (number += 1) {
        if (!known.contains(line)) try stdout.interface.print("{d}: {s}\n", .{ number, line });
    }
    try stdout.interface.flush();
    return 0;
}
