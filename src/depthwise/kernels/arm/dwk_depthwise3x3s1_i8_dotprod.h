/* dwk_depthwise3x3s1_i8_dotprod.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes, in pairs.
 *
 * dwk_depthwise3x3s1_i8_<way>_c8__dotprod: eight channels at a time, two rows of outputs at once: they share a column
 * of four rows, whose bytes lie side by side so that one dot product takes them all; in the factors a zero stands for
 * the row that an output does not see. Columns are kept for the two outputs to come, and all factors stay in registers.
 *
 * Form: DWK_WAY (a way of dwk_arm.h).
 *
 * Weights: for each eight channels the biases (s32), the multipliers, then for each column the factors (s8) of four
 * rows for each channel: of the upper row of outputs with 0 for the last row of the four, of the lower one with 0 for
 * the first. Output: pairs as in dwk_pairs_arm.h. */
#define DWK_STRIDE 1
#include "dwk_window_arm.h"

/* One column: four rows of it, or three where `lower` is 0. */
DWK_INLINE dwk_column DWK_NAME_OF_COLUMN(const int8_t *at, ptrdiff_t row, int lower)
{
    const int8x8_t third = vld1_s8(at + 2 * row);
    return dwk_column_of(dwk_in_turn(vld1_s8(at), vld1_s8(at + row)),
                         dwk_in_turn(third, lower ? vld1_s8(at + 3 * row) : third));
}

/* One row of outputs, or two where `lower` is 1. */
DWK_INLINE void DWK_NAME_OF_LINE(int lower, const int8_t *restrict input, ptrdiff_t row, int32_t width,
                                 int32_t channels, const uint32_t *restrict weights, const dwk_rounding *to,
                                 int8_t *restrict output, ptrdiff_t step)
{
    int8x16_t factors[3][4];
    int32x4_t multiplier[4];
    DWK_UNROLL
    for (int i = 0; i < 12; i++) {
        factors[i / 4][i % 4] = vld1q_s8((const int8_t *)(weights + 16 + 4 * i));
    }
    dwk_for_two_rows(weights + 8, multiplier);
    dwk_column first = DWK_NAME_OF_COLUMN(input, row, lower);
    dwk_column second = DWK_NAME_OF_COLUMN(input + channels, row, lower);
    input += 2 * channels;
    DWK_THRICE
    for (int32_t x = 0; x < width; x++) {
        const dwk_column third = DWK_NAME_OF_COLUMN(input, row, lower);
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        int32x4_t sum[4];
        dwk_for_two_rows(bias, sum);
        DWK_UNROLL
        for (int i = 0; i <= lower; i++) {
            dwk_dot_column(sum + 2 * i, &first, factors[0] + 2 * i);
            dwk_dot_column(sum + 2 * i, &second, factors[1] + 2 * i);
            dwk_dot_column(sum + 2 * i, &third, factors[2] + 2 * i);
        }
        dwk_store_pair(output, x, step, lower, DWK_BY(bytes)(to, sum, multiplier));
        first = second;
        second = third;
        input += channels;
    }
}

#define DWK_WORDS 64
#include "dwk_window_arm.h"
