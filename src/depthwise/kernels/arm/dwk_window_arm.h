/* dwk_window_arm.h: columns of pixels under a depthwise kernel, for dot products of four rows of eight channels. */
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

#endif
