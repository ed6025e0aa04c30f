/* dwk_stem_i8_x86.h: sums of products of 3x3 pixels of three bytes, to bytes: the first convolution.
 *
 * dwk_stem_i8_p<P>[r<R>]_c<V>x<L>[n<N>]__<set>: tiles and panels as in dwk_product_i8_x86.h. The nine bytes of a kernel
 * row would take three quads, the last of them for one byte; here the ninth bytes of the three rows make one quad, so
 * that an output takes seven dot products and not nine.
 *
 * Form: DWK_SET, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_SOME (N, or 0 for all).
 *
 * Weights, in the order in which they are read: for each panel V x L sums to begin with (the bias) and V x L
 * multipliers; then for each kernel row two quads of factors a channel, and one for the ninth values of all rows and 0.
 * Channels as in dwk_x86.h. */
#define DWK_KERNEL dwk_stem_i8_p
#include "dwk_panel_x86.h"
#include "dwk_store_i8_x86.h"

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    DWK_X(sums) sum[DWK_PIXELS][DWK_VECTORS];
    uint32_t ninth[DWK_PIXELS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        const uint8_t *value = input + p * shape->step + 8;
        ninth[p] = value[0] | (uint32_t)value[shape->tap] << 8 | (uint32_t)value[2 * shape->tap] << 16;
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = DWK_X(sums_at)(weights + v * DWK_L);
        }
    }
    const int8_t *factor = (const int8_t *)(weights + 2 * DWK_VECTORS * DWK_L);
    DWK_UNROLL
    for (int quad = 0; quad < 7; quad++) {
        DWK_X(factors) factors[DWK_VECTORS];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            factors[v] = DWK_X(factors_at)(factor + v * DWK_F);
        }
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            const uint8_t *value = input + p * shape->step + quad / 2 * shape->tap + quad % 2 * 4;
            DWK_X(quads) quads = DWK_X(spread)(quad < 6 ? value : (const uint8_t *)&ninth[p]);
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                DWK_X(dot)(&sum[p][v], quads, factors[v]);
            }
        }
        factor += DWK_VECTORS * DWK_F;
    }
    DWK_STORE(shape, pixels, sum, weights + DWK_VECTORS * DWK_L, to, output);
}

/* `rows` rows of outputs, in `panels` panels. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * shape->row;
            uint8_t *target = output + y * shape->output_row + panel * DWK_N;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, to, target);
                from += DWK_PIXELS * shape->step;
                target += DWK_PIXELS * shape->output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, to, target);
#endif
        }
        weights += DWK_VECTORS * (2 * DWK_L + 7 * (DWK_F / 4));
    }
}

#undef DWK_STORE
#include "dwk_panel_x86.h"
