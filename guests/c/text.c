/* A component with a world of its own (../wit/text.wit), made by wit-bindgen. It imports nothing, not even WASI. */
#include "texts.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 1000

typedef exports_demo_text_text_word_t word_t;
typedef exports_demo_text_text_list_word_t words_t;

static void *grown(void *old, size_t count, size_t size)
{
    void *new = realloc(old, count * size);
    if (new == NULL)
        abort();
    return new;
}

void exports_demo_text_text_greet(texts_string_t *name, texts_string_t *ret)
{
    static const char hello[] = "Hello, ";
    ret->len = strlen(hello) + name->len;
    ret->ptr = grown(NULL, ret->len, 1);
    memcpy(ret->ptr, hello, strlen(hello));
    memcpy(ret->ptr + strlen(hello), name->ptr, name->len);
    /* What a function is given is its own. */
    texts_string_free(name);
}

/* The word of these bytes, which is added if it is not there yet. */
static word_t *find(words_t *words, const uint8_t *text, size_t len)
{
    word_t *word;
    for (size_t i = 0; i < words->len; i++) {
        word = &words->ptr[i];
        if (word->text.len == len && memcmp(word->text.ptr, text, len) == 0)
            return word;
    }
    words->ptr = grown(words->ptr, words->len + 1, sizeof *words->ptr);
    word = &words->ptr[words->len++];
    memset(word, 0, sizeof *word);
    texts_string_dup_n(&word->text, (const char *)text, len);
    return word;
}

static void add(word_t *word, uint32_t line)
{
    word->times++;
    if (word->lines.len > 0 && word->lines.ptr[word->lines.len - 1] == line)
        return;
    word->lines.ptr = grown(word->lines.ptr, word->lines.len + 1, sizeof line);
    word->lines.ptr[word->lines.len++] = line;
}

static void add_line(words_t *words, const texts_string_t *line, uint32_t number)
{
    size_t begin = 0;
    for (size_t end = 0; end <= line->len; end++) {
        if (end < line->len && line->ptr[end] != ' ')
            continue;
        if (end > begin)
            add(find(words, line->ptr + begin, end - begin), number);
        begin = end + 1;
    }
}

/* Without those that are there too rarely. */
static void keep(words_t *words, uint32_t least)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->len; i++) {
        if (words->ptr[i].times >= least)
            words->ptr[kept++] = words->ptr[i];
        else
            exports_demo_text_text_word_free(&words->ptr[i]);
    }
    words->len = kept;
    if (kept == 0) {
        free(words->ptr);
        words->ptr = NULL;
    }
}

bool exports_demo_text_text_count(texts_list_string_t *lines, uint32_t *least, words_t *ret,
                                  exports_demo_text_text_problem_t *err)
{
    words_t words = {NULL, 0};
    size_t count = lines->len;
    if (count <= LINES_MAX) {
        for (size_t i = 0; i < count; i++)
            add_line(&words, &lines->ptr[i], i + 1);
    }
    texts_list_string_free(lines);
    if (count > LINES_MAX) {
        err->tag = EXPORTS_DEMO_TEXT_TEXT_PROBLEM_TOO_MANY_LINES;
        err->val.too_many_lines = count;
        return false;
    }
    if (words.len == 0) {
        err->tag = EXPORTS_DEMO_TEXT_TEXT_PROBLEM_NO_WORDS;
        return false;
    }
    if (least != NULL)
        keep(&words, *least);
    *ret = words;
    return true;
}
