/* dwk_product_i8_neon.h: convolutions 3x3 over all channels: standard ones, and the first of a grey network.
 *
 * dwk_product_i8_<way>_p<P>_c<V>x4__neon: tiles of P pixels by V times four channels.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each four channels, each kernel
 * row and each eight of its values the factors (s8) of one channel after the other, where those after the last value of
 * the row are 0. Of a row as many bytes are read as are in eights. */
#define DWK_KERNEL dwk_product_i8_
#define DWK_END neon
#include "dwk_direct_arm.h"

DWK_INLINE void DWK_NAME_OF_SUMS(const dwk_product *shape, int pixels, const int8_t *restrict input,
                                 const uint32_t *restrict weights, int32x4_t (*sum)[DWK_VECTORS])
{
    const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS);
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        int32x4_t parts[DWK_PIXELS][4];
        DWK_UNROLL
        for (int i = 0; i < 4 * pixels; i++) {
            parts[i / 4][i % 4] = vdupq_n_s32(0);
        }
        for (int32_t tap = 0; tap < shape->taps; tap++) {
            for (int32_t k = 0; k < shape->depth; k += 8) {
                DWK_UNROLL
                for (int i = 0; i < 4 * pixels; i++) {
                    const int8_t *value = input + i / 4 * shape->step + tap * shape->tap + k;
                    const int16x8_t products = vmull_s8(vld1_s8(value), vld1_s8(factor + 8 * (i % 4)));
                    parts[i / 4][i % 4] = vpadalq_s16(parts[i / 4][i % 4], products);
                }
                factor += 32;
            }
        }
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][v] = vaddq_s32(dwk_four_sums(parts[p]), dwk_sums_at(weights + 4 * v));
        }
    }
}

#define DWK_PANEL_WORDS (DWK_VECTORS * (8 + 8 * shape->taps * ((shape->depth + 7) / 8)))
#include "dwk_direct_arm.h"
