/* dwk_product_f32_riscv.h: sums of products with a bias, then the activation: pointwise, stem and standard
 * convolutions.
 *
 * dwk_product_f32_<activation>_p<P>_c<V>x<L>__<set>: tiles of P pixels by V vectors of L channels, whose sums stay in
 * registers. Each value of a pixel is multiplied with a whole group of factors. dwk_tiles_riscv.h says how tiles follow
 * each other.
 *
 * Form: DWK_SET, DWK_ACTIVATION, DWK_PIXELS (P), DWK_VECTORS (V).
 *
 * Weights, in the order in which they are read: for each panel of V x L channels the bias, then for each value under
 * the kernel its V x L factors. */
#include "dwk_panel_riscv.h"
#include "dwk_riscv.h"
#include "dwk_tiles_riscv.h"

#define DWK_EACH DWK_JOIN(DWK_EACH_, DWK_PIXELS, )
#define DWK_ACTIVATE DWK_G(DWK_ACTIVATION)
#define DWK_NAME DWK_JOIN(dwk_product_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_PIXELS, DWK_JOIN(_c, DWK_SIZE, )))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

/* Steps of pixel p of a tile. */
#define DWK_BIAS(p) DWK_G(floats) sums##p = DWK_G(floats_at)(weights, n);
#define DWK_MULTIPLY(p)                                                                                                \
    if (p < pixels) {                                                                                                  \
        sums##p = DWK_G(add_scaled)(sums##p, value[p * shape->step + k], factors, n);                                  \
    }
#define DWK_STORE(p)                                                                                                   \
    if (p < pixels) {                                                                                                  \
        DWK_G(floats_to)(output + places.of[p], DWK_ACTIVATE(sums##p, n), n);                                          \
    }

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_float *restrict input,
                                 const dwk_float *restrict weights, dwk_places places, dwk_float *restrict output)
{
    const size_t n = DWK_PANEL;
    DWK_EACH(DWK_BIAS)
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_float *value = input + tap * shape->tap;
        DWK_UNROLL_FOUR
        for (int32_t k = 0; k < shape->depth; k++) {
            weights += DWK_PANEL;
            const DWK_G(floats) factors = DWK_G(floats_at)(weights, n);
            DWK_EACH(DWK_MULTIPLY)
            DWK_IN_ORDER;
        }
    }
    DWK_EACH(DWK_STORE)
}

/* `rows` rows of outputs, in `panels` panels of V x L channels. Each panel of weights is used for all of the rows
 * before the next one is read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_float *restrict input,
                         const dwk_float *restrict weights, dwk_float *restrict output)
{
    const int32_t together = dwk_rows_of_walk(shape, rows);
    const int pixels = together * shape->width < DWK_PIXELS ? 1 : DWK_PIXELS;
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y += together) {
            for (dwk_walk at = dwk_walk_from(shape, y, together); at.left > 0; dwk_walk_on(&at, shape, pixels)) {
                const dwk_places places = dwk_places_of(&at, shape, pixels);
                if (pixels == 1) {
                    DWK_NAME_OF_TILE(shape, 1, input + at.from, weights, places, output);
                } else {
                    DWK_NAME_OF_TILE(shape, DWK_PIXELS, input + at.from, weights, places, output);
                }
            }
        }
        weights += (1 + shape->taps * shape->depth) * DWK_PANEL;
        output += DWK_PANEL;
    }
}

#undef DWK_STORE
#undef DWK_MULTIPLY
#undef DWK_BIAS
#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_EACH
#undef DWK_PIXELS
#undef DWK_ACTIVATION
#include "dwk_panel_riscv.h"
