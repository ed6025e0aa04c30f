/* dwk_stem_i8_neon.h: the first convolution, of three channels: its 27 values are two registers.
 *
 * dwk_stem_i8_<way>_p<P>_c<V>x4__neon: tiles of P pixels by V times four channels.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each channel its 27 factors (s8)
 * and five zeros. */
#define DWK_KERNEL dwk_stem_i8_
#define DWK_END neon
#include "dwk_direct_arm.h"
#include "dwk_nine_pixels_arm.h"

DWK_INLINE void DWK_NAME_OF_SUMS(const dwk_product *shape, int pixels, const int8_t *restrict input,
                                 const uint32_t *restrict weights, int32x4_t (*sum)[DWK_VECTORS])
{
    dwk_nine_pixels nine[DWK_PIXELS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        nine[p] = dwk_nine_pixels_at(input + p * shape->step, shape->tap);
    }
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS);
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        int32x4_t parts[DWK_PIXELS][4];
        DWK_UNROLL
        for (int c = 0; c < 4; c++) {
            const int8x16_t first = vld1q_s8(factor), second = vld1q_s8(factor + 16);
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                parts[p][c] = vpaddlq_s16(dwk_partners(nine[p].first, first));
                parts[p][c] = vpadalq_s16(parts[p][c], dwk_partners(nine[p].second, second));
            }
            factor += 32;
        }
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][v] = vaddq_s32(dwk_four_sums(parts[p]), dwk_sums_at(weights + 4 * v));
        }
    }
}

#define DWK_PANEL_WORDS (DWK_VECTORS * (8 + 32))
#include "dwk_direct_arm.h"
