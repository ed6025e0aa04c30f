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
#include "dwk_window_arm.h"

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_i8_, DWK_WAY, _c8__dotprod)
#define DWK_NAME_OF_LINE DWK_JOIN(DWK_NAME, _line, )
/* Words of eight channels. */
#define DWK_WORDS 40

/* One column of five rows, or of three where `lower` is 0, as the upper row of outputs sees it and as the lower one. */
DWK_INLINE void DWK_JOIN(DWK_NAME, _column, )(const int8_t *at, ptrdiff_t row, int lower, dwk_column *column)
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
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        multiplier[i] = dwk_sums_at(weights + 8 + 4 * (i % 2));
    }
    DWK_JOIN(DWK_NAME, _column, )(input, row, lower, first);
    input += channels;
    for (int32_t x = 0; x < width; x++) {
        dwk_column second[2], third[2];
        DWK_JOIN(DWK_NAME, _column, )(input, row, lower, second);
        DWK_JOIN(DWK_NAME, _column, )(input + channels, row, lower, third);
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        int32x4_t sum[4];
        DWK_UNROLL
        for (int i = 0; i < 4; i++) {
            sum[i] = dwk_sums_at(bias + 4 * (i % 2));
        }
        DWK_UNROLL
        for (int i = 0; i <= lower; i++) {
            dwk_dot_column(sum + 2 * i, &first[i], factors[0]);
            dwk_dot_column(sum + 2 * i, &second[i], factors[1]);
            dwk_dot_column(sum + 2 * i, &third[i], factors[2]);
            first[i] = third[i];
        }
        const int8x16_t bytes = DWK_BY(bytes)(to, sum, multiplier);
        if (lower) {
            vst1q_s8(output + x * 2 * step, bytes);
        } else {
            vst1_s8(output + x / 2 * 2 * step + x % 2 * 8, vget_low_s8(bytes));
        }
        input += 2 * channels;
    }
}

/* input, output and channels: as in dwk_depthwise3x3s1_i8_dotprod.h. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                           const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    weights += first / 8 * DWK_WORDS;
    for (int32_t c = first; c < end; c += 8) {
        const int8_t *top = (const int8_t *)input + c;
        int8_t *target = (int8_t *)output + 2 * c;
        for (int32_t pair = 0; pair < rows / 2; pair++) {
            DWK_NAME_OF_LINE(1, top, input_row, width, channels, weights, to, target, output_step);
            top += 4 * input_row;
            target += 2 * width * output_step;
        }
        if (rows % 2) {
            DWK_NAME_OF_LINE(0, top, input_row, width, channels, weights, to, target, output_step);
        }
        weights += DWK_WORDS;
    }
}

#undef DWK_WORDS
#undef DWK_NAME_OF_LINE
#undef DWK_NAME
#undef DWK_WAY
