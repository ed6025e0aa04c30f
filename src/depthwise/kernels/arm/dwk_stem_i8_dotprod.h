/* dwk_stem_i8_dotprod.h: the first convolution, of three channels: its 27 values are seven fours.
 *
 * dwk_stem_i8_<way>_p<P>_c<V>x4__dotprod: tiles of P pixels by V vectors of four channels.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each four values of the window
 * the four factors (s8) of each channel; the last one of the last four is 0. */
#define DWK_KERNEL dwk_stem_i8_
#define DWK_END dotprod
#include "dwk_direct_arm.h"
#include "dwk_nine_pixels_arm.h"

/* The products of four values of each pixel, of the first or the second 16 bytes. */
#define DWK_FOUR_VALUES(half, four)                                                                                    \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        const int8x16_t factors = vld1q_s8(factor + 16 * v);                                                           \
        DWK_UNROLL                                                                                                     \
        for (int p = 0; p < pixels; p++) {                                                                             \
            sum[p][v] = vdotq_laneq_s32(sum[p][v], factors, nine[p].half, four);                                       \
        }                                                                                                              \
    }                                                                                                                  \
    factor += 16 * DWK_VECTORS;

DWK_INLINE void DWK_NAME_OF_SUMS(const dwk_product *shape, int pixels, const int8_t *restrict input,
                                 const uint32_t *restrict weights, int32x4_t (*sum)[DWK_VECTORS])
{
    dwk_nine_pixels nine[DWK_PIXELS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        const uint32_t *bias = weights;
        DWK_HIDE(bias);
        nine[p] = dwk_nine_pixels_at(input + p * shape->step, shape->tap);
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = dwk_sums_at(bias + 4 * v);
        }
    }
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS);
    DWK_FOUR_VALUES(first, 0)
    DWK_FOUR_VALUES(first, 1)
    DWK_FOUR_VALUES(first, 2)
    DWK_FOUR_VALUES(first, 3)
    DWK_FOUR_VALUES(second, 0)
    DWK_FOUR_VALUES(second, 1)
    DWK_FOUR_VALUES(second, 2)
}
#undef DWK_FOUR_VALUES

#define DWK_PANEL_WORDS (DWK_VECTORS * (8 + 4 * 7))
#include "dwk_direct_arm.h"
