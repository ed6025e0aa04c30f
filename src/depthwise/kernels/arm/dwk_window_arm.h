/* dwk_window_arm.h: what depthwise convolutions by dot products do around a row of outputs.
 *
 * A kernel includes this before itself, and once more behind itself, which makes the function. Needs DWK_STRIDE, its
 * form (DWK_WAY), a function DWK_NAME_OF_LINE that gives one row of outputs or two, and DWK_WORDS, the words of the
 * weights of eight channels. */
#ifndef DWK_WORDS
#ifndef DWK_WINDOW_ARM_H
#define DWK_WINDOW_ARM_H

#include "dwk_arm.h"

/* Of four rows of eight channels the bytes of each channel side by side: `low` of the first four, `high` of the others.
 */
typedef struct {
    int8x16_t low, high;
} dwk_column;

/* The bytes of two rows in turn. */
DWK_INLINE int8x16_t dwk_in_turn(int8x8_t first, int8x8_t second)
{
    return __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Two rows and two more, each in turn. */
DWK_INLINE dwk_column dwk_column_of(int8x16_t upper, int8x16_t lower)
{
    const int16x8_t first = vreinterpretq_s16_s8(upper), second = vreinterpretq_s16_s8(lower);
    return (dwk_column){vreinterpretq_s8_s16(vzip1q_s16(first, second)),
                        vreinterpretq_s8_s16(vzip2q_s16(first, second))};
}

/* Adds the products of a column to the sums of eight channels. */
DWK_INLINE void dwk_dot_column(int32x4_t *sum, const dwk_column *column, const int8x16_t *factors)
{
    sum[0] = vdotq_s32(sum[0], column->low, factors[0]);
    sum[1] = vdotq_s32(sum[1], column->high, factors[1]);
}

/* The eight numbers of eight channels, for each of two rows. */
DWK_INLINE void dwk_for_two_rows(const uint32_t *at, int32x4_t *numbers)
{
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        numbers[i] = dwk_sums_at(at + 4 * (i % 2));
    }
}

/* Column x of outputs of eight channels, in pairs as in dwk_pairs_arm.h: of two rows, or of one where `lower` is 0. */
DWK_INLINE void dwk_store_pair(int8_t *output, int32_t x, ptrdiff_t step, int lower, int8x16_t bytes)
{
    if (lower) {
        vst1q_s8(output + x * 2 * step, bytes);
    } else {
        vst1_s8(output + x / 2 * 2 * step + x % 2 * 8, vget_low_s8(bytes));
    }
}

#endif

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s, DWK_STRIDE, DWK_JOIN(_i8_, DWK_WAY, _c8__dotprod))
#define DWK_NAME_OF_LINE DWK_JOIN(DWK_NAME, _line, )
#define DWK_NAME_OF_COLUMN DWK_JOIN(DWK_NAME, _column, )
#else

/* input: the top left value under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute, from a multiple of 8 to before a multiple of 8.
 * output: pairs of pixels of output_step bytes each. */
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
            top += 2 * DWK_STRIDE * input_row;
            target += 2 * width * output_step;
        }
        if (rows % 2) {
            DWK_NAME_OF_LINE(0, top, input_row, width, channels, weights, to, target, output_step);
        }
        weights += DWK_WORDS;
    }
}

#undef DWK_WORDS
#undef DWK_NAME_OF_COLUMN
#undef DWK_NAME_OF_LINE
#undef DWK_NAME
#undef DWK_STRIDE
#undef DWK_WAY
#endif
