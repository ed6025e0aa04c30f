/* dwk_classifier_i8_riscv.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * dwk_classifier_i8_<logits>_c<V>x<L>__<set>: V vectors of L labels at a time. Logits that are `products` stay as R2
 * gives them; those that are `bytes` are rounded, and multiplied by what a step of the byte is worth.
 *
 * Form: DWK_SET, DWK_LOGITS (products or bytes), DWK_VECTORS (V).
 *
 * Weights: for each panel of V x L labels the biases (s32), the multipliers (f32), the scales (f32), then for each
 * feature its V x L factors (s8). */
#include "dwk_panel_riscv.h"
#include "dwk_riscv.h"
#include "dwk_tiles_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_classifier_i8_, DWK_LOGITS, DWK_JOIN(_c, DWK_SIZE, ))
#define DWK_END DWK_G(DWK_JOIN(logits_, DWK_LOGITS, ))

/* output: panels x V x L logits; those after the last label are of weight 0. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict features, int32_t count, int32_t panels,
                         const uint32_t *restrict weights, const dwk_rounding *to, dwk_float *restrict output)
{
    const size_t n = DWK_PANEL;
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_G(sums) sums = DWK_G(sums_at)(weights, n);
        const int8_t *factor = (const int8_t *)(weights + 3 * DWK_PANEL);
        DWK_UNROLL_FOUR
        for (int32_t k = 0; k < count; k++) {
            sums = DWK_G(add_product)(sums, features[k], DWK_G(factors_at)(factor, n), n);
            factor += DWK_PANEL;
        }
        DWK_G(floats_to)(output, DWK_END(to, sums, weights + DWK_PANEL, n), n);
        weights += (12 + count) * DWK_PANEL / 4;
        output += DWK_PANEL;
    }
}

#undef DWK_END
#undef DWK_NAME
#undef DWK_LOGITS
#include "dwk_panel_riscv.h"
