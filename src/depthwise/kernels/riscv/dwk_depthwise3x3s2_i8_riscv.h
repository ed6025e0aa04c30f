/* dwk_depthwise3x3s2_i8_riscv.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes.
 *
 * dwk_depthwise3x3s2_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are. Factors stay
 * in registers, and the right column under the kernel as the left one of the next output.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_riscv.h. */
#include "dwk_window_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_i8_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, ))
#define DWK_NAME_OF_ROW DWK_JOIN(DWK_NAME, _row, )

/* One row of outputs, of n channels. */
DWK_INLINE void DWK_NAME_OF_ROW(const uint8_t *restrict top, int32_t input_row, int32_t width, int32_t channels,
                                size_t n, const uint32_t *restrict weights, const dwk_rounding *to,
                                uint8_t *restrict output, int32_t output_step)
{
    DWK_NINE_FACTORS(weights, n, n)
    const uint8_t *middle = top + input_row, *bottom = middle + input_row;
    dwk_halves_m4 left0 = dwk_bytes_at_m4(top, n), left1 = dwk_bytes_at_m4(middle, n);
    dwk_halves_m4 left2 = dwk_bytes_at_m4(bottom, n);
    for (int32_t x = 0; x < width; x++) {
        dwk_sums_m4 sums = dwk_sums_at_m4(weights, n);
#define DWK_ROW(at, left, one, two, three)                                                                             \
    sums = dwk_add_products_m4(sums, left, one, n);                                                                    \
    sums = dwk_add_products_m4(sums, dwk_bytes_at_m4(at + channels, n), two, n);                                       \
    left = dwk_bytes_at_m4(at + 2 * channels, n);                                                                      \
    sums = dwk_add_products_m4(sums, left, three, n);                                                                  \
    at += 2 * channels;                                                                                                \
    DWK_IN_ORDER;
        DWK_ROW(top, left0, w0, w1, w2)
        DWK_ROW(middle, left1, w3, w4, w5)
        DWK_ROW(bottom, left2, w6, w7, w8)
#undef DWK_ROW
        dwk_store_m4(output, dwk_rounded_m4(to, sums, dwk_floats_at_m4(weights + n, n), n), n);
        output += output_step;
    }
}

/* Arguments as in dwk_depthwise3x3s1_i8_riscv.h; there may always be gaps between the pixels of the output. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    weights += DWK_FACTORS_WORDS(first);
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const int32_t n = end - c < DWK_CHUNK ? end - c : DWK_CHUNK;
        for (int32_t y = 0; y < rows; y++) {
            DWK_NAME_OF_ROW(input + c + 2 * y * input_row, input_row, width, channels, (size_t)n, weights, to,
                            output + c + y * width * output_step, output_step);
        }
        weights += DWK_FACTORS_WORDS(n);
    }
}

#undef DWK_NAME_OF_ROW
#undef DWK_NAME
#undef DWK_SET
