//! Tells what it was asked, as a CGI program (RFC 3875): the request comes in the environment and on standard
//! input, the answer goes to standard output. POST is answered with 201, GET with 200, all else with 405.
//! Convention: command (WASI). The guests cgi-rust, cgi-c and cgi-go do the same in their languages.
const std = @import("std");
const Io = std.Io;

const body_bytes_max = 16 * 1024 * 1024;

pub fn main(init: std.process.Init) !void {
    const env = init.environ_map;
    var buffer: [4 * 1024]u8 = undefined;
    var stdout: Io.File.Writer = .initStreaming(.stdout(), init.io, &buffer);
    const out = &stdout.interface;

    const method = env.get("REQUEST_METHOD") orelse "";
    if (std.mem.eql(u8, method, "POST")) {
        try out.writeAll("Status: 201 Created\r\n");
    } else if (!std.mem.eql(u8, method, "GET")) {
        try out.writeAll("Status: 405 Method Not Allowed\r\nAllow: GET, POST\r\n");
        try out.print("Content-Type: text/plain\r\n\r\nnot {s}\n", .{method});
        return out.flush();
    }

    // Standard input may go on after the body: only CONTENT_LENGTH bytes are the request's.
    const length = std.fmt.parseInt(usize, env.get("CONTENT_LENGTH") orelse "", 10) catch 0;
    if (length > body_bytes_max) return error.BodyTooLarge;
    var stdin: Io.File.Reader = .initStreaming(.stdin(), init.io, &.{});
    const body = try stdin.interface.readAllocAll(init.arena.allocator(), length);

    // Without a Status the answer is 200.
    try out.writeAll("Content-Type: text/plain; charset=utf-8\r\nX-Written-In: Zig\r\n\r\n");
    try out.print("{s} {s}?{s}\n", .{ method, env.get("PATH_INFO") orelse "", env.get("QUERY_STRING") orelse "" });
    try out.print("type: {s}\n", .{env.get("CONTENT_TYPE") orelse ""});
    // A header X-Greeting comes as HTTP_X_GREETING.
    try out.print("greeting: {s}\n", .{env.get("HTTP_X_GREETING") orelse ""});
    try out.print("{d} bytes:\n{s}", .{ length, body });
    try out.flush();
}
