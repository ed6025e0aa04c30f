/* dwk_product_f32.h: sums of products with a bias, then the activation: pointwise, stem and standard convolutions.
 *
 * dwk_product_f32_<activation>_p<P>[r<R>][k<B>]_c<V>x<L>: tiles of P pixels by V vectors of L channels; in each row of
 * outputs the last tile has R pixels, where P does not divide the row. All sums of a tile stay in registers. With B, as
 * many bytes of each pixel, of which the depth must be a multiple, are multiplied at a time.
 *
 * Form: DWK_ACTIVATION, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_LANES (L), DWK_BYTES (B, or not
 * there).
 *
 * Weights, in the order in which they are read: for each panel of V x L channels the bias, then for each value under
 * the kernel its V x L factors. */
#include "dwk_rows.h"
#include "dwk_shapes.h"

/* Floats of a cache line. */
#define DWK_LINE 16
#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, DWK_JOIN(_v, DWK_LANES, ))
#ifdef DWK_BYTES
_Static_assert(DWK_PIXELS <= DWK_MOST_PIXELS, "addresses of pixels");
#define DWK_PANEL_NAME DWK_JOIN(k, DWK_BYTES, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, )))
#else
#define DWK_PANEL_NAME DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, ))
#endif
#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, DWK_PANEL_NAME, ))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, DWK_PANEL_NAME, )
#endif
#define DWK_NAME DWK_JOIN(dwk_product_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_TILE, ))
#define DWK_NAME_OF_TILE DWK_JOIN(dwk_tile_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_TILE, ))

/* ahead: what will be read later, of which each tile asks for a cache line at every step. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_float *restrict input,
                                 const dwk_float *restrict weights, const dwk_float *ahead, dwk_float *restrict output)
{
    DWK_V sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = *(const DWK_V *)(weights + v * DWK_LANES);
        }
    }
    weights += DWK_VECTORS * DWK_LANES;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_float *value = input + tap * shape->tap;
#ifdef DWK_BYTES
        dwk_rows rows;
        dwk_rows_begin(&rows, value, shape->step);
        for (int32_t k = 0; k < shape->depth; k += DWK_BYTES / 4) {
            dwk_rows_keep(&rows, pixels);
            DWK_UNROLL
            for (int i = 0; i < DWK_BYTES / 4; i++) {
                __builtin_prefetch(ahead, 0, 2);
                ahead += DWK_LINE;
                DWK_UNROLL
                for (int p = 0; p < pixels; p++) {
                    DWK_UNROLL
                    for (int v = 0; v < DWK_VECTORS; v++) {
                        sum[p][v] += dwk_rows_value(&rows, p, i) * *(const DWK_V *)(weights + v * DWK_LANES);
                    }
                }
                weights += DWK_VECTORS * DWK_LANES;
            }
            dwk_rows_advance(&rows, DWK_BYTES);
        }
#else
        for (int32_t k = 0; k < shape->depth; k++) {
            __builtin_prefetch(ahead, 0, 2);
            ahead += DWK_LINE;
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    sum[p][v] += value[p * shape->step + k] * *(const DWK_V *)(weights + v * DWK_LANES);
                    DWK_IN_REGISTER(sum[p][v]);
                }
            }
            weights += DWK_VECTORS * DWK_LANES;
        }
#endif
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            DWK_ACTIVATE(&sum[p][v]);
            *(DWK_V *)(output + p * shape->output_step + v * DWK_LANES) = sum[p][v];
        }
    }
}

/* `rows` rows of outputs, in `panels` panels of V x L channels. Each panel of weights is used for all of the rows
 * before the next one is read. */
DWK_FUNCTION void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_float *restrict input,
                           const dwk_float *restrict weights, dwk_float *restrict output)
{
    const int32_t lines = shape->taps * shape->depth * DWK_LINE;
    const int32_t size = (1 + shape->taps * shape->depth) * (DWK_VECTORS * DWK_LANES);
    /* Tiles that the next panel leaves ask for what lies behind the last one: as much again, of the layers to come. */
    const dwk_float *behind = weights + panels * size;
    const dwk_float *const far = behind + panels * size;
    for (int32_t panel = 0; panel < panels; panel++) {
        int32_t tile = 0;
        for (int32_t y = 0; y < rows; y++) {
            const dwk_float *from = input + y * shape->row;
            dwk_float *to = output + y * shape->output_row + panel * (DWK_VECTORS * DWK_LANES);
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                const dwk_float *ahead = weights + size + tile % DWK_VECTORS * lines;
                if (tile++ >= DWK_VECTORS && behind < far) {
                    ahead = behind;
                    behind += lines;
                }
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
#undef DWK_TILE
#undef DWK_PANEL_NAME
#undef DWK_ACTIVATE
#undef DWK_V
#undef DWK_LINE
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_BYTES
#undef DWK_ACTIVATION
