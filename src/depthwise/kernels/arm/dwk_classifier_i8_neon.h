/* dwk_classifier_i8_neon.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * dwk_classifier_i8_<logits>_c<V>x4__neon: panels of V times four labels, four of them in registers at a time.
 *
 * Form: DWK_LOGITS (products or bytes), DWK_VECTORS (V).
 *
 * Weights: for each panel of 4 V labels the biases (s32), the multipliers (f32), the scales (f32), then for each four
 * labels and each sixteen features (of the last ones there may be eight) the factors (s8) of one label after the other.
 */
#include "dwk_sums_neon.h"

#define DWK_PANEL (4 * DWK_VECTORS)
#define DWK_END DWK_JOIN(dwk_logits_, DWK_LOGITS, _v4)
#define DWK_NAME DWK_JOIN(dwk_classifier_i8_, DWK_LOGITS, DWK_JOIN(_c, DWK_VECTORS, x4__neon))

/* count: features, by eights. output: panels x V x 4 logits; those after the last label are of weight 0. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict features, int32_t count, int32_t panels,
                           const uint32_t *restrict weights, const dwk_rounding *to, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        const int8_t *factor = (const int8_t *)(weights + 3 * DWK_PANEL);
        for (int32_t label = 0; label < DWK_PANEL; label += 4) {
            const int8_t *value = (const int8_t *)features;
            int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
            DWK_TWICE
            for (int32_t k = 0; k < count / 16; k++) {
                DWK_UNROLL
                for (int i = 0; i < 4; i++) {
                    sum[i] = vpadalq_s16(sum[i], dwk_partners(vld1q_s8(value), vld1q_s8(factor + 16 * i)));
                }
                value += 16;
                factor += 64;
            }
            if (count % 16) {
                DWK_UNROLL
                for (int i = 0; i < 4; i++) {
                    sum[i] = vpadalq_s16(sum[i], vmull_s8(vld1_s8(value), vld1_s8(factor + 8 * i)));
                }
                factor += 32;
            }
            const uint32_t *words = weights + label;
            dwk_i4 whole = (dwk_i4)vaddq_s32(dwk_four_sums(sum), dwk_sums_at(words));
            DWK_END(to, words + DWK_PANEL, words + 2 * DWK_PANEL, &whole, (dwk_v4 *)(output + label));
        }
        weights += (12 + count) * DWK_PANEL / 4;
        output += DWK_PANEL;
    }
}

#undef DWK_NAME
#undef DWK_END
#undef DWK_PANEL
#undef DWK_VECTORS
#undef DWK_LOGITS
