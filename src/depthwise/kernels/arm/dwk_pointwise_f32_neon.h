/* dwk_pointwise_f32_neon.h: pointwise convolutions of floats, with a bias before and the activation behind.
 *
 * dwk_pointwise_f32_<activation>_p<P>[r<R>]_c<V>x4__neon: tiles of P pixels by V vectors of four channels; in each row
 * of outputs the last tile has R pixels, where P does not divide the row. All sums of a tile stay in registers, and so
 * do four values of each pixel, which are multiplied lane by lane.
 *
 * Form: DWK_ACTIVATION, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V).
 *
 * Weights: as in dwk_product_f32.h, of which dwk_pointwise_f32 is a case; products are added in the same order. */
#include <arm_neon.h>

#include "dwk_shapes.h"
#include "dwk_vector.h"

#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_VECTORS))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_VECTORS)
#endif
#define DWK_NAME DWK_JOIN(dwk_pointwise_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_TILE, x4__neon))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _v4)

/* The products of one value of each pixel, in lane `lane`. */
#define DWK_VALUE(lane)                                                                                                \
    DWK_UNROLL                                                                                                         \
    for (int v = 0; v < DWK_VECTORS; v++) {                                                                            \
        const float32x4_t factors = vld1q_f32((const float *)(weights + (lane * DWK_VECTORS + v) * 4));                \
        DWK_UNROLL                                                                                                     \
        for (int p = 0; p < pixels; p++) {                                                                             \
            sum[p][v] = vfmaq_laneq_f32(sum[p][v], factors, four[p], lane);                                            \
        }                                                                                                              \
    }

/* depth: by eights. */
DWK_INLINE void DWK_NAME_OF_TILE(int pixels, int32_t depth, const dwk_float *restrict input, int32_t step,
                                 const dwk_float *restrict weights, dwk_float *restrict output, int32_t output_step)
{
    float32x4_t sum[DWK_PIXELS][DWK_VECTORS];
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        /* Read anew, which takes fewer instructions than to copy registers. */
        const dwk_float *bias = weights;
        DWK_HIDE(bias);
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            sum[p][v] = vld1q_f32((const float *)(bias + 4 * v));
        }
    }
    weights += 4 * DWK_VECTORS;
    for (int32_t k = 0; k < depth; k += 4) {
        float32x4_t four[DWK_PIXELS];
        DWK_UNROLL
        for (int p = 0; p < pixels; p++) {
            four[p] = vld1q_f32((const float *)(input + p * step + k));
        }
        DWK_VALUE(0)
        DWK_VALUE(1)
        DWK_VALUE(2)
        DWK_VALUE(3)
        weights += 16 * DWK_VECTORS;
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            dwk_v4 value = (dwk_v4)sum[p][v];
            DWK_ACTIVATE(&value);
            *(dwk_v4 *)(output + p * output_step + 4 * v) = value;
        }
    }
}
#undef DWK_VALUE

/* `rows` rows of outputs, in `panels` panels. Each panel of weights is used for all of the rows before the next one is
 * read. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_float *restrict input,
                         const dwk_float *restrict weights, dwk_float *restrict output)
{
    const int32_t step = shape->step, depth = shape->depth, output_step = shape->output_step;
    for (int32_t panel = 0; panel < panels; panel++) {
        for (int32_t y = 0; y < rows; y++) {
            const dwk_float *from = input + y * shape->row;
            dwk_float *to = output + y * shape->output_row + panel * (4 * DWK_VECTORS);
            for (int32_t x = 0; x < shape->width / DWK_PIXELS; x++) {
                DWK_NAME_OF_TILE(DWK_PIXELS, depth, from, step, weights, to, output_step);
                from += DWK_PIXELS * step;
                to += DWK_PIXELS * output_step;
            }
#if DWK_REST
            DWK_NAME_OF_TILE(DWK_REST, depth, from, step, weights, to, output_step);
#endif
        }
        weights += (1 + depth) * (4 * DWK_VECTORS);
    }
}

#undef DWK_ACTIVATE
#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_ACTIVATION
