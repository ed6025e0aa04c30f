/* dwk_depthwise3x3s1_f32_riscv.h: 3x3 depthwise convolution of stride 1 with bias and activation.
 *
 * dwk_depthwise3x3s1_f32_<activation>_c<B>__<set>: B channels at a time, and of the last ones only as many as there
 * are; two rows of outputs at once where there are two, as they share half of the values that are read. With fewer than
 * B channels as many whole pixels at a time as fit.
 *
 * Form: DWK_SET, DWK_ACTIVATION.
 *
 * Weights: for each B channels the bias, then the nine factors from the top left to the bottom right; of the last ones
 * only as many as there are. Those of fewer than B channels repeat, for each pixel that fits. */
#include "dwk_riscv.h"

#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _m4)
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, )))
#define DWK_NAME_OF_ROWS DWK_JOIN(DWK_NAME, _rows, )
#define DWK_NAME_OF_PAIR DWK_JOIN(DWK_NAME, _pair, )

/* One or two rows of outputs, in `count` steps of n values, each `step` values of the input and `output_step` of the
 * output behind the one before. The second row begins `below` values behind the first. */
DWK_INLINE void DWK_NAME_OF_ROWS(int rows, const dwk_float *restrict input, int32_t input_row, int32_t channels,
                                 int32_t step, int32_t count, size_t n, size_t apart, const dwk_float *restrict weights,
                                 dwk_float *restrict output, int32_t below, int32_t output_step)
{
    for (int32_t x = 0; x < count; x++) {
        dwk_floats_m4 upper = dwk_floats_at_m4(weights, n), lower = upper;
        DWK_UNROLL
        for (int i = 0; i < 3; i++) {
            const dwk_float *at = input + i * channels, *factors = weights + (1 + i) * apart;
            const dwk_floats_m4 top = dwk_floats_at_m4(factors, n), middle = dwk_floats_at_m4(factors + 3 * apart, n);
            const dwk_floats_m4 bottom = dwk_floats_at_m4(factors + 6 * apart, n);
            upper = dwk_add_products_f32_m4(upper, dwk_floats_at_m4(at, n), top, n);
            dwk_floats_m4 row = dwk_floats_at_m4(at + input_row, n);
            upper = dwk_add_products_f32_m4(upper, row, middle, n);
            lower = dwk_add_products_f32_m4(lower, row, top, n);
            row = dwk_floats_at_m4(at + 2 * input_row, n);
            upper = dwk_add_products_f32_m4(upper, row, bottom, n);
            lower = dwk_add_products_f32_m4(lower, row, middle, n);
            if (rows == 2) {
                lower = dwk_add_products_f32_m4(lower, dwk_floats_at_m4(at + 3 * input_row, n), bottom, n);
            }
            DWK_IN_ORDER;
        }
        dwk_floats_to_m4(output, DWK_ACTIVATE(upper, n), n);
        if (rows == 2) {
            dwk_floats_to_m4(output + below, DWK_ACTIVATE(lower, n), n);
        }
        input += step;
        output += output_step;
    }
}

/* Two rows of outputs, or the last one. */
DWK_INLINE void DWK_NAME_OF_PAIR(int32_t left, const dwk_float *restrict input, int32_t input_row, int32_t channels,
                                 int32_t step, int32_t count, int32_t n, int32_t apart,
                                 const dwk_float *restrict weights, dwk_float *restrict output, int32_t below,
                                 int32_t output_step)
{
    if (left > 1) {
        DWK_NAME_OF_ROWS(2, input, input_row, channels, step, count, (size_t)n, (size_t)apart, weights, output, below,
                         output_step);
    } else {
        DWK_NAME_OF_ROWS(1, input, input_row, channels, step, count, (size_t)n, (size_t)apart, weights, output, below,
                         output_step);
    }
}

/* input: the top left value under the kernel of the first output, padding included; input_row floats from row to row.
 * first, end: the channels to compute, from a multiple of B to before another one or all; with fewer than B all.
 * output: pixels of output_step floats, without gaps between the rows; with fewer than B channels without any. */
DWK_INLINE void DWK_NAME(const dwk_float *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const dwk_float *restrict weights,
                         dwk_float *restrict output, int32_t output_step)
{
    if (channels < DWK_CHUNK) {
        const int32_t n = DWK_CHUNK / channels * channels, values = width * channels;
        const int32_t whole = values / n, done = whole * n;
        for (int32_t y = 0; y < rows * (first < end); y += 2) {
            DWK_NAME_OF_PAIR(rows - y, input, input_row, channels, n, whole, n, n, weights, output, values, n);
            DWK_NAME_OF_PAIR(rows - y, input + done, input_row, channels, 0, done < values, values - done, n, weights,
                             output + done, values, 0);
            input += 2 * input_row;
            output += 2 * values;
        }
        return;
    }
    weights += 10 * first;
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const int32_t n = end - c < DWK_CHUNK ? end - c : DWK_CHUNK, below = width * output_step;
        for (int32_t y = 0; y < rows; y += 2) {
            DWK_NAME_OF_PAIR(rows - y, input + c + y * input_row, input_row, channels, channels, width, n, n, weights,
                             output + c + y * below, below, output_step);
        }
        weights += 10 * n;
    }
}

#undef DWK_NAME_OF_PAIR
#undef DWK_NAME_OF_ROWS
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_SET
#undef DWK_ACTIVATION
