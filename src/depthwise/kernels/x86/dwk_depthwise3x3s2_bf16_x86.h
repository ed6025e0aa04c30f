/* dwk_depthwise3x3s2_bf16_x86.h: 3x3 depthwise convolution of bfloat16, of stride 2, with bias and bounds.
 *
 * dwk_depthwise3x3s2_bf16_c32__avx512bf16: 32 channels at a time, and of the last ones only as many as there are. The
 * right column under the kernel is kept as the left one of the next output.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_bf16_x86.h, one row. */
#include "dwk_window_bf16_x86.h"

#define DWK_WEIGHTS (DWK_HEAD_BF16 + DWK_ROW_BF16)
#define DWK_S2 dwk_s2_channels_bf16
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_bf16_c32__, DWK_SET, )

/* One row of outputs of `count` channels. */
DWK_INLINE void DWK_S2(const dwk_bf16 *restrict input, int32_t input_row, int32_t width, int32_t channels,
                       int32_t count, const uint32_t *restrict weights, dwk_bf16 *restrict output, int32_t output_step)
{
    __m512i columns[3][4], values[2][2];
    dwk_column_bf16(input, input_row, 3, count, columns[0]);
    for (int32_t x = 0; x < width; x++) {
        dwk_column_bf16(input + channels, input_row, 3, count, columns[1]);
        dwk_column_bf16(input + 2 * channels, input_row, 3, count, columns[2]);
        dwk_outputs_bf16(columns, 1, 1, weights, values);
        dwk_store_avx512bf16(output, values[0][0], count);
        __builtin_memcpy(columns[0], columns[2], sizeof columns[0]);
        input += 2 * channels;
        output += output_step;
    }
}

/* Arguments as in dwk_depthwise3x3s1_bf16_x86.h. */
DWK_INLINE void DWK_NAME(const dwk_bf16 *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         dwk_bf16 *restrict output, int32_t output_step)
{
    const int32_t output_row = width * output_step;
    int32_t c = first;
    weights += first / DWK_B_BF16 * DWK_WEIGHTS;
    for (; c + DWK_B_BF16 <= end; c += DWK_B_BF16) {
        for (int32_t y = 0; y < rows; y++) {
            DWK_S2(input + 2 * y * input_row + c, input_row, width, channels, DWK_B_BF16, weights,
                   output + y * output_row + c, output_step);
        }
        weights += DWK_WEIGHTS;
    }
    for (int32_t y = 0; y < rows && c < end; y++) {
        DWK_S2(input + 2 * y * input_row + c, input_row, width, channels, end - c, weights, output + y * output_row + c,
               output_step);
    }
}

#undef DWK_NAME
#undef DWK_S2
#undef DWK_WEIGHTS
#undef DWK_SET
