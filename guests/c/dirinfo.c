/*
 * Lists a folder, sorted by name: "NAME SIZE" for a file, "NAME/" for a folder. Then writes a file there, reads
 * it back and removes it, and says whether time passes and random bytes differ.
 * Convention: command (WASI). Exit code 1 when anything fails, 2 without an argument.
 *
 *   fuelbox run --dir some/folder::/data dirinfo.wasm -- /data
 */
/* For clock_gettime, getentropy and strdup, which C99 alone does not have. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAMES_MAX = 1000, PATH_MAX_BYTES = 4096, RANDOM_BYTES = 32 };

static int fail(const char *what)
{
    perror(what);
    return EXIT_FAILURE;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const char *folder)
{
    static char *names[NAMES_MAX];
    size_t count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return fail(folder);
    for (struct dirent *entry; count < NAMES_MAX && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((names[count++] = strdup(entry->d_name)) == NULL)
            return fail(folder);
    }
    closedir(dir);

    qsort(names, count, sizeof names[0], by_name);
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (stat(path, &info) != 0)
            return fail(path);
        if (S_ISDIR(info.st_mode))
            printf("%s/\n", names[i]);
        else
            printf("%s %lld\n", names[i], (long long)info.st_size);
    }
    return EXIT_SUCCESS;
}

/* Writes "number 1" to "number 3", overwrites a byte in the middle, appends, and reads all of it. */
static int write_and_read(const char *folder)
{
    char path[PATH_MAX_BYTES], line[64];
    snprintf(path, sizeof path, "%s/dirinfo.tmp", folder);
    FILE *file = fopen(path, "w+");
    if (file == NULL)
        return fail(path);
    for (int i = 1; i <= 3; i++)
        fprintf(file, "number %d\n", i);
    if (fseek(file, 16, SEEK_SET) != 0 || fputc('X', file) == EOF || fseek(file, 0, SEEK_END) != 0)
        return fail(path);
    fprintf(file, "%ld bytes before\n", ftell(file));
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        printf("  %s", line);
    if (ferror(file) || fclose(file) != 0 || unlink(path) != 0)
        return fail(path);
    return EXIT_SUCCESS;
}

static int time_and_chance(void)
{
    struct timespec from, to;
    unsigned char first[RANDOM_BYTES], second[RANDOM_BYTES];
    if (clock_gettime(CLOCK_MONOTONIC, &from) != 0)
        return fail("clock_gettime");
    do {
        if (clock_gettime(CLOCK_MONOTONIC, &to) != 0)
            return fail("clock_gettime");
    } while (to.tv_sec == from.tv_sec && to.tv_nsec == from.tv_nsec);
    printf("time went on: %s\n", difftime(to.tv_sec, from.tv_sec) >= 0 ? "yes" : "no");
    printf("it is after 2020: %s\n", time(NULL) > 1600000000 ? "yes" : "no");
    if (getentropy(first, sizeof first) != 0 || getentropy(second, sizeof second) != 0)
        return fail("getentropy");
    printf("random bytes differ: %s\n", memcmp(first, second, sizeof first) != 0 ? "yes" : "no");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("dirinfo: name one folder, for example: dirinfo /data\n", stderr);
        return 2;
    }
    printf("in %s:\n", argv[1]);
    if (list(argv[1]) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    puts("written and read back:");
    if (write_and_read(argv[1]) != EXIT_SUCCESS || time_and_chance() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    return fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
