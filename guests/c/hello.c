/*
 * Prints "Hello, NAME" on a line of its own for each argument, or "Hello, World" without any.
 * The environment variable GREETING takes the place of "Hello".
 * Convention: command (WASI). Exit code 1 when the output cannot be written.
 */
#include <stdio.h>
#include <stdlib.h>

static void greet(const char *greeting, const char *name)
{
    fputs(greeting, stdout);
    fputs(", ", stdout);
    fputs(name, stdout);
    putchar('\n');
}

int main(int argc, char **argv)
{
    const char *greeting = getenv("GREETING");
    if (greeting == NULL)
        greeting = "Hello";

    if (argc < 2)
        greet(greeting, "World");
    for (int i = 1; i < argc; i++)
        greet(greeting, argv[i]);

    /* Output is buffered, so a failure may show only now. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("hello: cannot write the output\n", stderr);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
