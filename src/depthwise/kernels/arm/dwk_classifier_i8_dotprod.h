/* dwk_classifier_i8_dotprod.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * dwk_classifier_i8_<logits>_c<V>x4__dotprod: V vectors of four labels at a time, in registers.
 *
 * Form: DWK_LOGITS (products or bytes), DWK_VECTORS (V).
 *
 * Weights: for each panel of 4 V labels the biases (s32), the multipliers (f32), the scales (f32), then for each four
 * features the four factors (s8) of each label. */
#include "dwk_arm.h"

#define DWK_PANEL (4 * DWK_VECTORS)
#define DWK_END DWK_JOIN(dwk_logits_, DWK_LOGITS, _v4)
#define DWK_NAME DWK_JOIN(dwk_classifier_i8_, DWK_LOGITS, DWK_JOIN(_c, DWK_VECTORS, x4__dotprod))

/* The products of four features, in lane `quad`. */
#define DWK_QUAD(quad)                                                                                                 \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        sum[v] = vdotq_lane_s32(sum[v], vld1q_s8(factor + 16 * v), eight, quad);                                       \
    }                                                                                                                  \
    factor += 16 * DWK_VECTORS;

/* count: features, by eights. output: panels x V x 4 logits; those after the last label are of weight 0. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict features, int32_t count, int32_t panels,
                           const uint32_t *restrict weights, const dwk_rounding *to, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        int32x4_t sum[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[v] = dwk_sums_at(weights + 4 * v);
        }
        const int8_t *factor = (const int8_t *)(weights + 3 * DWK_PANEL);
        DWK_TWICE
        for (int32_t k = 0; k < count; k += 8) {
            const int8x8_t eight = vld1_s8((const int8_t *)features + k);
            DWK_QUAD(0)
            DWK_QUAD(1)
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            const uint32_t *multiplier = weights + DWK_PANEL + 4 * v;
            dwk_i4 whole = (dwk_i4)sum[v];
            DWK_END(to, multiplier, multiplier + DWK_PANEL, &whole, (dwk_v4 *)(output + 4 * v));
        }
        weights += (12 + count) * DWK_PANEL / 4;
        output += DWK_PANEL;
    }
}

#undef DWK_QUAD
#undef DWK_NAME
#undef DWK_END
#undef DWK_PANEL
#undef DWK_VECTORS
#undef DWK_LOGITS
