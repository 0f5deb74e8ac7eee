/* Counts the primes below two million, four times, for scripts/bench.sh: loops over two megabytes of memory.
   Convention: command (WASI). Exit code 1 when stdout takes nothing. */
#include <stdio.h>
#include <string.h>

#define LIMIT 2000000u

static unsigned char composite[LIMIT];

/* Eratosthenes, one byte for each number. */
static unsigned primes(void)
{
    unsigned count = 0;
    memset(composite, 0, sizeof composite);
    for (unsigned n = 2; n < LIMIT; n++) {
        if (composite[n])
            continue;
        count++;
        /* The square of a large prime would wrap around, and lie below the limit again. */
        if (n > LIMIT / n)
            continue;
        for (unsigned multiple = n * n; multiple < LIMIT; multiple += n)
            composite[multiple] = 1;
    }
    return count;
}

int main(void)
{
    for (int round = 0; round < 4; round++)
        printf("%u\n", primes());
    return fflush(stdout) != 0;
}
