/*
 * Fails in ways that a debugger is wanted for: an integer division by zero, a write outside the memory, and unbounded
 * recursion. It is compiled with -g, so that `fuelbox run --trace` shows lines of this file.
 * Convention: command (WASI). The argument is the way: divide, write or recurse.
 *
 *   clang --target=wasm32-wasi -g -O0 crash.c -o crash.wasm
 */
#include <stdio.h>
#include <string.h>

static int divide(int by) {
    return 100 / by;
}

static int compute(int by) {
    return divide(by) + 1;
}

static void fill(char *at) {
    at[0x10] = 1;
}

static int recurse(int depth) {
    return depth < 0 ? 0 : recurse(depth + 1) + 1;
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    if (strcmp(way, "divide") == 0) {
        printf("%d\n", compute(argc - 2));
    } else if (strcmp(way, "write") == 0) {
        fill((char *)0x7fffff00);
    } else if (strcmp(way, "recurse") == 0) {
        printf("%d\n", recurse(0));
    } else {
        fputs("usage: crash divide|write|recurse\n", stderr);
        return 2;
    }
    return 0;
}
