/* dwk_product_bf16.h: sums of products of bfloat16 with a bias, within bounds: pointwise, stem and standard
 * convolutions. Sums are of float32 and rounded once.
 *
 * dwk_product_bf16_p<P>[r<R>]_c<V>x<L>: tiles of P pixels by V vectors of L channels; in each row of outputs the last
 * tile has R pixels, where P does not divide the row. All sums of a tile stay in registers.
 *
 * Form: DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_LANES (L).
 *
 * Weights, in the order in which they are read: for each panel of V x L channels the bias (float32), the lower and the
 * upper bounds (bfloat16; -0 or less, and 0 or more), then for each kernel row and each pair of values in it V x L
 * words of two factors, of the first value in the lower half. Where a row has an odd number of values, the last factor
 * is 0 and the value behind the row is read; it must be a number. */
#include "dwk_shapes.h"
#include "dwk_vector_bf16.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_CLAMP DWK_JOIN(dwk_clamp_v, DWK_LANES, )
#define DWK_WIDENED DWK_JOIN(dwk_widened_v, DWK_LANES, )
#define DWK_SPREAD DWK_JOIN(dwk_spread_v, DWK_LANES, )
#define DWK_PAIRS DWK_JOIN(dwk_pairs_v, DWK_LANES, )
#define DWK_ROUNDED DWK_JOIN(dwk_rounded_v, DWK_LANES, )
#define DWK_PANEL (DWK_VECTORS * DWK_LANES)
#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_JOIN(DWK_VECTORS, x, DWK_LANES)))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_JOIN(DWK_VECTORS, x, DWK_LANES))
#endif
#define DWK_NAME DWK_JOIN(dwk_product_bf16_p, DWK_TILE, )
#define DWK_NAME_OF_TILE DWK_JOIN(dwk_tile_bf16_p, DWK_TILE, )

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_bf16 *restrict input,
                                 const uint32_t *restrict weights, dwk_bf16 *restrict output)
{
    DWK_V sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = *(const DWK_V *)(weights + v * DWK_LANES);
        }
    }
    const dwk_bf16 *low = (const dwk_bf16 *)(weights + DWK_PANEL), *high = low + DWK_PANEL;
    weights += 2 * DWK_PANEL;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_bf16 *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k += 2) {
            DWK_V first[DWK_VECTORS], second[DWK_VECTORS];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                DWK_PAIRS(weights + v * DWK_LANES, &first[v], &second[v]);
            }
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                DWK_V one, other;
                DWK_SPREAD(value + p * shape->step + k, &one, &other);
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    sum[p][v] += one * first[v];
                    sum[p][v] += other * second[v];
                }
            }
            weights += DWK_PANEL;
        }
    }
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        DWK_V least, most;
        DWK_WIDENED(low + v * DWK_LANES, &least);
        DWK_WIDENED(high + v * DWK_LANES, &most);
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            DWK_CLAMP(&sum[p][v], &least, &most);
            DWK_ROUNDED(&sum[p][v], output + p * shape->output_step + v * DWK_LANES);
        }
    }
}

/* `rows` rows of outputs, in `panels` panels of V x L channels. Each panel of weights is used for all of the rows
 * before the next one is read. */
DWK_FUNCTION void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_bf16 *restrict input,
                           const uint32_t *restrict weights, dwk_bf16 *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const dwk_bf16 *from = input + y * shape->row;
            dwk_bf16 *to = output + y * shape->output_row + panel * DWK_PANEL;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, to);
                from += DWK_PIXELS * shape->step;
                to += DWK_PIXELS * shape->output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, to);
#endif
        }
        weights += (2 + shape->taps * ((shape->depth + 1) / 2)) * DWK_PANEL;
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_PANEL
#undef DWK_ROUNDED
#undef DWK_PAIRS
#undef DWK_SPREAD
#undef DWK_WIDENED
#undef DWK_CLAMP
#undef DWK_V
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
