/* dwk_pointwise_i8_i8mm.h: pointwise convolutions of bytes, of what a depthwise convolution left in pairs.
 *
 * dwk_pointwise_i8_<way>_p<P>_c<V>x4__i8mm: tiles of P pixels by V vectors of four channels, whose sums stay in
 * registers. One instruction multiplies eight values of a pair of pixels with the factors of a pair of channels: its
 * four sums are first pixel, first channel; first, second; second, first; second, second.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P, at most 6), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32) and then the multipliers, of each pair of channels twice, as
 * sums have them; then for each eight values of a pixel the eight factors (s8) of each channel. */
#include "dwk_pairs_arm.h"

#define DWK_NAME DWK_JOIN(dwk_pointwise_i8_, DWK_WAY, DWK_JOIN(_p, DWK_PIXELS, DWK_JOIN(_c, DWK_VECTORS, x4__i8mm)))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#define DWK_NAME_OF_ROW DWK_JOIN(DWK_NAME, _row, )
/* Pairs of channels in a panel. */
#define DWK_TWOS (2 * DWK_VECTORS)

DWK_INLINE void DWK_NAME_OF_TILE(int pairs, int32_t depth, const int8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, int8_t *restrict output,
                                 ptrdiff_t apart, ptrdiff_t step)
{
    int32x4_t sum[DWK_PIXELS / 2][DWK_TWOS], multiplier[DWK_TWOS];
    DWK_UNROLL
    for (int p = 0; p < pairs; p++) {
        /* Read anew, which takes fewer instructions than to copy registers. */
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        DWK_UNROLL
        for (int v = 0; v < DWK_TWOS; v++) {
            sum[p][v] = dwk_sums_at(bias + 4 * v);
        }
    }
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_TWOS);
    DWK_TWICE
    for (int32_t k = 0; k < depth; k += 8) {
        int8x16_t pair[DWK_PIXELS / 2];
        DWK_UNROLL
        for (int p = 0; p < pairs; p++) {
            pair[p] = vld1q_s8(input + 2 * (p * depth + k));
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_TWOS; v++) {
            const int8x16_t two = vld1q_s8(factor + 16 * v);
            DWK_UNROLL
            for (int p = 0; p < pairs; p++) {
                sum[p][v] = vmmlaq_s32(sum[p][v], pair[p], two);
            }
        }
        factor += 16 * DWK_TWOS;
    }
    DWK_UNROLL
    for (int v = 0; v < DWK_TWOS; v++) {
        multiplier[v] = dwk_sums_at(weights + 4 * (DWK_TWOS + v));
    }
    DWK_UNROLL
    for (int p = 0; p < pairs; p++) {
        int8_t *at = output + p * step;
        /* Two channels of the first pixel, two of the second, and so on. */
        const int16x8_t in_turn = vreinterpretq_s16_s8(DWK_BY(bytes)(to, sum[p], multiplier));
#if DWK_VECTORS == 4
        const int16x8_t more = vreinterpretq_s16_s8(DWK_BY(bytes)(to, sum[p] + 4, multiplier + 4));
        vst1q_s8(at + apart, vreinterpretq_s8_s16(vuzp2q_s16(in_turn, more)));
        vst1q_s8(at, vreinterpretq_s8_s16(vuzp1q_s16(in_turn, more)));
#else
        vst1_s8(at + apart, vget_low_s8(vreinterpretq_s8_s16(vuzp2q_s16(in_turn, in_turn))));
        vst1_s8(at, vget_low_s8(vreinterpretq_s8_s16(vuzp1q_s16(in_turn, in_turn))));
#endif
    }
}
#undef DWK_TWOS

#define DWK_PANEL_WORDS(depth) (16 * DWK_VECTORS + (depth) * DWK_VECTORS)
#include "dwk_pairs_arm.h"
