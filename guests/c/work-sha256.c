/* SHA-256 (FIPS 180-4) of four mebibytes of zeros, for scripts/bench.sh: arithmetic on 32-bit words.
   Convention: command (WASI). Exit code 1 when stdout takes nothing. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define BYTES (4u << 20)

static unsigned char zeros[BYTES];
static uint32_t constants[64], state[8];

static uint32_t rotated(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* FIPS 180-4 defines its constants as 32 bits of the fractional parts of the roots of the first primes, which a
   double has enough digits for. */
static void fill_constants(void)
{
    int found = 0;
    for (int n = 2; found < 64; n++) {
        int divisor = 2;
        while (n % divisor != 0)
            divisor++;
        if (divisor < n)
            continue;
        double third = cbrt(n), second = sqrt(n);
        constants[found] = (uint32_t)((third - floor(third)) * 4294967296.0);
        if (found < 8)
            state[found] = (uint32_t)((second - floor(second)) * 4294967296.0);
        found++;
    }
}

static void block(const unsigned char *bytes)
{
    uint32_t w[64], s[8];
    for (int t = 0; t < 16; t++, bytes += 4)
        w[t] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (int t = 16; t < 64; t++) {
        uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[t - 7]
            + (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int t = 0; t < 64; t++) {
        uint32_t a = s[0], e = s[4];
        uint32_t one = s[7] + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & s[5]) ^ (~e & s[6]))
            + constants[t] + w[t];
        uint32_t two = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        for (int i = 7; i > 0; i--)
            s[i] = s[i - 1];
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

int main(void)
{
    unsigned char padding[64] = {0x80};
    fill_constants();
    for (unsigned at = 0; at < BYTES; at += 64)
        block(zeros + at);
    for (int i = 0; i < 8; i++)
        padding[56 + i] = (unsigned char)((uint64_t)BYTES * 8 >> (56 - 8 * i));
    block(padding);
    for (int i = 0; i < 8; i++)
        printf("%08x", (unsigned)state[i]);
    return putchar('\n') < 0 || fflush(stdout) != 0;
}
