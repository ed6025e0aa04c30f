/* dwk_product_i8_dotprod.h: convolutions 3x3 over all channels: standard ones, and the first of a grey network.
 *
 * dwk_product_i8_<way>_p<P>_c<V>x4__dotprod: tiles of P pixels by V vectors of four channels.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each kernel row and each four of
 * its values the four factors (s8) of each channel, where factors after the last value of the row are 0. Of a row as
 * many bytes are read as are in eights. */
#define DWK_KERNEL dwk_product_i8_
#define DWK_END dotprod
#include "dwk_direct_arm.h"

/* The products of four values of each pixel. */
#define DWK_FOUR_VALUES(four)                                                                                          \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        const int8x16_t factors = vld1q_s8(factor + 16 * v);                                                           \
        DWK_UNROLL                                                                                                     \
        for (int p = 0; p < pixels; p++) {                                                                             \
            sum[p][v] = vdotq_lane_s32(sum[p][v], factors, eight[p], four);                                            \
        }                                                                                                              \
    }                                                                                                                  \
    factor += 16 * DWK_VECTORS;

DWK_INLINE void DWK_NAME_OF_SUMS(const dwk_product *shape, int pixels, const int8_t *restrict input,
                                 const uint32_t *restrict weights, int32x4_t (*sum)[DWK_VECTORS])
{
    DWK_UNROLL
    for (int i = 0; i < pixels * DWK_VECTORS; i++) {
        sum[i / DWK_VECTORS][i % DWK_VECTORS] = dwk_sums_at(weights + 4 * (i % DWK_VECTORS));
    }
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS);
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        for (int32_t k = 0; k < shape->depth; k += 8) {
            int8x8_t eight[DWK_PIXELS];
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                eight[p] = vld1_s8(input + p * shape->step + tap * shape->tap + k);
            }
            DWK_FOUR_VALUES(0)
            if (shape->depth - k > 4) {
                DWK_FOUR_VALUES(1)
            }
        }
    }
}
#undef DWK_FOUR_VALUES

#define DWK_PANEL_WORDS (DWK_VECTORS * (8 + 4 * shape->taps * ((shape->depth + 3) / 4)))
#include "dwk_direct_arm.h"
