/* dwk_strassen_f32.h: pointwise convolutions with seven multiplications of matrices for eight, then the activation.
 *
 * dwk_strassen_f32_<activation>_p<P>[r<R>][k<B>]_c<V>x<L>: two tiles of P pixels by two panels of V vectors of L
 * channels at a time; with B, as many bytes of each pixel at a time, of which half the depth must be a multiple. The
 * values of a pixel are halved too, so that A (pixels x values) and B (values x channels) have four quarters each, and
 * C = A B comes of seven products by the identities of Strassen and Winograd (docs/compiler.md):
 *
 *     S1 = A21 + A22    S2 = S1 - A11     S3 = A11 - A21    S4 = A12 - S2
 *     T1 = B12 - B11    T2 = B22 - T1     T3 = B22 - B12    T4 = T2 - B21
 *     C11 = A11 B11 + A12 B21
 *     C21 = A11 B11 + S2 T2 + S3 T3 - A22 T4
 *     C22 = A11 B11 + S2 T2 + S3 T3 + S1 T1
 *     C12 = A11 B11 + S2 T2 + S1 T1 + S4 B22
 *
 * They are taken in an order in which sums go on in the same registers, and three partial sums are kept aside. A tile
 * without a partner, and the last R pixels of a row, need none of S: C12 = A11 B11 + A11 T1 + A12 B22.
 *
 * Form: DWK_ACTIVATION, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V), DWK_LANES (L), DWK_BYTES (B, or not
 * there).
 *
 * Weights: for each pair of panels the bias of the first and what has to be added for that of the second, then
 * B11, B21, T2, T3, -T4, T1, B22, each with V x L factors for each of its values. */
#include "dwk_rows.h"
#include "dwk_shapes.h"

/* Floats of a cache line. */
#define DWK_LINE 16
#define DWK_PANEL (DWK_VECTORS * DWK_LANES)
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
#define DWK_NAMED(what) DWK_JOIN(dwk_, what, DWK_JOIN(_f32_, DWK_ACTIVATION, DWK_JOIN(_p, DWK_TILE, )))
/* For each vector of a tile's sums. */
/* clang-format off */
#define DWK_EACH                                                                                                       \
    DWK_UNROLL for (int p = 0; p < pixels; p++) DWK_UNROLL for (int v = 0; v < DWK_VECTORS; v++)
/* clang-format on */

typedef struct {
    DWK_V of[DWK_PIXELS][DWK_VECTORS];
} DWK_NAMED(sums);

/* Begin with the bias. */
DWK_INLINE void DWK_NAMED(begin)(DWK_NAMED(sums) *sum, int pixels, const dwk_float *bias)
{
    DWK_EACH sum->of[p][v] = *(const DWK_V *)(bias + v * DWK_LANES);
}

/* Add the product of `half` values of each pixel with a quarter of the weights. */
DWK_INLINE void DWK_NAMED(multiply)(DWK_NAMED(sums) *sum, int pixels, int32_t half, const dwk_float *restrict values,
                                    int32_t step, const dwk_float *restrict weights, const dwk_float *ahead)
{
#ifdef DWK_BYTES
    dwk_rows rows;
    dwk_rows_begin(&rows, values, step);
    for (int32_t k = 0; k < half; k += DWK_BYTES / 4) {
        dwk_rows_keep(&rows, pixels);
        DWK_UNROLL
        for (int i = 0; i < DWK_BYTES / 4; i++) {
            __builtin_prefetch(ahead, 0, 2);
            ahead += DWK_LINE;
            DWK_EACH sum->of[p][v] += dwk_rows_value(&rows, p, i) * *(const DWK_V *)(weights + v * DWK_LANES);
            weights += DWK_PANEL;
        }
        dwk_rows_advance(&rows, DWK_BYTES);
    }
#else
    for (int32_t k = 0; k < half; k++) {
        __builtin_prefetch(ahead, 0, 2);
        ahead += DWK_LINE;
        DWK_EACH sum->of[p][v] += values[p * step + k] * *(const DWK_V *)(weights + v * DWK_LANES);
        weights += DWK_PANEL;
    }
#endif
}

DWK_INLINE void DWK_NAMED(add)(DWK_NAMED(sums) *sum, int pixels, const DWK_NAMED(sums) *other)
{
    DWK_EACH sum->of[p][v] += other->of[p][v];
}

/* The activation of the sums; they themselves stay as they are. */
DWK_INLINE void DWK_NAMED(finish)(const DWK_NAMED(sums) *sum, int pixels, dwk_float *output, int32_t step)
{
    DWK_EACH
    {
        DWK_V value = sum->of[p][v];
        DWK_ACTIVATE(&value);
        *(DWK_V *)(output + p * step + v * DWK_LANES) = value;
    }
}

/* Two tiles; s: their S1 to S4. */
static inline void DWK_NAMED(pair)(const dwk_product *shape, const dwk_float *restrict one,
                                   const dwk_float *restrict two, const dwk_float *restrict s,
                                   const dwk_float *restrict weights, const dwk_float *ahead,
                                   dwk_float *restrict to_one, dwk_float *restrict to_two)
{
    const int32_t half = shape->depth / 2, step = shape->step, output_step = shape->output_step;
    const int32_t size = half * DWK_PANEL, lines = half * DWK_LINE, values = half * DWK_PIXELS;
    const dwk_float *quarter = weights + 2 * DWK_PANEL;
    DWK_NAMED(sums) sum, first, second, third;
    DWK_NAMED(begin)(&sum, DWK_PIXELS, weights);
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, one, step, quarter, ahead);
    first = sum;
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, one + half, step, quarter + size, ahead + lines);
    DWK_NAMED(finish)(&sum, DWK_PIXELS, to_one, output_step);
    sum = first;
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, s + values, half, quarter + 2 * size, ahead + 2 * lines);
    second = sum;
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, s + 2 * values, half, quarter + 3 * size, ahead + 3 * lines);
    third = sum;
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, two + half, step, quarter + 4 * size, ahead + 4 * lines);
    DWK_NAMED(finish)(&sum, DWK_PIXELS, to_two, output_step);
    DWK_NAMED(begin)(&sum, DWK_PIXELS, weights + DWK_PANEL);
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, s, half, quarter + 5 * size, ahead + 5 * lines);
    DWK_NAMED(add)(&third, DWK_PIXELS, &sum);
    DWK_NAMED(finish)(&third, DWK_PIXELS, to_two + DWK_PANEL, output_step);
    DWK_NAMED(add)(&sum, DWK_PIXELS, &second);
    DWK_NAMED(multiply)(&sum, DWK_PIXELS, half, s + 3 * values, half, quarter + 6 * size, ahead + 6 * lines);
    DWK_NAMED(finish)(&sum, DWK_PIXELS, to_one + DWK_PANEL, output_step);
}

/* A tile without a partner, or the rest of a row. */
DWK_INLINE void DWK_NAMED(single)(const dwk_product *shape, int pixels, const dwk_float *restrict input,
                                  const dwk_float *restrict weights, dwk_float *restrict output)
{
    const int32_t half = shape->depth / 2, step = shape->step, size = half * DWK_PANEL;
    const dwk_float *quarter = weights + 2 * DWK_PANEL, *ahead = quarter + 7 * size;
    DWK_NAMED(sums) sum, first;
    DWK_NAMED(begin)(&sum, pixels, weights);
    DWK_NAMED(multiply)(&sum, pixels, half, input, step, quarter, ahead);
    first = sum;
    DWK_NAMED(multiply)(&sum, pixels, half, input + half, step, quarter + size, ahead);
    DWK_NAMED(finish)(&sum, pixels, output, shape->output_step);
    DWK_NAMED(begin)(&sum, pixels, weights + DWK_PANEL);
    DWK_NAMED(add)(&sum, pixels, &first);
    DWK_NAMED(multiply)(&sum, pixels, half, input, step, quarter + 5 * size, ahead);
    DWK_NAMED(multiply)(&sum, pixels, half, input + half, step, quarter + 6 * size, ahead);
    DWK_NAMED(finish)(&sum, pixels, output + DWK_PANEL, shape->output_step);
}

/* S1 to S4 of two tiles, each with half of the values of P pixels, without gaps. */
static inline void DWK_NAMED(halves)(const dwk_product *shape, const dwk_float *restrict one,
                                     const dwk_float *restrict two, dwk_float *restrict s)
{
    const int32_t half = shape->depth / 2, values = half * DWK_PIXELS;
    for (int p = 0; p < DWK_PIXELS; p++) {
        for (int32_t k = 0; k < half; k++) {
            float s1 = two[k] + two[half + k];
            float s2 = s1 - one[k];
            s[k] = s1;
            s[values + k] = s2;
            s[2 * values + k] = one[k] - two[k];
            s[3 * values + k] = one[half + k] - s2;
        }
        one += shape->step;
        two += shape->step;
        s += half;
    }
}

/* From the first pixel of all to that of a tile; tiles are counted along the rows, `across` of them in each. */
DWK_INLINE int32_t DWK_NAMED(place)(int32_t tile, int32_t across, int32_t row, int32_t step)
{
    return tile / across * row + tile % across * (DWK_PIXELS * step);
}

/* `rows` rows of outputs, in `pairs` pairs of panels. Each pair's weights are used for all of the rows before the next
 * ones are read. The depth is even; s has room for the values of all pixels once more. Before, S1 to S4 are made of
 * pairs of tiles `first` to before `end`; the others of them must be in s. */
DWK_FUNCTION void DWK_NAMED(strassen)(const dwk_product *shape, int32_t first, int32_t end, int32_t pairs, int32_t rows,
                                      const dwk_float *restrict input, dwk_float *restrict s,
                                      const dwk_float *restrict weights, dwk_float *restrict output)
{
    const int32_t across = shape->width / DWK_PIXELS, tiles = rows * across;
    const int32_t size = 2 * DWK_PANEL + shape->depth / 2 * (7 * DWK_PANEL), lines = size / DWK_VECTORS;
    const int32_t used = 2 * DWK_PIXELS * shape->depth;
    for (int32_t tile = 2 * first; tile + 1 < tiles && tile < 2 * end; tile += 2) {
        DWK_NAMED(halves)(shape, input + DWK_NAMED(place)(tile, across, shape->row, shape->step),
                          input + DWK_NAMED(place)(tile + 1, across, shape->row, shape->step), s + tile / 2 * used);
    }
    for (int32_t pair = 0; pair < pairs; pair++) {
        int32_t tile = 0;
        for (; tile + 1 < tiles; tile += 2) {
            DWK_NAMED(pair)(shape, input + DWK_NAMED(place)(tile, across, shape->row, shape->step),
                            input + DWK_NAMED(place)(tile + 1, across, shape->row, shape->step), s + tile / 2 * used,
                            weights, weights + size + tile / 2 % DWK_VECTORS * lines,
                            output + DWK_NAMED(place)(tile, across, shape->output_row, shape->output_step),
                            output + DWK_NAMED(place)(tile + 1, across, shape->output_row, shape->output_step));
        }
        if (tile < tiles) {
            DWK_NAMED(single)(shape, DWK_PIXELS, input + DWK_NAMED(place)(tile, across, shape->row, shape->step),
                              weights, output + DWK_NAMED(place)(tile, across, shape->output_row, shape->output_step));
        }
#if DWK_REST
        for (int32_t y = 0; y < rows; y++) {
            DWK_NAMED(single)(shape, DWK_REST, input + y * shape->row + across * (DWK_PIXELS * shape->step), weights,
                              output + y * shape->output_row + across * (DWK_PIXELS * shape->output_step));
        }
#endif
        weights += size;
        output += 2 * DWK_PANEL;
    }
}

#undef DWK_EACH
#undef DWK_NAMED
#undef DWK_TILE
#undef DWK_PANEL_NAME
#undef DWK_ACTIVATE
#undef DWK_V
#undef DWK_PANEL
#undef DWK_LINE
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_BYTES
#undef DWK_ACTIVATION
