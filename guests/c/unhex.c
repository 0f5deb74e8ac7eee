/* Decodes hexadecimal digits. Anything else is an error that says where.
 * Convention: packed, with an error: bit 31 of the output's length says that the output is the message of one.
 *
 *   fuelbox call unhex-c.wasm unhex --data 48656c6c6f
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(name)))

static const uint64_t error = (uint64_t)1 << 31;

/* Memory for the input. The host writes it there. */
EXPORT("allocate") void *allocate(size_t len)
{
    void *memory = malloc(len > 0 ? len : 1);
    if (memory == NULL)
        abort();
    return memory;
}

/* The host gives back the input and the output. */
EXPORT("deallocate") void deallocate(void *memory, size_t len)
{
    (void)len;
    free(memory);
}

static uint64_t packed(const void *output, uint64_t len)
{
    return (uint64_t)(uintptr_t)output << 32 | len;
}

static uint64_t failed(const char *format, size_t number)
{
    char *message = allocate(64);
    int len = snprintf(message, 64, format, (unsigned long)number);
    return packed(message, (uint64_t)len | error);
}

static int value(unsigned char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

EXPORT("unhex") uint64_t unhex(const unsigned char *digits, size_t len)
{
    unsigned char *output;
    size_t at;

    if (len % 2 != 0)
        return failed("%lu digits, which is no even number", len);
    for (at = 0; at < len; at++)
        if (value(digits[at]) < 0)
            return failed("no hexadecimal digit at byte %lu", at);
    output = allocate(len / 2);
    for (at = 0; at < len; at += 2)
        output[at / 2] = (unsigned char)(value(digits[at]) << 4 | value(digits[at + 1]));
    return packed(output, len / 2);
}
