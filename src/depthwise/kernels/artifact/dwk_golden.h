/* dwk_golden.h: the images that an artifact is verified with, made of whole numbers alone.
 *
 * compiler/golden.py makes the same ones for the oracle. */
#ifndef DWK_GOLDEN_H
#define DWK_GOLDEN_H

#include <stdint.h>

#define DWK_GOLDEN_CASES 4

/* Case 0 is black, 1 white, 2 a gradient in both directions, 3 noise (the generator of Numerical Recipes, 2nd
 * edition, section 7.1: the high byte of state * 1664525 + 1013904223). */
static void dwk_golden_image(int32_t number, int32_t height, int32_t width, int32_t channels, uint8_t *pixels)
{
    uint32_t state = 1;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            for (int32_t c = 0; c < channels; c++) {
                state = state * 1664525u + 1013904223u;
                const uint8_t cases[DWK_GOLDEN_CASES] = {
                    0, 255, (uint8_t)((255 * y / height + 255 * x / width) / 2 + 40 * c), (uint8_t)(state >> 24)};
                *pixels++ = cases[number];
            }
        }
    }
}

#endif
