/* dwk_pairs_arm.h: what dwk_pointwise_i8 and dwk_pointwise_f32 do around their tile where they compute pixels by pairs.
 *
 * What a depthwise convolution hands to the pointwise one behind it lies in pairs of pixels: eight bytes, or four
 * floats, of the first pixel, as many of the second, then the next channels of both. A pair is a pixel and the one
 * below it, and rows go by two; where the number of rows is odd, the pixels of the last one are paired with their right
 * neighbours, and the last of them with nobody. So what one depthwise step makes lies together, and what a product of
 * matrices takes.
 *
 * A kernel includes this before itself, and once more behind itself, which makes the function. Needs DWK_NAME,
 * DWK_NAME_OF_ROW, DWK_NAME_OF_TILE, and DWK_PANEL_WORDS, words of the weights of a panel of a depth. Kernels that
 * round to bytes have a DWK_WAY; the others are of floats. */
#ifndef DWK_PANEL_WORDS
/* What lies in memory, as what a kernel reads and writes it, and what weights are; and the rounding among arguments. */
#ifdef DWK_WAY
#include "dwk_arm.h"
#define DWK_STORED uint8_t
#define DWK_VALUE int8_t
#define DWK_WORD uint32_t
#define DWK_TAKEN_ROUNDING const dwk_rounding *to,
#define DWK_GIVEN_ROUNDING to,
#else
#include <arm_neon.h>

#include "dwk_shapes.h"
#include "dwk_vector.h"
#define DWK_STORED dwk_float
#define DWK_VALUE dwk_float
#define DWK_WORD dwk_float
#define DWK_TAKEN_ROUNDING
#define DWK_GIVEN_ROUNDING
#endif
#else

/* Pairs side by side. apart: from the output of the first pixel of a pair to that of the second; where both are the
 * same the first one's stays. step: from pair to pair. */
DWK_INLINE void DWK_NAME_OF_ROW(int32_t pairs, int32_t depth, const DWK_VALUE *restrict input,
                                const DWK_WORD *restrict weights, DWK_TAKEN_ROUNDING DWK_VALUE *restrict output,
                                ptrdiff_t apart, ptrdiff_t step)
{
    for (int32_t i = 0; i < pairs / (DWK_PIXELS / 2); i++) {
        DWK_NAME_OF_TILE(DWK_PIXELS / 2, depth, input, weights, DWK_GIVEN_ROUNDING output, apart, step);
        input += DWK_PIXELS * depth;
        output += DWK_PIXELS / 2 * step;
    }
    const int32_t left = pairs % (DWK_PIXELS / 2);
    if (left == 1) {
        DWK_NAME_OF_TILE(1, depth, input, weights, DWK_GIVEN_ROUNDING output, apart, step);
    }
#if DWK_PIXELS > 4
    if (left == 2) {
        DWK_NAME_OF_TILE(2, depth, input, weights, DWK_GIVEN_ROUNDING output, apart, step);
    }
#endif
}

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const DWK_STORED *restrict input,
                         const DWK_WORD *restrict weights, DWK_TAKEN_ROUNDING DWK_STORED *restrict output)
{
    const int32_t width = shape->width, depth = shape->depth, row = shape->output_row, step = shape->output_step;
    for (int32_t panel = 0; panel < panels; panel++) {
        const DWK_VALUE *from = (const DWK_VALUE *)input;
        DWK_VALUE *target = (DWK_VALUE *)output + panel * 4 * DWK_VECTORS;
        for (int32_t y = 0; y < rows / 2; y++) {
            DWK_NAME_OF_ROW(width, depth, from, weights, DWK_GIVEN_ROUNDING target, row, step);
            from += 2 * width * depth;
            target += 2 * row;
        }
        if (rows % 2) {
            DWK_NAME_OF_ROW(width / 2, depth, from, weights, DWK_GIVEN_ROUNDING target, step, 2 * step);
            if (width % 2) {
                DWK_NAME_OF_ROW(1, depth, from + (width - 1) * depth, weights,
                                DWK_GIVEN_ROUNDING target + (width - 1) * step, 0, 0);
            }
        }
        weights += DWK_PANEL_WORDS(depth);
    }
}

#undef DWK_PANEL_WORDS
#undef DWK_NAME_OF_ROW
#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_VECTORS
#undef DWK_PIXELS
#undef DWK_GIVEN_ROUNDING
#undef DWK_TAKEN_ROUNDING
#undef DWK_WORD
#undef DWK_VALUE
#undef DWK_STORED
#undef DWK_WAY
#undef DWK_ACTIVATION
#endif
