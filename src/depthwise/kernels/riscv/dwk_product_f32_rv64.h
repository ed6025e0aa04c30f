/* dwk_product_f32_rv64.h: sums of products with a bias, then the activation: pointwise, stem and standard convolutions.
 *
 * dwk_product_f32_<activation>_p<P>_c1x8__rv64: tiles of P pixels by 8 channels; all sums stay in registers.
 * dwk_tiles_riscv.h says how tiles follow each other.
 *
 * Form: DWK_ACTIVATION, DWK_PIXELS (P).
 *
 * Weights, in the order in which they are read: for each 8 channels the bias, then for each value under the kernel
 * their factors. */
#include "dwk_rv64.h"

#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _rv64)
#define DWK_NAME DWK_JOIN(dwk_product_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_PIXELS, _c1x8__rv64))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const dwk_float *restrict input,
                                 const dwk_float *restrict weights, dwk_places places, dwk_float *restrict output)
{
    float sums[DWK_PIXELS][8];
    DWK_UNROLL_ALL
    for (int i = 0; i < 8; i++) {
        DWK_UNROLL_ALL
        for (int p = 0; p < pixels; p++) {
            sums[p][i] = weights[i];
        }
    }
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const dwk_float *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k++) {
            weights += 8;
            DWK_UNROLL_ALL
            for (int i = 0; i < 8; i++) {
                DWK_UNROLL_ALL
                for (int p = 0; p < pixels; p++) {
                    sums[p][i] = __builtin_fmaf(value[p * shape->step + k], weights[i], sums[p][i]);
                }
            }
        }
    }
    DWK_UNROLL_ALL
    for (int i = 0; i < 8; i++) {
        DWK_UNROLL_ALL
        for (int p = 0; p < pixels; p++) {
            output[places.of[p] + i] = DWK_ACTIVATE(sums[p][i]);
        }
    }
}

/* `rows` rows of outputs, in `panels` panels of 8 channels. Each panel of weights is used for all of the rows before
 * the next one is read. */
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
        weights += 8 + shape->taps * shape->depth * 8;
        output += 8;
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_PIXELS
#undef DWK_ACTIVATION
