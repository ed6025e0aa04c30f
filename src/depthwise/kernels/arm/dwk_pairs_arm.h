/* dwk_pairs_arm.h: what dwk_pointwise_i8 does around its tile where it computes pixels by pairs.
 *
 * What a depthwise convolution hands to the pointwise one behind it lies in pairs of pixels, 16 bytes for each eight
 * channels: eight of the first pixel, eight of the second. A pair is a pixel and the one below it, and rows go by two;
 * where the number of rows is odd, the pixels of the last one are paired with their right neighbours, and the last of
 * them with nobody. So one register holds what one depthwise step makes, and what a product of matrices takes.
 *
 * A kernel includes this before itself, and once more behind itself, which makes the function. Needs DWK_NAME,
 * DWK_NAME_OF_ROW, DWK_NAME_OF_TILE, and DWK_PANEL_WORDS, words of the weights of a panel of a depth. */
#ifndef DWK_PANEL_WORDS
#include "dwk_arm.h"
#else

/* Pairs side by side. apart: from the output of the first pixel of a pair to that of the second; where both are the
 * same the first one's stays. step: from pair to pair. */
DWK_INLINE void DWK_NAME_OF_ROW(int32_t pairs, int32_t depth, const int8_t *restrict input,
                                const uint32_t *restrict weights, const dwk_rounding *to, int8_t *restrict output,
                                ptrdiff_t apart, ptrdiff_t step)
{
    for (int32_t i = 0; i < pairs / (DWK_PIXELS / 2); i++) {
        DWK_NAME_OF_TILE(DWK_PIXELS / 2, depth, input, weights, to, output, apart, step);
        input += DWK_PIXELS * depth;
        output += DWK_PIXELS / 2 * step;
    }
    const int32_t left = pairs % (DWK_PIXELS / 2);
    if (left == 1) {
        DWK_NAME_OF_TILE(1, depth, input, weights, to, output, apart, step);
    }
#if DWK_PIXELS > 4
    if (left == 2) {
        DWK_NAME_OF_TILE(2, depth, input, weights, to, output, apart, step);
    }
#endif
}

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t width = shape->width, depth = shape->depth, row = shape->output_row, step = shape->output_step;
    for (int32_t panel = 0; panel < panels; panel++) {
        const int8_t *from = (const int8_t *)input;
        int8_t *target = (int8_t *)output + panel * 4 * DWK_VECTORS;
        for (int32_t y = 0; y < rows / 2; y++) {
            DWK_NAME_OF_ROW(width, depth, from, weights, to, target, row, step);
            from += 2 * width * depth;
            target += 2 * row;
        }
        if (rows % 2) {
            DWK_NAME_OF_ROW(width / 2, depth, from, weights, to, target, step, 2 * step);
            if (width % 2) {
                DWK_NAME_OF_ROW(1, depth, from + (width - 1) * depth, weights, to, target + (width - 1) * step, 0, 0);
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
#undef DWK_WAY
#endif
