/* dwk_taps_neon.h: the nine taps of a depthwise convolution on ARM without dot products, eight channels at a time. */
#ifndef DWK_TAPS_NEON_H
#define DWK_TAPS_NEON_H

#include "dwk_arm.h"

/* Words of eight channels: biases, multipliers, nine factors each. */
#define DWK_TAPS_WORDS 34

/* The numbers of eight channels, in registers. */
typedef struct {
    int32x4_t bias[2], multiplier[4];
    int8x8_t factor[9];
} dwk_taps;

DWK_INLINE void dwk_taps_at(const uint32_t *weights, dwk_taps *taps)
{
    DWK_UNROLL
    for (int i = 0; i < 9; i++) {
        taps->factor[i] = vld1_s8((const int8_t *)(weights + 16 + 2 * i));
    }
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        taps->bias[i % 2] = dwk_sums_at(weights + 4 * (i % 2));
        taps->multiplier[i] = dwk_sums_at(weights + 8 + 4 * (i % 2));
    }
}

/* The sums of one output. window: the three columns of the rows under the kernel, each `rows` apart from the next. Taps
 * go by pairs, of which two products fit into 16 bits (dwk_sums_neon.h). */
DWK_INLINE void dwk_nine(const dwk_taps *taps, const int8x8_t *window, int rows, int32x4_t *sum)
{
    sum[0] = taps->bias[0];
    sum[1] = taps->bias[1];
    DWK_UNROLL
    for (int i = 0; i < 9; i += 2) {
        int16x8_t products = vmull_s8(window[i % 3 * rows + i / 3], taps->factor[i]);
        if (i < 8) {
            products = vmlal_s8(products, window[(i + 1) % 3 * rows + (i + 1) / 3], taps->factor[i + 1]);
        }
        sum[0] = vaddw_s16(sum[0], vget_low_s16(products));
        sum[1] = DWK_ADD_HIGH(sum[1], products);
    }
}

#endif
