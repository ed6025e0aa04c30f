/* dwk_product_i8_riscv.h: sums of bytes times signed bytes, rounded to bytes: pointwise, stem and standard
 * convolutions.
 *
 * dwk_product_i8_p<P>_c<V>x<L>__<set>: tiles of P pixels by V vectors of L channels, whose sums stay in registers. Each
 * value of a pixel is multiplied with a whole group of factors. dwk_tiles_riscv.h says how tiles follow each other.
 *
 * Form: DWK_SET, DWK_PIXELS (P), DWK_VECTORS (V).
 *
 * Weights, in the order in which they are read: for each panel of V x L channels the biases (s32), the multipliers
 * (f32), then for each value under the kernel its V x L factors (s8). */
#include "dwk_panel_riscv.h"
#include "dwk_riscv.h"
#include "dwk_tiles_riscv.h"

#define DWK_EACH DWK_JOIN(DWK_EACH_, DWK_PIXELS, )
#define DWK_NAME DWK_JOIN(dwk_product_i8_p, DWK_PIXELS, DWK_JOIN(_c, DWK_SIZE, ))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

/* Steps of pixel p of a tile. */
#define DWK_BIAS(p) DWK_G(sums) sums##p = DWK_G(sums_at)(weights, n);
#define DWK_MULTIPLY(p)                                                                                                \
    if (p < pixels) {                                                                                                  \
        sums##p = DWK_G(add_product)(sums##p, value[p * shape->step + k], factors, n);                                 \
    }
#define DWK_ROUND(p) const DWK_G(rounds) rounds##p = DWK_G(rounded)(to, sums##p, multiplier, n);
#define DWK_STORE(p)                                                                                                   \
    if (p < pixels) {                                                                                                  \
        DWK_G(store)(output + places.of[p], rounds##p, n);                                                             \
    }

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, dwk_places places,
                                 uint8_t *restrict output)
{
    const size_t n = DWK_PANEL;
    DWK_EACH(DWK_BIAS)
    const int8_t *factor = (const int8_t *)(weights + 2 * DWK_PANEL);
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const uint8_t *value = input + tap * shape->tap;
        DWK_UNROLL_FOUR
        for (int32_t k = 0; k < shape->depth; k++) {
            const DWK_G(halves) factors = DWK_G(factors_at)(factor, n);
            DWK_EACH(DWK_MULTIPLY)
            factor += DWK_PANEL;
            DWK_IN_ORDER;
        }
    }
    const DWK_G(floats) multiplier = DWK_G(floats_at)(weights + DWK_PANEL, n);
    DWK_EACH(DWK_ROUND)
    DWK_EACH(DWK_STORE)
}

/* `rows` rows of outputs, in `panels` panels of V x L channels. Each panel of weights is used for all of the rows
 * before the next one is read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t together = dwk_rows_of_walk(shape, rows);
    const int pixels = together * shape->width < DWK_PIXELS ? 1 : DWK_PIXELS;
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y += together) {
            for (dwk_walk at = dwk_walk_from(shape, y, together); at.left > 0; dwk_walk_on(&at, shape, pixels)) {
                const dwk_places places = dwk_places_of(&at, shape, pixels);
                if (pixels == 1) {
                    DWK_NAME_OF_TILE(shape, 1, input + at.from, weights, to, places, output);
                } else {
                    DWK_NAME_OF_TILE(shape, DWK_PIXELS, input + at.from, weights, to, places, output);
                }
            }
        }
        weights += (8 + shape->taps * shape->depth) * DWK_PANEL / 4;
        output += DWK_PANEL;
    }
}

#undef DWK_STORE
#undef DWK_ROUND
#undef DWK_MULTIPLY
#undef DWK_BIAS
#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_EACH
#undef DWK_PIXELS
#include "dwk_panel_riscv.h"
