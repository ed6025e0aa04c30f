/* dwk_pointwise_i8_dotprod.h: pointwise convolutions of bytes, of what a depthwise convolution left in pairs.
 *
 * dwk_pointwise_i8_<way>_p<P>_c<V>x4__dotprod: tiles of P pixels by V vectors of four channels. All sums of a tile stay
 * in registers; what is left of a row has smaller tiles.
 *
 * Form: DWK_WAY (a way of dwk_arm.h), DWK_PIXELS (P, at most 6), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each four values of a pixel the
 * four factors (s8) of each channel. */
#include "dwk_pairs_arm.h"

#define DWK_NAME DWK_JOIN(dwk_pointwise_i8_, DWK_WAY, DWK_JOIN(_p, DWK_PIXELS, DWK_JOIN(_c, DWK_VECTORS, x4__dotprod)))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#define DWK_NAME_OF_ROW DWK_JOIN(DWK_NAME, _row, )

/* For four values of all pixels: lanes are the first pixel's in its pair, and the second's. */
#define DWK_FOUR_VALUES(first, second)                                                                                 \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        const int8x16_t four = vld1q_s8(factor + 16 * v);                                                              \
        DWK_UNROLL                                                                                                     \
        for (int p = 0; p < pairs; p++) {                                                                              \
            sum[2 * p][v] = vdotq_laneq_s32(sum[2 * p][v], four, pair[p], first);                                      \
            sum[2 * p + 1][v] = vdotq_laneq_s32(sum[2 * p + 1][v], four, pair[p], second);                             \
        }                                                                                                              \
    }                                                                                                                  \
    factor += 16 * DWK_VECTORS;

DWK_INLINE void DWK_NAME_OF_TILE(int pairs, int32_t depth, const int8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, int8_t *restrict output,
                                 ptrdiff_t apart, ptrdiff_t step)
{
    int32x4_t sum[DWK_PIXELS][DWK_VECTORS], multiplier[DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < 2 * pairs; p++) {
        /* Read anew, which takes fewer instructions than to copy registers. */
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = dwk_sums_at(bias + 4 * v);
        }
    }
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS);
    DWK_TWICE
    for (int32_t k = 0; k < depth; k += 8) {
        int8x16_t pair[DWK_PIXELS / 2];
        DWK_UNROLL
        for (int p = 0; p < pairs; p++) {
            pair[p] = vld1q_s8(input + 2 * (p * depth + k));
        }
        DWK_FOUR_VALUES(0, 2)
        DWK_FOUR_VALUES(1, 3)
    }
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        multiplier[v] = dwk_sums_at(weights + 4 * (DWK_VECTORS + v));
    }
    DWK_UNROLL
    for (int p = 0; p < pairs; p++) {
        int8_t *at = output + p * step;
#if DWK_VECTORS == 4
        const int8x16_t second = DWK_BY(bytes)(to, sum[2 * p + 1], multiplier);
        vst1q_s8(at + apart, second);
        vst1q_s8(at, DWK_BY(bytes)(to, sum[2 * p], multiplier));
#else
        const int32x4_t four[4] = {sum[2 * p][0], sum[2 * p][1], sum[2 * p + 1][0], sum[2 * p + 1][1]};
        const int32x4_t by[4] = {multiplier[0], multiplier[1], multiplier[0], multiplier[1]};
        const int8x16_t both = DWK_BY(bytes)(to, four, by);
        vst1_s8(at + apart, vget_high_s8(both));
        vst1_s8(at, vget_low_s8(both));
#endif
    }
}
#undef DWK_FOUR_VALUES

#define DWK_PANEL_WORDS(depth) (8 * DWK_VECTORS + (depth) * DWK_VECTORS)
#include "dwk_pairs_arm.h"
