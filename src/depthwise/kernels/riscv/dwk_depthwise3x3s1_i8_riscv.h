/* dwk_depthwise3x3s1_i8_riscv.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes.
 *
 * dwk_depthwise3x3s1_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are; two rows of
 * outputs at once where there are two, as they share half of the bytes that are read. With fewer than B channels as
 * many whole pixels at a time as fit. Factors stay in registers.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_riscv.h. Those of fewer than B channels repeat, for each pixel that fits. */
#include "dwk_window_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_i8_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, ))
#define DWK_NAME_OF_ROWS DWK_JOIN(DWK_NAME, _rows, )
#define DWK_NAME_OF_PAIR DWK_JOIN(DWK_NAME, _pair, )

/* One or two rows of outputs, in `count` steps of n bytes, each `step` bytes of the input and `output_step` of the
 * output behind the one before. The second row begins `below` bytes behind the first. */
DWK_INLINE void DWK_NAME_OF_ROWS(int rows, const uint8_t *restrict input, int32_t input_row, int32_t channels,
                                 int32_t step, int32_t count, size_t n, size_t apart, const uint32_t *restrict weights,
                                 const dwk_rounding *to, uint8_t *restrict output, int32_t below, int32_t output_step)
{
    DWK_NINE_FACTORS(weights, apart, n)
    for (int32_t x = 0; x < count; x++) {
        dwk_sums_m4 upper = dwk_sums_at_m4(weights, n), lower = upper;
        const uint8_t *at = input;
#define DWK_COLUMN(top, middle, bottom)                                                                                \
    {                                                                                                                  \
        dwk_halves_m4 row = dwk_bytes_at_m4(at, n);                                                                    \
        upper = dwk_add_products_m4(upper, row, top, n);                                                               \
        row = dwk_bytes_at_m4(at + input_row, n);                                                                      \
        upper = dwk_add_products_m4(upper, row, middle, n);                                                            \
        lower = dwk_add_products_m4(lower, row, top, n);                                                               \
        row = dwk_bytes_at_m4(at + 2 * input_row, n);                                                                  \
        upper = dwk_add_products_m4(upper, row, bottom, n);                                                            \
        lower = dwk_add_products_m4(lower, row, middle, n);                                                            \
        if (rows == 2) {                                                                                               \
            lower = dwk_add_products_m4(lower, dwk_bytes_at_m4(at + 3 * input_row, n), bottom, n);                     \
        }                                                                                                              \
        at += channels;                                                                                                \
        DWK_IN_ORDER;                                                                                                  \
    }
        DWK_COLUMN(w0, w3, w6)
        DWK_COLUMN(w1, w4, w7)
        DWK_COLUMN(w2, w5, w8)
#undef DWK_COLUMN
        const dwk_floats_m4 multiplier = dwk_floats_at_m4(weights + apart, n);
        const dwk_rounds_m4 first = dwk_rounded_m4(to, upper, multiplier, n);
        const dwk_rounds_m4 second = dwk_rounded_m4(to, lower, multiplier, n);
        dwk_store_m4(output, first, n);
        if (rows == 2) {
            dwk_store_m4(output + below, second, n);
        }
        input += step;
        output += output_step;
    }
}

/* Two rows of outputs, or the last one. */
DWK_INLINE void DWK_NAME_OF_PAIR(int32_t left, const uint8_t *restrict input, int32_t input_row, int32_t channels,
                                 int32_t step, int32_t count, int32_t n, int32_t apart,
                                 const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output,
                                 int32_t below, int32_t output_step)
{
    if (left > 1) {
        DWK_NAME_OF_ROWS(2, input, input_row, channels, step, count, (size_t)n, (size_t)apart, weights, to, output,
                         below, output_step);
    } else {
        DWK_NAME_OF_ROWS(1, input, input_row, channels, step, count, (size_t)n, (size_t)apart, weights, to, output,
                         below, output_step);
    }
}

/* input: the top left byte under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute, from a multiple of B to before another one or all; with fewer than B all.
 * output: pixels of output_step bytes, without gaps between the rows; with fewer than B channels without any. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    if (channels < DWK_CHUNK) {
        const int32_t n = DWK_CHUNK / channels * channels, bytes = width * channels;
        const int32_t whole = bytes / n, done = whole * n;
        for (int32_t y = 0; y < rows * (first < end); y += 2) {
            DWK_NAME_OF_PAIR(rows - y, input, input_row, channels, n, whole, n, n, weights, to, output, bytes, n);
            DWK_NAME_OF_PAIR(rows - y, input + done, input_row, channels, 0, done < bytes, bytes - done, n, weights, to,
                             output + done, bytes, 0);
            input += 2 * input_row;
            output += 2 * bytes;
        }
        return;
    }
    weights += DWK_FACTORS_WORDS(first);
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const int32_t n = end - c < DWK_CHUNK ? end - c : DWK_CHUNK, below = width * output_step;
        for (int32_t y = 0; y < rows; y += 2) {
            DWK_NAME_OF_PAIR(rows - y, input + c + y * input_row, input_row, channels, channels, width, n, n, weights,
                             to, output + c + y * below, below, output_step);
        }
        weights += DWK_FACTORS_WORDS(n);
    }
}

#undef DWK_NAME_OF_PAIR
#undef DWK_NAME_OF_ROWS
#undef DWK_NAME
#undef DWK_SET
