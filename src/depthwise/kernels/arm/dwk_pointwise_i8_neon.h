/* dwk_pointwise_i8_neon.h: pointwise convolutions of bytes.
 *
 * dwk_pointwise_i8_<way>_p<P>[r<R>]_c<V>x4__neon: tiles of P pixels by V times four channels; in each row of outputs
 * the last tile has R pixels, where P does not divide the row. Of a tile the sums of four channels are in registers at
 * a time, over all values of a pixel.
 *
 * Form: DWK_WAY (of dwk_arm.h), DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V, 2 or 4).
 *
 * Weights: for each panel of 4 V channels the biases (s32), the multipliers, then for each four channels and each
 * sixteen values of a pixel (of the last ones there may be eight) the factors (s8) of one channel after the other. */
#include "dwk_sums_neon.h"

#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_VECTORS))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_VECTORS)
#endif
#define DWK_NAME DWK_JOIN(dwk_pointwise_i8_, DWK_WAY, DWK_JOIN(_p, DWK_TILE, x4__neon))
#define DWK_NAME_OF_STEP DWK_JOIN(DWK_NAME, _step, )
#define DWK_NAME_OF_FOUR DWK_JOIN(DWK_NAME, _four, )
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

/* Values of a pixel from which on they are many. */
#define DWK_MANY 256

/* Adds the products of sixteen values. Each channel's products are added while the next channel is multiplied, which
 * processors that run instructions in their order need. */
DWK_INLINE void DWK_NAME_OF_STEP(int pixels, const int8_t *restrict input, int32_t step, const int8_t *restrict factor,
                                 int32x4_t (*sum)[4])
{
    int8x16_t values[DWK_PIXELS];
    int16x8_t products[2][DWK_PIXELS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        values[p] = vld1q_s8(input + p * step);
    }
    DWK_UNROLL
    for (int c = 0; c <= 4; c++) {
        const int8x16_t factors = vld1q_s8(factor + 16 * (c < 4 ? c : 0));
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            if (c < 4) {
                products[c % 2][p] = dwk_partners(values[p], factors);
            }
            if (c > 0) {
                sum[p][c - 1] = vpadalq_s16(sum[p][c - 1], products[(c - 1) % 2][p]);
            }
        }
    }
}

/* The sums of four channels of each pixel, without biases. Of many values two steps go together; of few that would take
 * more registers than it saves instructions. */
DWK_INLINE void DWK_NAME_OF_FOUR(int pixels, int32_t depth, const int8_t *restrict input, int32_t step,
                                 const int8_t *restrict factor, int32x4_t *whole)
{
    int32x4_t sum[DWK_PIXELS][4];
    DWK_UNROLL
    for (int i = 0; i < 4 * pixels; i++) {
        sum[i / 4][i % 4] = vdupq_n_s32(0);
    }
    if (depth < DWK_MANY) {
        for (int32_t k = 0; k < depth / 16; k++) {
            DWK_NAME_OF_STEP(pixels, input + 16 * k, step, factor + 64 * k, sum);
        }
    } else {
        DWK_TWICE
        for (int32_t k = 0; k < depth / 16; k++) {
            DWK_NAME_OF_STEP(pixels, input + 16 * k, step, factor + 64 * k, sum);
        }
    }
    input += depth / 16 * 16;
    factor += depth / 16 * 64;
    if (depth % 16) {
        DWK_UNROLL
        for (int i = 0; i < 4 * pixels; i++) {
            sum[i / 4][i % 4] =
                vpadalq_s16(sum[i / 4][i % 4], vmull_s8(vld1_s8(input + i / 4 * step), vld1_s8(factor + 8 * (i % 4))));
        }
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        whole[p] = dwk_four_sums(sum[p]);
    }
}

DWK_INLINE void DWK_NAME_OF_TILE(int pixels, int32_t depth, const int8_t *restrict input, int32_t step,
                                 const uint32_t *restrict weights, const dwk_rounding *to, int8_t *restrict output,
                                 int32_t output_step)
{
    int32x4_t sum[4][DWK_PIXELS], multiplier[4];
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        const int8_t *factor = (const int8_t *)(weights + 8 * DWK_VECTORS) + 4 * v * depth;
        DWK_NAME_OF_FOUR(pixels, depth, input, step, factor, sum[v]);
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[v][p] = vaddq_s32(sum[v][p], dwk_sums_at(weights + 4 * v));
        }
    }
    DWK_UNROLL
    for (int v = 0; v < 4; v++) {
        multiplier[v] = dwk_sums_at(weights + 4 * (DWK_VECTORS + v % DWK_VECTORS));
    }
#if DWK_VECTORS == 4
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        const int32x4_t four[4] = {sum[0][p], sum[1][p], sum[2][p], sum[3][p]};
        vst1q_s8(output + p * output_step, DWK_BY(bytes)(to, four, multiplier));
    }
#else
    DWK_UNROLL
    for (int p = 0; p < pixels; p += 2) {
        const int last = p + 1 < pixels ? p + 1 : p;
        const int32x4_t four[4] = {sum[0][p], sum[1][p], sum[0][last], sum[1][last]};
        const int8x16_t both = DWK_BY(bytes)(to, four, multiplier);
        vst1_s8(output + last * output_step, vget_high_s8(both));
        vst1_s8(output + p * output_step, vget_low_s8(both));
    }
#endif
}

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t step = shape->step, depth = shape->depth, output_step = shape->output_step;
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const int8_t *from = (const int8_t *)input + y * shape->row;
            int8_t *target = (int8_t *)output + y * shape->output_row + panel * 4 * DWK_VECTORS;
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                DWK_NAME_OF_TILE(DWK_PIXELS, depth, from, step, weights, to, target, output_step);
                from += DWK_PIXELS * step;
                target += DWK_PIXELS * output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(DWK_REST, depth, from, step, weights, to, target, output_step);
#endif
        }
        weights += DWK_VECTORS * (8 + depth);
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME_OF_FOUR
#undef DWK_NAME_OF_STEP
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_MANY
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_WAY
