/* Fibonacci's 34th number by plain recursion, for scripts/bench.sh: eighteen million calls and little else.
   Convention: command (WASI). Exit code 1 when stdout takes nothing. */
#include <stdio.h>

static unsigned long fib(unsigned n)
{
    if (n < 2)
        return n;
    return fib(n - 1) + fib(n - 2);
}

int main(void)
{
    /* Hidden from the compiler, or it would do a part of the work. */
    volatile unsigned n = 34;
    return printf("%lu\n", fib(n)) < 0 || fflush(stdout) != 0;
}
