"""What scripts/test-openapi.sh adds to schemathesis: a check, and how modules and policies are written."""

import schemathesis

# What a guest can come to by itself. The rest of the 5xx would be the gateway's.
GUESTS = {"trap", "output-full", "memory-denied", "convention", "exit", "out-of-fuel", "deadline"}

# A function `f` without parameters that does nothing.
MODULE = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0\x0a\4\1\2\0\x0b"


def written(value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@schemathesis.serializer("application/wasm")
def module(ctx, value):
    """Half of them load, so that there is something to run, to replace and to delete."""
    text = written(value)
    return MODULE if len(text) % 2 else text


@schemathesis.serializer("application/toml")
def policy(ctx, value):
    text = written(value)
    return b"limits.fuel = 1000\n" if len(text) % 2 else text


@schemathesis.check
def no_server_error_but_a_guests(ctx, response, case):
    if response.status_code < 500:
        return
    assert "fuel-used" in response.headers, f"{response.status_code} without a run: {response.text}"
    media = response.headers["content-type"][0]
    if media == "application/problem+json":
        slug = response.json()["type"].removeprefix("urn:fuelbox:problem:")
        assert slug in GUESTS, f"{slug} is not a guest's: {response.text}"
