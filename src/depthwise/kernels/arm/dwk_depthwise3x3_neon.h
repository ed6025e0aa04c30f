/* dwk_depthwise3x3_neon.h: the body of the depthwise kernels of bytes for ARM without dot products.
 *
 * Needs the form of dwk_depthwise3x3s1_i8_neon.h or dwk_depthwise3x3s2_i8_neon.h, and DWK_STRIDE. */
#include "dwk_taps_neon.h"

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s, DWK_STRIDE, DWK_JOIN(_i8_, DWK_WAY, _c8__neon))
#define DWK_NAME_OF_LINE DWK_JOIN(DWK_NAME, _line, )
/* Rows of the image under two rows of outputs. */
#define DWK_ROWS (3 + DWK_STRIDE)

/* One row of outputs, or two where `lower` is 1; of these the second one lies `below` the first. */
DWK_INLINE void DWK_NAME_OF_LINE(int lower, const int8_t *restrict input, ptrdiff_t row, int32_t width,
                                 int32_t channels, const uint32_t *restrict weights, const dwk_rounding *to,
                                 int8_t *restrict output, ptrdiff_t step, ptrdiff_t below)
{
    const int rows = lower ? DWK_ROWS : 3;
    /* Column after column. */
    int8x8_t window[3 * DWK_ROWS];
    dwk_taps taps;
    dwk_taps_at(weights, &taps);
    DWK_UNROLL
    for (int i = 0; i < (3 - DWK_STRIDE) * rows; i++) {
        window[i] = vld1_s8(input + i / rows * channels + i % rows * row);
    }
    input += (3 - DWK_STRIDE) * channels;
    for (int32_t x = 0; x < width; x++) {
        int32x4_t sum[4];
        DWK_UNROLL
        for (int i = 0; i < DWK_STRIDE * rows; i++) {
            window[(3 - DWK_STRIDE) * rows + i] = vld1_s8(input + i / rows * channels + i % rows * row);
        }
        dwk_nine(&taps, window, rows, sum);
        dwk_nine(&taps, window + lower * DWK_STRIDE, rows, sum + 2);
        const int8x16_t bytes = DWK_BY(bytes)(to, sum, taps.multiplier);
        if (lower) {
            vst1_s8(output + below, vget_high_s8(bytes));
        }
        vst1_s8(output, vget_low_s8(bytes));
        output += step;
        DWK_UNROLL
        for (int i = 0; i < (3 - DWK_STRIDE) * rows; i++) {
            window[i] = window[DWK_STRIDE * rows + i];
        }
        input += DWK_STRIDE * channels;
    }
}

/* input: the top left value under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute, from a multiple of 8 to before a multiple of 8.
 * output: pixels of output_step bytes, without gaps between the rows. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                           const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    weights += first / 8 * DWK_TAPS_WORDS;
    for (int32_t c = first; c < end; c += 8) {
        const int8_t *top = (const int8_t *)input + c;
        int8_t *target = (int8_t *)output + c;
        const ptrdiff_t below = width * output_step;
        for (int32_t pair = 0; pair < rows / 2; pair++) {
            DWK_NAME_OF_LINE(1, top, input_row, width, channels, weights, to, target, output_step, below);
            top += 2 * DWK_STRIDE * input_row;
            target += 2 * below;
        }
        if (rows % 2) {
            DWK_NAME_OF_LINE(0, top, input_row, width, channels, weights, to, target, output_step, below);
        }
        weights += DWK_TAPS_WORDS;
    }
}

#undef DWK_ROWS
#undef DWK_NAME_OF_LINE
#undef DWK_NAME
#undef DWK_STRIDE
#undef DWK_WAY
