/* dwk_classifier_f32_riscv.h: the sums of the last layer, one a label.
 *
 * dwk_classifier_f32_c<V>x<L>__<set>: V vectors of L labels at a time.
 *
 * Form: DWK_SET, DWK_VECTORS (V).
 *
 * Weights: for each panel of V x L labels the bias, then for each feature its V x L factors. */
#include "dwk_panel_riscv.h"
#include "dwk_riscv.h"
#include "dwk_tiles_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_classifier_f32_c, DWK_SIZE, )

/* output: panels x V x L sums; those after the last label are of weight 0. */
DWK_INLINE void DWK_NAME(const dwk_float *restrict features, int32_t count, int32_t panels,
                         const dwk_float *restrict weights, dwk_float *restrict output)
{
    const size_t n = DWK_PANEL;
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_G(floats) sums = DWK_G(floats_at)(weights, n);
        weights += DWK_PANEL;
        DWK_UNROLL_FOUR
        for (int32_t k = 0; k < count; k++) {
            sums = DWK_G(add_scaled)(sums, features[k], DWK_G(floats_at)(weights, n), n);
            weights += DWK_PANEL;
        }
        DWK_G(floats_to)(output, sums, n);
        output += DWK_PANEL;
    }
}

#undef DWK_NAME
#include "dwk_panel_riscv.h"
