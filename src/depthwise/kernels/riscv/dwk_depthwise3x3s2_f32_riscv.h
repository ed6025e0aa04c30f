/* dwk_depthwise3x3s2_f32_riscv.h: 3x3 depthwise convolution of stride 2 with bias and activation.
 *
 * dwk_depthwise3x3s2_f32_<activation>_c<B>__<set>: B channels at a time, and of the last ones only as many as there
 * are.
 *
 * Form: DWK_SET, DWK_ACTIVATION.
 *
 * Weights: for each B channels the bias, then the nine factors from the top left to the bottom right; of the last ones
 * only as many as there are. */
#include "dwk_riscv.h"

#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _m4)
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, )))
#define DWK_NAME_OF_ROW DWK_JOIN(DWK_NAME, _row, )

/* One row of outputs, of n channels. */
DWK_INLINE void DWK_NAME_OF_ROW(const dwk_float *restrict input, int32_t input_row, int32_t width, int32_t channels,
                                size_t n, const dwk_float *restrict weights, dwk_float *restrict output,
                                int32_t output_step)
{
    for (int32_t x = 0; x < width; x++) {
        dwk_floats_m4 sums = dwk_floats_at_m4(weights, n);
        DWK_UNROLL
        for (int i = 0; i < 9; i++) {
            const dwk_floats_m4 values = dwk_floats_at_m4(input + i / 3 * input_row + i % 3 * channels, n);
            sums = dwk_add_products_f32_m4(sums, values, dwk_floats_at_m4(weights + (1 + i) * n, n), n);
        }
        dwk_floats_to_m4(output, DWK_ACTIVATE(sums, n), n);
        input += 2 * channels;
        output += output_step;
    }
}

/* Arguments as in dwk_depthwise3x3s1_f32_riscv.h; there may always be gaps between the pixels of the output. */
DWK_INLINE void DWK_NAME(const dwk_float *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const dwk_float *restrict weights,
                         dwk_float *restrict output, int32_t output_step)
{
    weights += 10 * first;
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const int32_t n = end - c < DWK_CHUNK ? end - c : DWK_CHUNK;
        for (int32_t y = 0; y < rows; y++) {
            DWK_NAME_OF_ROW(input + c + 2 * y * input_row, input_row, width, channels, (size_t)n, weights,
                            output + c + y * width * output_step, output_step);
        }
        weights += 10 * n;
    }
}

#undef DWK_NAME_OF_ROW
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_SET
#undef DWK_ACTIVATION
