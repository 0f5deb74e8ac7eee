/* The same plug-in as in extism/rust, without a development kit and without a C library: what Extism's host has
 * to offer is declared here, as its documentation has it. A block that is a key, a value or a message is the
 * host's from then on. */
#include <stdint.h>

#define HOST(name) __attribute__((import_module("extism:host/env"), import_name(#name))) extern
#define PLUGIN(name) __attribute__((export_name(#name)))

HOST(input_length) uint64_t input_length(void);
HOST(input_load_u8) uint8_t input_load_u8(uint64_t index);
HOST(input_load_u64) uint64_t input_load_u64(uint64_t index);
HOST(alloc) uint64_t alloc(uint64_t length);
HOST(free) void release(uint64_t offset);
HOST(length) uint64_t length(uint64_t offset);
HOST(load_u8) uint8_t load_u8(uint64_t offset);
HOST(store_u8) void store_u8(uint64_t offset, uint8_t byte);
HOST(store_u64) void store_u64(uint64_t offset, uint64_t bytes);
HOST(output_set) void output_set(uint64_t offset, uint64_t length);
HOST(error_set) void error_set(uint64_t offset);
HOST(config_get) uint64_t config_get(uint64_t key);
HOST(var_get) uint64_t var_get(uint64_t key);
HOST(var_set) void var_set(uint64_t key, uint64_t value);
HOST(log_info) void log_info(uint64_t offset);
HOST(log_warn) void log_warn(uint64_t offset);

/* Text in the host's memory that is written from left to right. */
struct text {
    uint64_t offset, used;
};

static struct text text_of(uint64_t room)
{
    struct text text = {alloc(room), 0};
    return text;
}

static void put_byte(struct text *text, uint8_t byte)
{
    store_u8(text->offset + text->used++, byte);
}

static void put(struct text *text, const char *string)
{
    while (*string)
        put_byte(text, (uint8_t)*string++);
}

static void put_block(struct text *text, uint64_t block)
{
    for (uint64_t i = 0, n = length(block); i < n; i++)
        put_byte(text, load_u8(block + i));
}

static void put_number(struct text *text, uint64_t number)
{
    if (number >= 10)
        put_number(text, number / 10);
    put_byte(text, (uint8_t)('0' + number % 10));
}

static uint64_t block(const char *string)
{
    uint64_t n = 0;
    while (string[n])
        n++;
    struct text text = text_of(n);
    put(&text, string);
    return text.offset;
}

static uint64_t input_block(void)
{
    uint64_t n = input_length();
    struct text text = text_of(n);
    for (uint64_t i = 0; i < n; i++)
        put_byte(&text, input_load_u8(i));
    return text.offset;
}

static int holds(uint64_t set, uint8_t byte)
{
    for (uint64_t i = 0, n = length(set); i < n; i++)
        if (load_u8(set + i) == byte)
            return 1;
    return 0;
}

/* Counts the vowels of the input, which `vowels` in the configuration lists. */
PLUGIN(count_vowels) int32_t count_vowels(void)
{
    uint64_t vowels = config_get(block("vowels"));
    if (!vowels)
        vowels = block("aeiouAEIOU");
    uint64_t count = 0, total = 0;
    for (uint64_t i = 0, n = input_length(); i < n; i++)
        count += (uint64_t)holds(vowels, input_load_u8(i));
    uint64_t before = var_get(block("total"));
    for (uint64_t i = 0, n = length(before); i < n; i++)
        total = total * 10 + (load_u8(before + i) - '0');
    total += count;

    struct text number = text_of(20), kept;
    put_number(&number, total);
    kept = text_of(number.used);
    for (uint64_t i = 0; i < number.used; i++)
        put_byte(&kept, load_u8(number.offset + i));
    var_set(block("total"), kept.offset);

    struct text out = text_of(100 + length(vowels));
    put(&out, "{\"count\": ");
    put_number(&out, count);
    put(&out, ", \"total\": ");
    put_number(&out, total);
    put(&out, ", \"vowels\": \"");
    put_block(&out, vowels);
    put(&out, "\"}");
    output_set(out.offset, out.used);
    return 0;
}

/* Turns the input round, eight bytes at a time. */
PLUGIN(reverse) int32_t reverse(void)
{
    uint64_t n = input_length(), out = alloc(n), i = 0;
    for (; i + 8 <= n; i += 8)
        store_u64(out + n - i - 8, __builtin_bswap64(input_load_u64(i)));
    for (; i < n; i++)
        store_u8(out + n - i - 1, input_load_u8(i));
    output_set(out, n);
    /* What is the output already may be let go of. */
    release(out);
    return 0;
}

/* Fails, with a code and a message. */
PLUGIN(fail) int32_t fail(void)
{
    uint64_t n = input_length();
    struct text message = text_of(n + 12);
    put(&message, "no use for: ");
    for (uint64_t i = 0; i < n; i++)
        put_byte(&message, input_load_u8(i));
    error_set(message.offset);
    return 3;
}

/* Writes the input to the log. */
PLUGIN(tell) int32_t tell(void)
{
    log_info(input_block());
    log_warn(input_block());
    return 0;
}
