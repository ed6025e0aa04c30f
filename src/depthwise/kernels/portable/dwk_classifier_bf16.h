/* dwk_classifier_bf16.h: the sums of the last layer, one a label, of float32 features and bfloat16 factors.
 *
 * dwk_classifier_bf16_c<V>x<L>: V vectors of L labels at a time, in registers. Factors are widened, so that nothing but
 * them is rounded: what limits this layer is to read them.
 *
 * Form: DWK_VECTORS (V), DWK_LANES (L).
 *
 * Weights: as for dwk_product_bf16.h without bounds, of features that are a multiple of 2. */
#include "dwk_vector_bf16.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_PAIRS DWK_JOIN(dwk_pairs_v, DWK_LANES, )
#define DWK_PANEL (DWK_VECTORS * DWK_LANES)
#define DWK_NAME DWK_JOIN(dwk_classifier_bf16_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, ))

/* output: panels x V x L sums; those after the last label are of weight 0. */
DWK_FUNCTION void DWK_NAME(const dwk_float *restrict features, int32_t count, int32_t panels,
                           const uint32_t *restrict weights, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_V sum[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[v] = *(const DWK_V *)(weights + v * DWK_LANES);
        }
        weights += DWK_PANEL;
        for (int32_t k = 0; k < count; k += 2) {
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                DWK_V first, second;
                DWK_PAIRS(weights + v * DWK_LANES, &first, &second);
                sum[v] += features[k] * first;
                sum[v] += features[k + 1] * second;
            }
            weights += DWK_PANEL;
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            *(DWK_V *)(output + v * DWK_LANES) = sum[v];
        }
        output += DWK_PANEL;
    }
}

#undef DWK_NAME
#undef DWK_PANEL
#undef DWK_PAIRS
#undef DWK_V
#undef DWK_LANES
#undef DWK_VECTORS
