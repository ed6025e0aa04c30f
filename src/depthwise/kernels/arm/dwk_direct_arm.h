/* dwk_direct_arm.h: what a convolution 3x3 over all channels does around the sums of its tile.
 *
 * A kernel includes this before itself, and once more behind itself, which makes the function. Needs DWK_KERNEL, the
 * beginning of the kernel's name, DWK_END, the instructions at its end, its form (DWK_WAY, DWK_PIXELS, DWK_VECTORS), a
 * function DWK_NAME_OF_SUMS that gives the sums of `pixels` pixels, and DWK_PANEL_WORDS, the words of a panel. */
#ifndef DWK_PANEL_WORDS
#include "dwk_sums_neon.h"

#define DWK_NAME                                                                                                       \
    DWK_JOIN(DWK_KERNEL, DWK_WAY, DWK_JOIN(_p, DWK_PIXELS, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x4__, DWK_END, ))))
#define DWK_NAME_OF_SUMS DWK_JOIN(DWK_NAME, _sums, )
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#else

DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int pixels, const int8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, int8_t *restrict output)
{
    int32x4_t sum[DWK_PIXELS][DWK_VECTORS], multiplier[4];
    DWK_NAME_OF_SUMS(shape, pixels, input, weights, sum);
    DWK_UNROLL
    for (int v = 0; v < 4; v++) {
        multiplier[v] = dwk_sums_at(weights + 4 * (DWK_VECTORS + v % DWK_VECTORS));
    }
#if DWK_VECTORS == 4
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        vst1q_s8(output + p * shape->output_step, DWK_BY(bytes)(to, sum[p], multiplier));
    }
#else
    DWK_UNROLL
    for (int p = 0; p < pixels; p += 2) {
        const int last = p + 1 < pixels ? p + 1 : p;
        const int32x4_t four[4] = {sum[p][0], sum[p][1], sum[last][0], sum[last][1]};
        const int8x16_t both = DWK_BY(bytes)(to, four, multiplier);
        vst1_s8(output + last * shape->output_step, vget_high_s8(both));
        vst1_s8(output + p * shape->output_step, vget_low_s8(both));
    }
#endif
}

/* `rows` rows of outputs, in `panels` panels; what is left of a row goes pixel by pixel. */
DWK_FUNCTION void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                           const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const int8_t *from = (const int8_t *)input + y * shape->row;
            int8_t *target = (int8_t *)output + y * shape->output_row + panel * 4 * DWK_VECTORS;
            int32_t x = 0;
            for (; x + DWK_PIXELS <= shape->width; x += DWK_PIXELS) {
                DWK_NAME_OF_TILE(shape, DWK_PIXELS, from, weights, to, target);
                from += DWK_PIXELS * shape->step;
                target += DWK_PIXELS * shape->output_step;
            }
            for (; x < shape->width; x++) {
                DWK_NAME_OF_TILE(shape, 1, from, weights, to, target);
                from += shape->step;
                target += shape->output_step;
            }
        }
        weights += DWK_PANEL_WORDS;
    }
}

#undef DWK_PANEL_WORDS
#undef DWK_NAME_OF_TILE
#undef DWK_NAME_OF_SUMS
#undef DWK_NAME
#undef DWK_VECTORS
#undef DWK_PIXELS
#undef DWK_WAY
#undef DWK_END
#undef DWK_KERNEL
#endif
