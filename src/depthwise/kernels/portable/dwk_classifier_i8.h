/* dwk_classifier_i8.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * dwk_classifier_i8_<logits>_c<V>x<L>: V vectors of L labels at a time, in registers. Logits that are `products` stay
 * as R2 gives them; those that are `bytes` are rounded, and multiplied by what a step of the byte is worth.
 *
 * Form: DWK_LOGITS (products or bytes), DWK_VECTORS (V), DWK_LANES (L).
 *
 * Weights: for each panel of V x L labels the biases (s32), the multipliers (f32), the scales (f32), then for each
 * feature its V x L factors (s8). */
#include "dwk_vector_i8.h"

#define DWK_I DWK_JOIN(dwk_i, DWK_LANES, )
#define DWK_NEAR_I DWK_JOIN(dwk_near_i, DWK_LANES, )
#define DWK_S DWK_JOIN(DWK_WIDE_S, DWK_LANES, )
#define DWK_TIMES DWK_JOIN(DWK_TIMES_, DWK_LANES, )
#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_PANEL (DWK_VECTORS * DWK_LANES)
#define DWK_END DWK_JOIN(dwk_logits_, DWK_LOGITS, DWK_JOIN(_v, DWK_LANES, ))
#define DWK_NAME DWK_JOIN(dwk_classifier_i8_, DWK_LOGITS, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, )))

/* output: panels x V x L logits; those after the last label are of weight 0. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict features, int32_t count, int32_t panels,
                           const uint32_t *restrict weights, const dwk_rounding *to, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_I sum[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[v] = *(const DWK_NEAR_I *)(weights + v * DWK_LANES);
        }
        const int8_t *factors = (const int8_t *)(weights + 3 * DWK_PANEL);
        for (int32_t k = 0; k < count; k++) {
            const DWK_I spread = features[k] - (DWK_I){0};
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                sum[v] += DWK_TIMES(spread, DWK_S(factors + v * DWK_LANES));
            }
            factors += DWK_PANEL;
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            const uint32_t *multiplier = weights + DWK_PANEL + v * DWK_LANES;
            DWK_END(to, multiplier, multiplier + DWK_PANEL, &sum[v], (DWK_V *)(output + v * DWK_LANES));
        }
        weights += (12 + count) * DWK_PANEL / 4;
        output += DWK_PANEL;
    }
}

#undef DWK_NAME
#undef DWK_END
#undef DWK_PANEL
#undef DWK_V
#undef DWK_TIMES
#undef DWK_S
#undef DWK_NEAR_I
#undef DWK_I
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_LOGITS
