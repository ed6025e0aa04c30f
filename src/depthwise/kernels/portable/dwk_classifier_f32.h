/* dwk_classifier_f32.h: the sums of the last layer, one a label.
 *
 * dwk_classifier_f32_c<V>x<L>: V vectors of L labels at a time, in registers.
 *
 * Form: DWK_VECTORS (V), DWK_LANES (L).
 *
 * Weights: for each panel of V x L labels the bias, then for each feature its V x L factors. */
#include "dwk_vector.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_classifier_f32_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, ))

/* output: panels x V x L sums; those after the last label are of weight 0. */
DWK_FUNCTION void DWK_NAME(const dwk_float *restrict features, int32_t count, int32_t panels,
                           const dwk_float *restrict weights, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_V sum[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[v] = *(const DWK_V *)(weights + v * DWK_LANES);
        }
        weights += DWK_VECTORS * DWK_LANES;
        for (int32_t k = 0; k < count; k++) {
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                sum[v] += features[k] * *(const DWK_V *)(weights + v * DWK_LANES);
            }
            weights += DWK_VECTORS * DWK_LANES;
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            *(DWK_V *)(output + v * DWK_LANES) = sum[v];
        }
        output += DWK_VECTORS * DWK_LANES;
    }
}

#undef DWK_NAME
#undef DWK_V
#undef DWK_LANES
#undef DWK_VECTORS
