/* dwk_depthwise3x3s2_i8_dotprod.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes, in pairs.
 *
 * dwk_depthwise3x3s2_i8_<way>_c8__dotprod: eight channels at a time, two rows of outputs at once: of five rows the
 * first three are the upper one's, the last three the lower one's. The last column of an output is the first of the
 * next, and all factors stay in registers.
 *
 * Form: DWK_WAY (a way of dwk_arm.h).
 *
 * Weights: for each eight channels the biases (s32), the multipliers, then for each column the factors (s8) of three
 * rows and a 0 for each channel. Output: pairs as in dwk_pairs_arm.h. */
#define DWK_STRIDE 2
#include "dwk_window_arm.h"

/* One column of five rows, or of three where `lower` is 0, as the upper row of outputs sees it and as the lower one. */
DWK_INLINE void DWK_NAME_OF_COLUMN(const int8_t *at, ptrdiff_t row, int lower, dwk_column *column)
{
    const int8x8_t third = vld1_s8(at + 2 * row);
    const int8x16_t upper = dwk_in_turn(vld1_s8(at), vld1_s8(at + row));
    const int8x16_t middle = dwk_in_turn(third, lower ? vld1_s8(at + 3 * row) : third);
    column[0] = dwk_column_of(upper, middle);
    if (lower) {
        const int8x8_t fifth = vld1_s8(at + 4 * row);
        column[1] = dwk_column_of(middle, dwk_in_turn(fifth, fifth));
    }
}

/* One row of outputs, or two where `lower` is 1. */
DWK_INLINE void DWK_NAME_OF_LINE(int lower, const int8_t *restrict input, ptrdiff_t row, int32_t width,
                                 int32_t channels, const uint32_t *restrict weights, const dwk_rounding *to,
                                 int8_t *restrict output, ptrdiff_t step)
{
    int8x16_t factors[3][2];
    int32x4_t multiplier[4];
    dwk_column first[2] = {{vdupq_n_s8(0), vdupq_n_s8(0)}, {vdupq_n_s8(0), vdupq_n_s8(0)}};
    DWK_UNROLL
    for (int i = 0; i < 6; i++) {
        factors[i / 2][i % 2] = vld1q_s8((const int8_t *)(weights + 16 + 4 * i));
    }
    dwk_for_two_rows(weights + 8, multiplier);
    DWK_NAME_OF_COLUMN(input, row, lower, first);
    input += channels;
    for (int32_t x = 0; x < width; x++) {
        dwk_column second[2], third[2];
        DWK_NAME_OF_COLUMN(input, row, lower, second);
        DWK_NAME_OF_COLUMN(input + channels, row, lower, third);
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        int32x4_t sum[4];
        dwk_for_two_rows(bias, sum);
        DWK_UNROLL
        for (int i = 0; i <= lower; i++) {
            dwk_dot_column(sum + 2 * i, &first[i], factors[0]);
            dwk_dot_column(sum + 2 * i, &second[i], factors[1]);
            dwk_dot_column(sum + 2 * i, &third[i], factors[2]);
            first[i] = third[i];
        }
        dwk_store_pair(output, x, step, lower, DWK_BY(bytes)(to, sum, multiplier));
        input += 2 * channels;
    }
}

#define DWK_WORDS 40
#include "dwk_window_arm.h"
