/* dwk_product_bf16_x86.h: sums of products of bfloat16 with a bias, within bounds: pointwise, stem and standard
 * convolutions.
 *
 * dwk_product_bf16_p<P>[r<R>]_c<V>x<L>[n<N>]__<set>: tiles of P pixels by V vectors of L channels; in each row of
 * outputs the last tile has R pixels, where P does not divide the row. Panels have N channels where that is not all of
 * V x L; such a panel is the last.
 *
 * Form: DWK_SET, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_SOME (N, or 0 for all).
 *
 * Weights: as for dwk_product_bf16.h, those of channels that are not there 0. */
#define DWK_KERNEL dwk_product_bf16_p
#include "dwk_panel_x86.h"

/* Words of a cache line. */
#define DWK_LINE 16

/* ahead: what the next panel will read, of which each tile asks for a cache line at every step. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_bf16 *restrict input,
                                 const uint32_t *restrict weights, const uint32_t *ahead, dwk_bf16 *restrict output)
{
    DWK_X(sums) sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][v] = DWK_X(sums_at)(weights + v * DWK_L);
        }
    }
    const dwk_bf16 *low = (const dwk_bf16 *)(weights + DWK_VECTORS * DWK_L), *high = low + DWK_VECTORS * DWK_L;
    weights += 2 * DWK_VECTORS * DWK_L;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_bf16 *value = input + tap * shape->tap;
        DWK_FIVE_AT_A_TIME
        for (int32_t k = 0; k < shape->depth; k += 2) {
            __builtin_prefetch(ahead, 0, 2);
            ahead += DWK_LINE;
            DWK_X(pairs) factors[DWK_VECTORS];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                factors[v] = DWK_X(pairs_at)(weights + v * DWK_L);
            }
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                DWK_X(pairs) pairs = DWK_X(spread)(value + p * shape->step + k);
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    DWK_X(dot)(&sum[p][v], pairs, factors[v]);
                }
            }
            weights += DWK_VECTORS * DWK_L;
        }
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v += 2) {
            DWK_X(pairs) values = DWK_X(rounded)(sum[p][v], sum[p][v + 1 < DWK_VECTORS ? v + 1 : v]);
            values = DWK_X(clamped)(values, low + v * DWK_L, high + v * DWK_L);
            DWK_X(store)(output + p * shape->output_step + v * DWK_L, values, DWK_N - v * DWK_L);
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
    const int32_t size = (2 + steps) * (DWK_VECTORS * DWK_L);
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

#undef DWK_LINE
#include "dwk_panel_x86.h"
