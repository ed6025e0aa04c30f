/* dwk_product_i8_rv64.h: sums of bytes times signed bytes, rounded to bytes: pointwise, stem and standard convolutions.
 *
 * dwk_product_i8_p<P>_c1x4__rv64: tiles of P pixels, two to a register, by 4 channels; all sums stay in registers.
 * dwk_tiles_riscv.h says how tiles follow each other.
 *
 * Form: DWK_PIXELS (P, even).
 *
 * Weights, in the order in which they are read: for each 4 channels the biases (s32), the multipliers (f32), then for
 * each value under the kernel their factors (s8). */
#include "dwk_rv64.h"

#define DWK_NAME DWK_JOIN(dwk_product_i8_p, DWK_PIXELS, _c1x4__rv64)
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

/* A tile of one pixel has it twice. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, dwk_places places,
                                 uint8_t *restrict output)
{
    const int pairs = (pixels + 1) / 2;
    const int32_t step = shape->step, second = pixels > 1 ? step : 0;
    dwk_two sums[DWK_PIXELS / 2][4];
    DWK_UNROLL_ALL
    for (int i = 0; i < 4; i++) {
        DWK_UNROLL_ALL
        for (int p = 0; p < pairs; p++) {
            sums[p][i] = dwk_twice(weights[i]);
        }
    }
    const int8_t *factors = (const int8_t *)(weights + 8);
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        const uint8_t *value = input + tap * shape->tap;
        for (int32_t k = 0; k < shape->depth; k++) {
            dwk_two two[DWK_PIXELS / 2];
            DWK_UNROLL_ALL
            for (int p = 0; p < pairs; p++) {
                two[p] = dwk_two_of(value[2 * p * step + k], value[2 * p * step + second + k]);
            }
            DWK_UNROLL_ALL
            for (int i = 0; i < 4; i++) {
                DWK_UNROLL_ALL
                for (int p = 0; p < pairs; p++) {
                    sums[p][i] += two[p] * (dwk_two)(int64_t)factors[i];
                }
                DWK_IN_ORDER;
            }
            factors += 4;
        }
    }
    DWK_UNROLL_ALL
    for (int i = 0; i < 4; i++) {
        DWK_UNROLL_ALL
        for (int p = 0; p < pairs; p++) {
            output[places.of[2 * p] + i] = dwk_byte_of(to, dwk_lower(sums[p][i]), weights[4 + i]);
            if (pixels > 1) {
                output[places.of[2 * p + 1] + i] = dwk_byte_of(to, dwk_upper(sums[p][i]), weights[4 + i]);
            }
        }
    }
}

/* `rows` rows of outputs, in `panels` panels of 4 channels. Each panel of weights is used for all of the rows before
 * the next one is read. */
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
        weights += 8 + shape->taps * shape->depth;
        output += 4;
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_PIXELS
