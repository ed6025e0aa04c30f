/* board.c: how long an artifact takes on the board that runs this, as one JSON document on stdout.
 *
 * Usage: measure [SECONDS], that a number of threads gets; 2 without it. Each level of instructions that the processor
 * has is verified, and then timed on 1, 2, 4 ... threads. Linked with the artifact. */
#define _GNU_SOURCE
#include "depthwise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CALLS = 400, LEAST_CALLS = 5, MOST_THREADS = 64 };
static double seconds = 2.0;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static int by_size(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void text(const char *name, const char *value)
{
    printf("  \"%s\": \"", name);
    for (; *value != 0; value++) {
        const unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c >= 32 && c < 127) {
            putchar(c);
        }
    }
    printf("\",\n");
}

/* The first line of a file that begins with one of two words, less that word and what stands before ": "; or "". */
static void line_of(const char *path, const char *first, const char *second, char *found, size_t room)
{
    FILE *file = fopen(path, "r");
    found[0] = 0;
    while (file != NULL && found[0] == 0) {
        char line[256];
        if (fgets(line, sizeof line, file) == NULL) {
            break;
        }
        if (strncmp(line, first, strlen(first)) == 0 || strncmp(line, second, strlen(second)) == 0) {
            const char *after = strstr(line, ": ");
            snprintf(found, room, "%s", after == NULL ? line : after + 2);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void about(long cores)
{
    struct utsname system;
    char board[256], processor[256];
    line_of("/proc/device-tree/model", "", "", board, sizeof board);
    line_of("/proc/cpuinfo", "model name", "CPU part", processor, sizeof processor);
    if (uname(&system) != 0) {
        memset(&system, 0, sizeof system);
    }
    text("board", board);
    text("processor", processor);
    text("machine", system.machine);
    text("system", system.sysname);
    text("release", system.release);
    printf("  \"cores\": %ld,\n", cores);
}

/* Least and median milliseconds of calls on some threads. */
static void timed(const uint8_t *pixels, float *probabilities, int32_t threads, int is_first)
{
    double taken[MOST_CALLS];
    int calls = 0;
    const double begun = now();
    for (int warm = 0; warm < 3; warm++) {
        (void)dw_run(pixels, probabilities, NULL);
    }
    while (calls < MOST_CALLS && (calls < LEAST_CALLS || now() - begun < seconds)) {
        const double start = now();
        (void)dw_run(pixels, probabilities, NULL);
        taken[calls++] = (now() - start) * 1e3;
    }
    qsort(taken, (size_t)calls, sizeof *taken, by_size);
    printf("%s{\"threads\": %d, \"least_ms\": %.6f, \"median_ms\": %.6f, \"calls\": %d}", is_first ? "" : ", ", threads,
           taken[0], taken[calls / 2], calls);
}

static void level(int32_t index, const uint8_t *pixels, float *probabilities, long cores, int is_first)
{
    float worst = 0.0f;
    const int32_t status = dw_verify(&worst, NULL);
    printf("%s\n    {\"level\": \"%s\", \"verified\": %s, \"worst\": %.9g, \"times\": [", is_first ? "" : ",",
           dw_level(index), status == DW_OK ? "true" : "false", (double)worst);
    for (int32_t threads = 1; threads <= cores && threads <= MOST_THREADS; threads *= 2) {
        if (dw_set_threads(threads) == threads) {
            timed(pixels, probabilities, threads, threads == 1);
        }
    }
    (void)dw_set_threads(1);
    printf("]}");
    fflush(stdout);
}

int main(int count, char **arguments)
{
    seconds = count > 1 ? atof(arguments[1]) : seconds;
    const size_t bytes = (size_t)dw_input_height() * (size_t)dw_input_width() * (size_t)dw_input_channels();
    uint8_t *pixels = malloc(bytes);
    float *probabilities = malloc((size_t)dw_label_count() * sizeof(float));
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (dw_processor() != DW_OK || pixels == NULL || probabilities == NULL) {
        fprintf(stderr, "error: this processor lacks what the artifact was built for, or memory is short\n");
        return 2;
    }
    for (size_t i = 0; i < bytes; i++) {
        pixels[i] = (uint8_t)(i * 37 + i / 251);
    }
    printf("{\n  \"schema\": 1,\n  \"kind\": \"depthwise board\",\n");
    about(cores);
    const int32_t usual = dw_level_in_use();
    text("in_use", dw_level(usual));
    printf("  \"levels\": [");
    int is_first = 1;
    for (int32_t index = 0; index < dw_level_count(); index++) {
        if (dw_use_level(index) == DW_OK) {
            level(index, pixels, probabilities, cores, is_first);
            is_first = 0;
        }
    }
    printf("\n  ],\n  \"record\": %s\n}\n", dw_record());
    free(probabilities);
    free(pixels);
    return 0;
}
