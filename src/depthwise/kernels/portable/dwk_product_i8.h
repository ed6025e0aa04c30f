/* dwk_product_i8.h: sums of bytes times signed bytes, rounded to bytes: pointwise, stem and standard convolutions.
 *
 * dwk_product_i8_p<P>[r<R>]_c<V>x<L>: tiles of P pixels by V vectors of L channels; in each row of outputs the last
 * tile has R pixels, where P does not divide the row. All sums of a tile stay in registers.
 *
 * Form: DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_LANES (L).
 *
 * Weights, in the order in which they are read: for each panel of V x L channels the biases (s32), the multipliers
 * (f32), then for each value under the kernel its V x L factors (s8). */
#include "dwk_shapes.h"
#include "dwk_vector_i8.h"

#define DWK_I DWK_JOIN(dwk_i, DWK_LANES, )
#define DWK_NEAR_I DWK_JOIN(dwk_near_i, DWK_LANES, )
#define DWK_S DWK_JOIN(DWK_WIDE_S, DWK_LANES, )
#define DWK_TIMES DWK_JOIN(DWK_TIMES_, DWK_LANES, )
#define DWK_STORE DWK_JOIN(dwk_store_v, DWK_LANES, )
#define DWK_PANEL (DWK_VECTORS * DWK_LANES)
#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_JOIN(DWK_VECTORS, x, DWK_LANES)))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_JOIN(DWK_VECTORS, x, DWK_LANES))
#endif
#define DWK_NAME DWK_JOIN(dwk_product_i8_p, DWK_TILE, )
#define DWK_NAME_OF_TILE DWK_JOIN(dwk_tile_i8_p, DWK_TILE, )

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    DWK_I sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = *(const DWK_NEAR_I *)(weights + v * DWK_LANES);
        }
    }
    const int8_t *factors = (const int8_t *)(weights + 2 * DWK_PANEL);
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const uint8_t *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k++) {
            DWK_I factor[DWK_VECTORS];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                factor[v] = DWK_S(factors + v * DWK_LANES);
            }
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                const DWK_I spread = value[p * shape->step + k] - (DWK_I){0};
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    sum[p][v] += DWK_TIMES(spread, factor[v]);
                    DWK_IN_REGISTER(sum[p][v]);
                }
            }
            factors += DWK_PANEL;
        }
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            DWK_STORE(to, weights + DWK_PANEL + v * DWK_LANES, &sum[p][v],
                      output + p * shape->output_step + v * DWK_LANES);
        }
    }
}

/* `rows` rows of outputs, in `panels` panels of V x L channels. Each panel of weights is used for all of the rows
 * before the next one is read. */
DWK_FUNCTION void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                           const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * shape->row;
            uint8_t *target = output + y * shape->output_row + panel * DWK_PANEL;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, to, target);
                from += DWK_PIXELS * shape->step;
                target += DWK_PIXELS * shape->output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, to, target);
#endif
        }
        weights += (8 + shape->taps * shape->depth) * DWK_PANEL / 4;
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_PANEL
#undef DWK_STORE
#undef DWK_TIMES
#undef DWK_S
#undef DWK_NEAR_I
#undef DWK_I
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
