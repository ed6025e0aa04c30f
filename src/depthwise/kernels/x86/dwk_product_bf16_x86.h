/* dwk_product_bf16_x86.h: sums of products of bfloat16 with a bias, then the activation: pointwise, stem and standard
 * convolutions.
 *
 * dwk_product_bf16_<activation>_p<P>[r<R>]_c<V>x16[n<N>]__avx512bf16: tiles of P pixels by V vectors of 16 channels; in
 * each row of outputs the last tile has R pixels, where P does not divide the row. Panels have N channels where that is
 * not all of V x 16; such a panel is the last.
 *
 * Form: DWK_SET, DWK_ACTIVATION, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_SOME (N, or 0 for all).
 *
 * Weights: as for dwk_product_bf16.h, with panels of V x 16 channels, those that are not there 0. */
/* Words of a cache line. */
#define DWK_LINE 16
#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_VECTORS))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_VECTORS)
#endif
#if DWK_SOME
#define DWK_PANEL DWK_JOIN(16n, DWK_SOME, )
#define DWK_N DWK_SOME
#else
#define DWK_PANEL 16
#define DWK_N (DWK_VECTORS * 16)
#endif
#define DWK_OF DWK_JOIN(DWK_ACTIVATION, _p, DWK_JOIN(DWK_TILE, x, DWK_JOIN(DWK_PANEL, __, DWK_SET)))
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _avx512bf16)
#define DWK_NAME DWK_JOIN(dwk_product_bf16_, DWK_OF, )
#define DWK_NAME_OF_TILE DWK_JOIN(dwk_tile_bf16_, DWK_OF, )

/* ahead: what the next panel will read, of which each tile asks for a cache line at every step. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_bf16 *restrict input,
                                 const uint32_t *restrict weights, const uint32_t *ahead, dwk_bf16 *restrict output)
{
    __m512 sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][v] = dwk_sums_at_avx512bf16(weights + v * 16);
        }
    }
    weights += DWK_VECTORS * 16;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_bf16 *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k += 2) {
            __builtin_prefetch(ahead, 0, 2);
            ahead += DWK_LINE;
            __m512i factors[DWK_VECTORS];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                factors[v] = dwk_pairs_at_avx512bf16(weights + v * 16);
            }
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                __m512i pairs = dwk_spread_avx512bf16(value + p * shape->step + k);
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    dwk_dot_avx512bf16(&sum[p][v], pairs, factors[v]);
                }
            }
            weights += DWK_VECTORS * 16;
        }
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v += 2) {
            __m512i values = dwk_rounded_avx512bf16(sum[p][v], sum[p][v + 1 < DWK_VECTORS ? v + 1 : v]);
            dwk_store_avx512bf16(output + p * shape->output_step + v * 16, DWK_ACTIVATE(values), DWK_N - v * 16);
        }
    }
}

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_bf16 *restrict input,
                         const uint32_t *restrict weights, dwk_bf16 *restrict output)
{
    const int32_t steps = shape->taps * ((shape->depth + 1) / 2);
    const int32_t lines = steps * DWK_LINE;
    const int32_t size = (1 + steps) * (DWK_VECTORS * 16);
    for (int32_t panel = 0; panel < panels; panel++) {
        int32_t tile = 0;
        for (int32_t y = 0; y < rows; y++) {
            const dwk_bf16 *from = input + y * shape->row;
            dwk_bf16 *to = output + y * shape->output_row + panel * DWK_N;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                const uint32_t *ahead = weights + size + tile++ % DWK_VECTORS * lines;
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, ahead, to);
                from += DWK_PIXELS * shape->step;
                to += DWK_PIXELS * shape->output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, weights + size, to);
#endif
        }
        weights += size;
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_OF
#undef DWK_N
#undef DWK_PANEL
#undef DWK_TILE
#undef DWK_LINE
#undef DWK_SOME
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_ACTIVATION
#undef DWK_SET
