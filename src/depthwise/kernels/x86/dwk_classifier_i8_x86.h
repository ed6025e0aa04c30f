/* dwk_classifier_i8_x86.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * dwk_classifier_i8_<logits>_c<V>x<L>__<set>: V vectors of L labels at a time, in registers. Logits that are `products`
 * stay as R2 gives them; those that are `bytes` are rounded, and multiplied by what a step of the byte is worth.
 *
 * Form: DWK_SET, DWK_LOGITS (products or bytes), DWK_VECTORS (V).
 *
 * Weights: for each panel of V x L labels the biases (s32), the multipliers (f32), the scales (f32), then for each quad
 * of features its V x L quads of factors, which are 0 after the last feature. Labels lie in their order. */
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_F DWK_JOIN(DWK_FACTORS_, DWK_SET, )
#define DWK_PANEL (DWK_VECTORS * DWK_L)
#define DWK_I DWK_JOIN(dwk_i, DWK_L, )
#define DWK_V DWK_JOIN(dwk_v, DWK_L, )
#define DWK_END DWK_JOIN(dwk_logits_, DWK_LOGITS, DWK_JOIN(_v, DWK_L, ))
#define DWK_NAME                                                                                                       \
    DWK_JOIN(dwk_classifier_i8_, DWK_LOGITS, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_L, DWK_JOIN(__, DWK_SET, ))))

/* features: up to 3 bytes behind them are read. output: panels x V x L logits; those after the last label are of
 * weight 0. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict features, int32_t count, int32_t panels,
                           const uint32_t *restrict weights, const dwk_rounding *to, dwk_float *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        DWK_X(sums) sum[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[v] = DWK_X(sums_at)(weights + v * DWK_L);
        }
        const int8_t *factors = (const int8_t *)(weights + 3 * DWK_PANEL);
        for (int32_t k = 0; k < count; k += 4) {
            DWK_X(quads) quads = DWK_X(spread)(features + k);
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                DWK_X(dot_at)(&sum[v], quads, factors + v * DWK_F);
            }
            factors += DWK_VECTORS * DWK_F;
        }
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            const uint32_t *multiplier = weights + DWK_PANEL + v * DWK_L;
            DWK_I plain = (DWK_I)sum[v];
            DWK_END(to, multiplier, multiplier + DWK_PANEL, &plain, (DWK_V *)(output + v * DWK_L));
        }
        weights += 3 * DWK_PANEL + (count + 3) / 4 * (DWK_VECTORS * DWK_F / 4);
        output += DWK_PANEL;
    }
}

#undef DWK_NAME
#undef DWK_END
#undef DWK_V
#undef DWK_I
#undef DWK_PANEL
#undef DWK_F
#undef DWK_L
#undef DWK_LOGITS
#undef DWK_VECTORS
#undef DWK_SET
