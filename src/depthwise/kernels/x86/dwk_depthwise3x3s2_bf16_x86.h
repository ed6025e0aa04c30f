/* dwk_depthwise3x3s2_bf16_x86.h: 3x3 depthwise convolution of bfloat16, of stride 2, with bias and bounds.
 *
 * dwk_depthwise3x3s2_bf16_c32__<set>: 32 channels at a time, and of the last ones only as many as there are. The
 * right column under the kernel is kept as the left one of the next output.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_bf16_x86.h, one row, or dwk_window_bf16_avx512.h. */
#define DWK_WORD(word) DWK_JOIN(dwk_##word##_, DWK_SET, )
#define DWK_WEIGHTS (DWK_JOIN(DWK_WORDS_, DWK_SET, )(1))
#define DWK_SIZE 32
#define DWK_S2 DWK_JOIN(dwk_s2_channels_, DWK_SET, )
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_bf16_c32__, DWK_SET, )

/* One row of outputs of `count` channels. */
DWK_INLINE void DWK_S2(const dwk_bf16 *restrict input, int32_t input_row, int32_t width, int32_t channels,
                       int32_t count, const uint32_t *restrict weights, dwk_bf16 *restrict output, int32_t output_step)
{
    __m512i columns[3][4], values[2][2];
    DWK_WORD(column)(input, input_row, 3, count, columns[0]);
    for (int32_t x = 0; x < width; x++) {
        DWK_WORD(column)(input + channels, input_row, 3, count, columns[1]);
        DWK_WORD(column)(input + 2 * channels, input_row, 3, count, columns[2]);
        DWK_WORD(outputs)(columns, 1, 1, weights, values);
        DWK_WORD(store)(output, values[0][0], count);
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
    weights += first / DWK_SIZE * DWK_WEIGHTS;
    for (; c + DWK_SIZE <= end; c += DWK_SIZE) {
        for (int32_t y = 0; y < rows; y++) {
            DWK_S2(input + 2 * y * input_row + c, input_row, width, channels, DWK_SIZE, weights,
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
#undef DWK_SIZE
#undef DWK_WEIGHTS
#undef DWK_WORD
#undef DWK_SET
