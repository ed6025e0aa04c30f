/* dwk_pointwise_f32_neon.h: pointwise convolutions of floats that a depthwise one left in pairs, with bias and
 * activation.
 *
 * dwk_pointwise_f32_<activation>_p<P>_c<V>x4__neon: tiles of P pixels by V vectors of four channels; what is left of a
 * row has smaller tiles. All sums of a tile stay in registers, and so do four values of each pixel, which are
 * multiplied lane by lane.
 *
 * Form: DWK_ACTIVATION, DWK_PIXELS (P, at most 6), DWK_VECTORS (V).
 *
 * Weights: as in dwk_product_f32.h, of which dwk_pointwise_f32 is a case; products are added in the same order. */
#include "dwk_pairs_arm.h"

#define DWK_NAME                                                                                                       \
    DWK_JOIN(dwk_pointwise_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_PIXELS, DWK_JOIN(_c, DWK_VECTORS, x4__neon)))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#define DWK_NAME_OF_ROW DWK_JOIN(DWK_NAME, _row, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _v4)

/* The products of one value of each pixel, in lane `lane`. */
#define DWK_PRODUCTS(lane)                                                                                             \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        const float32x4_t factors = vld1q_f32((const float *)(factor + (lane * DWK_VECTORS + v) * 4));                 \
        DWK_UNROLL                                                                                                     \
        for (int p = 0; p < 2 * pairs; p++) {                                                                          \
            sum[p][v] = vfmaq_laneq_f32(sum[p][v], factors, four[p], lane);                                            \
        }                                                                                                              \
    }

/* depth: by eights. */
DWK_INLINE void DWK_NAME_OF_TILE(int pairs, int32_t depth, const dwk_float *restrict input,
                                 const dwk_float *restrict weights, dwk_float *restrict output, ptrdiff_t apart,
                                 ptrdiff_t step)
{
    float32x4_t sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < 2 * pairs; p++) {
        /* Read anew, which takes fewer instructions than to copy registers. */
        const dwk_float *bias = weights;
        DWK_HIDE(bias);
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = vld1q_f32((const float *)(bias + 4 * v));
        }
    }
    const dwk_float *factor = weights + 4 * DWK_VECTORS;
    DWK_TWICE
    for (int32_t k = 0; k < depth; k += 4) {
        float32x4_t four[DWK_PIXELS];
        DWK_UNROLL
        for (int p = 0; p < 2 * pairs; p++) {
            four[p] = vld1q_f32((const float *)(input + 2 * (p / 2 * depth + k) + p % 2 * 4));
        }
        DWK_PRODUCTS(0)
        DWK_PRODUCTS(1)
        DWK_PRODUCTS(2)
        DWK_PRODUCTS(3)
        factor += 16 * DWK_VECTORS;
    }
    DWK_UNROLL
    for (int p = 2 * pairs - 1; p >= 0; p--) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            dwk_v4 value = (dwk_v4)sum[p][v];
            DWK_ACTIVATE(&value);
            *(dwk_v4 *)(output + p / 2 * step + p % 2 * apart + 4 * v) = value;
        }
    }
}
#undef DWK_PRODUCTS
#undef DWK_ACTIVATE

#define DWK_PANEL_WORDS(depth) ((1 + (depth)) * (4 * DWK_VECTORS))
#include "dwk_pairs_arm.h"
