/* team.c: the team of dwk_threads.h with a network of three phases that counts how often each part is done.
 *
 * A library for test_team.py, and with -DPROGRAM a program for a thread sanitizer. */
#define DWL_THREADS 8
#include "dwk_threads.h"

#include <string.h>

#ifdef PROGRAM
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#endif

/* An arena has the bytes of all phases, and then for each how often it was computed. */
enum { THINGS = 16, PHASES = 3, BYTES = 2 * PHASES * THINGS };

/* Every byte of a phase depends on all of the phase before. */
static void network(const uint8_t *pixels, uint8_t *arena, dwk_worker *worker)
{
    const uint8_t *before = pixels;
    for (int32_t phase = 0; phase < PHASES; phase++) {
        uint8_t *after = arena + phase * THINGS;
        while (dwk_takes(worker)) {
            const dwk_part own = dwk_own(worker, THINGS, 1);
            for (int32_t i = own.first; i < own.end; i++) {
                uint8_t sum = (uint8_t)i;
                for (int32_t j = 0; j < THINGS; j++) {
                    sum = (uint8_t)(sum * 3 + before[j]);
                }
                after[i] = sum;
                after[PHASES * THINGS + i]++;
            }
#ifdef PROGRAM
            if (before[own.first] % 16 == 0) {
                (void)sched_yield(); /* so that others come in between */
            }
#endif
        }
        before = after;
    }
}

#ifndef PROGRAM

int32_t test_run(const uint8_t *pixels, uint8_t *arena);
void test_absent(int32_t count);
void test_late(int32_t number, int32_t calls_ago, const uint8_t *pixels, uint8_t *arena);

/* A call; how many after it are to run alone. */
int32_t test_run(const uint8_t *pixels, uint8_t *arena)
{
    dwk_together(network, pixels, arena);
    return dwk_team.alone;
}

/* A team of so many workers of which none but the caller has a thread. */
void test_absent(int32_t count)
{
    (void)dwk_set_threads(1);
    dwk_start(1);
    atomic_store(&dwk_team.count, count);
}

/* What a worker does that wakes up when a call is over: the last one, or one before. */
void test_late(int32_t number, int32_t calls_ago, const uint8_t *pixels, uint8_t *arena)
{
    dwk_worker late = {.number = number, .count = atomic_load(&dwk_team.count)};
    late.phase = dwk_team.phase - (uint64_t)((calls_ago + 1) * PHASES);
    network(pixels, arena, &late);
}

#else

enum { CALLS = 120, ALWAYS_SHARED = 1000 };

/* Calls with pixels of the caller's own, each compared with what one thread computes. */
static void *calls(void *number)
{
    uint32_t state = (uint32_t)(uintptr_t)number;
    for (int32_t call = 0; call < CALLS; call++) {
        uint8_t pixels[THINGS], found[BYTES] = {0}, expected[BYTES] = {0};
        for (int32_t i = 0; i < THINGS; i++) {
            state = state * 1664525u + 1013904223u;
            pixels[i] = (uint8_t)(state >> 24);
        }
        if ((uintptr_t)number >= ALWAYS_SHARED) {
            dwk_team.alone = 0;
        }
        dwk_together(network, pixels, found);
        dwk_worker alone = {.count = 1};
        network(pixels, expected, &alone);
        if (memcmp(found, expected, BYTES) != 0) {
            return "another answer";
        }
    }
    return NULL;
}

static void *changes(void *unused)
{
    for (int32_t change = 0; change < 40; change++) {
        (void)dwk_set_threads(1 + change % DWL_THREADS);
        (void)sched_yield();
    }
    return unused;
}

int main(void)
{
    static const int32_t counts[] = {2, 3, 8, 1};
    for (int32_t i = 0; i < 4; i++) {
        if (dwk_set_threads(counts[i]) != counts[i] || calls((void *)(uintptr_t)(ALWAYS_SHARED + i)) != NULL) {
            return 1;
        }
    }
    /* Several callers at the same time, while threads come and go. */
    pthread_t threads[4];
    int32_t status = 0;
    for (int32_t i = 0; i < 4; i++) {
        if (pthread_create(&threads[i], NULL, i < 3 ? calls : changes, (void *)(uintptr_t)(i * 7)) != 0) {
            return 2;
        }
    }
    for (int32_t i = 0; i < 3; i++) {
        void *said;
        status |= pthread_join(threads[i], &said) != 0 || said != NULL ? 3 : 0;
    }
    (void)pthread_join(threads[3], NULL);
    return status;
}

#endif
