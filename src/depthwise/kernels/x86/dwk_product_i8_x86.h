/* dwk_product_i8_x86.h: sums of products of bytes, to bytes: pointwise, stem and standard 3x3 convolutions.
 *
 * dwk_product_i8_p<P>[r<R>]_c<V>x<L>[n<N>]__<set>: tiles of P pixels by V vectors of L channels; in each row of
 * outputs the last tile has R pixels, where P does not divide the row. Panels have N channels where that is not all
 * of V x L; such a panel is the last.
 *
 * Form: DWK_SET, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_SOME (N, or 0 for all).
 *
 * Weights, in the order in which they are read: for each panel V x L sums to begin with (the bias) and V x L
 * multipliers; then for each kernel row and each quad of values its V x L quads of factors, where factors after the
 * last value of the row are 0. Channels as in dwk_x86.h. */
#define DWK_KERNEL dwk_product_i8_p
#include "dwk_panel_x86.h"
#include "dwk_store_i8_x86.h"

/* Words of a cache line. */
#define DWK_LINE 16

/* ends: what the channels begin and end with. ahead: what the next panel will read, of which each tile asks for a cache
 * line at every step. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const uint32_t *ends, const uint32_t *ahead,
                                 const dwk_rounding *to, uint8_t *restrict output)
{
    DWK_X(sums) sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][v] = DWK_X(sums_at)(ends + v * DWK_L);
        }
    }
    const int8_t *factor = (const int8_t *)(weights + 2 * DWK_VECTORS * DWK_L);
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const uint8_t *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k += 4) {
            __builtin_prefetch(ahead, 0, 2);
            ahead += DWK_LINE;
            DWK_X(factors) factors[DWK_VECTORS];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                factors[v] = DWK_X(factors_at)(factor + v * DWK_F);
            }
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                DWK_X(quads) quads = DWK_X(spread)(value + p * shape->step + k);
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    DWK_X(dot)(&sum[p][v], quads, factors[v]);
                }
            }
            factor += DWK_VECTORS * DWK_F;
        }
    }
    DWK_STORE(shape, pixels, sum, ends + DWK_VECTORS * DWK_L, to, output);
}

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t steps = shape->taps * ((shape->depth + 3) / 4);
    const int32_t lines = steps * DWK_LINE;
    const int32_t size = DWK_VECTORS * (2 * DWK_L + steps * (DWK_F / 4));
    for (int32_t panel = 0; panel < panels; panel++) {
        const uint32_t *ends = weights;
        int32_t tile = 0;
#if DWK_JOIN(DWK_FUSES_, DWK_SET, )
        uint32_t room[3 * DWK_VECTORS * DWK_L];
        if (to->fused) {
            DWK_X(fused_ends)(weights, DWK_VECTORS * DWK_L, room);
            ends = room;
        }
#endif
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * shape->row;
            uint8_t *target = output + y * shape->output_row + panel * DWK_N;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                const uint32_t *ahead = weights + size + tile++ % DWK_VECTORS * lines;
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, ends, ahead, to, target);
                from += DWK_PIXELS * shape->step;
                target += DWK_PIXELS * shape->output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, ends, weights + size, to, target);
#endif
        }
        weights += size;
    }
}

#undef DWK_LINE
#undef DWK_STORE
#include "dwk_panel_x86.h"
