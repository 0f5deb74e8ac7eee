/*
 * Tells what it was asked, as a CGI program (RFC 3875): the request comes in the environment and on standard
 * input, the answer goes to standard output. POST is answered with 201, GET with 200, all else with 405.
 * Convention: command (WASI). The guests cgi-rust, cgi-go and cgi-zig do the same in their languages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A variable of the request; empty if it has none. */
static const char *var(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

int main(void)
{
    const char *method = var("REQUEST_METHOD");
    if (strcmp(method, "POST") == 0) {
        printf("Status: 201 Created\r\n");
    } else if (strcmp(method, "GET") != 0) {
        printf("Status: 405 Method Not Allowed\r\nAllow: GET, POST\r\n");
        printf("Content-Type: text/plain\r\n\r\nnot %s\n", method);
        return EXIT_SUCCESS;
    }
    /* Without a Status the answer is 200. */
    printf("Content-Type: text/plain; charset=utf-8\r\nX-Written-In: C\r\n\r\n");
    printf("%s %s?%s\n", method, var("PATH_INFO"), var("QUERY_STRING"));
    printf("type: %s\n", var("CONTENT_TYPE"));
    /* A header X-Greeting comes as HTTP_X_GREETING. */
    printf("greeting: %s\n", var("HTTP_X_GREETING"));

    /* Standard input may go on after the body: only CONTENT_LENGTH bytes are the request's. */
    long length = strtol(var("CONTENT_LENGTH"), NULL, 10);
    printf("%ld bytes:\n", length);
    for (int c; length > 0 && (c = getchar()) != EOF; length--)
        putchar(c);
    return fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
