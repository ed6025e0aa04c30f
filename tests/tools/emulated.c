/* emulated.c: runs a network step by step on the pixels from its input, and writes the whole arena after each step.
 *
 * Included behind model.c, and needs STEPS and test_one(number, pixels, arena); without a C library, so that it can be
 * built for any processor that an emulator knows. */
#include "alone.h"

enum { GUARD = 4096, PIXELS = DWL_HEIGHT * DWL_WIDTH * DWL_CHANNELS };

static _Alignas(64) uint8_t memory[GUARD + DWL_ARENA_BYTES + GUARD], pixels[PIXELS];

static void all(long number, long file, uint8_t *at, long count)
{
    while (count > 0) {
        const long done = call(number, file, (long)at, count);
        if (done <= 0) {
            call(EXIT, 3, 0, 0);
        }
        at += done;
        count -= done;
    }
}

void begin(void)
{
    for (long image = 0; image < IMAGES; image++) {
        all(READ, 0, pixels, PIXELS);
        memset(memory, 0xA5, sizeof memory);
        memset(memory + GUARD, 0xFF, DWL_ARENA_BYTES);
        for (int step = 0; step < STEPS; step++) {
            test_one(step, pixels, memory + GUARD);
            all(WRITE, 1, memory, sizeof memory);
        }
    }
    call(EXIT, 0, 0, 0);
}
