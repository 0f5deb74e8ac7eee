"""Folders of plug-ins to load: modules that are made here, so that a thousand of them differ."""

import filecmp
import shutil
import time

from engines import OUT


def leb(value):
    """Signed LEB128 (core specification, section 5.2.2)."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            return bytes(out + bytes([byte]))
        out.append(byte | 0x80)


def unsigned(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def section(number, content):
    return bytes([number]) + unsigned(len(content)) + content


def module(seed, size=20_000):
    """A module of about `size` bytes that exports `add` and holds functions of arithmetic, no two alike."""
    bodies = [b"\x00\x20\x00\x20\x01\x6a\x0b"]
    length = state = 0
    while length < size - 100:
        code = b"\x00\x20\x00"
        for _ in range(25):
            state = (state * 1103515245 + 12345 + seed) & 0x7FFFFFFF
            code += b"\x41" + leb(state - 0x40000000) + (b"\x6a", b"\x73", b"\x6c")[state >> 8 & 1]
        bodies.append(code + b"\x20\x01\x6a\x0b")
        length += len(bodies[-1]) + 3
    count = unsigned(len(bodies))
    code = b"".join(unsigned(len(body)) + body for body in bodies)
    return (
        b"\0asm\1\0\0\0" + section(1, b"\x01\x60\x02\x7f\x7f\x01\x7f") + section(3, count + b"\0" * len(bodies))
        + section(7, b"\x01\x03add\x00\x00") + section(10, count + code)
    )


def generated(count):
    """A folder of so many plug-ins of 20 KB."""
    folder = OUT / f"plugins-{count}"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            (folder / f"p{number:04}.wasm").write_bytes(module(number))
    return folder


def alone(path):
    """A folder with one module, or with none."""
    folder = OUT / (f"plugins-{path.stem}" if path else "plugins-none")
    folder.mkdir(exist_ok=True)
    there = folder / path.name if path else None
    if there and not (there.exists() and filecmp.cmp(path, there, shallow=False)):
        shutil.copy(path, there)
        # The gateway waits a tenth of a second for a file that may still be written.
        time.sleep(0.2)
    return folder
