/* dwk_depthwise3x3s2_i8_x86.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes.
 *
 * dwk_depthwise3x3s2_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are. The right
 * column under the kernel is kept as the left one of the next output.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_x86.h, one row. With fewer than B channels they repeat, as for stride 1. */
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_B (4 * DWK_L)
#define DWK_WEIGHTS (2 * DWK_B + 3 * DWK_JOIN(DWK_FACTORS_, DWK_SET, ))
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_i8_c, DWK_JOIN(DWK_JOIN(DWK_BYTES_, DWK_SET, ), __, DWK_SET), )

/* One row of outputs of `count` channels. */
DWK_INLINE void DWK_X(s2_channels)(const uint8_t *restrict input, int32_t input_row, int32_t width, int32_t channels,
                                   int32_t count, const uint32_t *restrict weights, const dwk_rounding *to,
                                   uint8_t *restrict output, int32_t output_step)
{
    DWK_X(quads) outer[2][4], middle[4];
    DWK_X(column)(input, input_row, 3, count, outer[0]);
    for (int32_t x = 0; x < width; x += 2) {
        DWK_UNROLL
        for (int i = 0; i < 2; i++) {
            if (i == 0 || x + i < width) {
                DWK_X(column)(input + channels, input_row, 3, count, middle);
                DWK_X(column)(input + 2 * channels, input_row, 3, count, outer[1 - i]);
                DWK_X(outputs)(outer[i], middle, outer[1 - i], weights, 1, to, count, output, 0);
                input += 2 * channels;
                output += output_step;
            }
        }
    }
}

/* Arguments as in dwk_depthwise3x3s1_i8_x86.h. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    const int32_t output_row = width * output_step;
    int32_t c = first;
    weights += first / DWK_B * DWK_WEIGHTS;
    for (; c + DWK_B <= end; c += DWK_B) {
        for (int32_t y = 0; y < rows; y++) {
            DWK_X(s2_channels)(input + 2 * y * input_row + c, input_row, width, channels, DWK_B, weights, to,
                               output + y * output_row + c, output_step);
        }
        weights += DWK_WEIGHTS;
    }
    for (int32_t y = 0; y < rows && c < end; y++) {
        DWK_X(s2_channels)(input + 2 * y * input_row + c, input_row, width, channels, end - c, weights, to,
                           output + y * output_row + c, output_step);
    }
}

#undef DWK_NAME
#undef DWK_WEIGHTS
#undef DWK_B
#undef DWK_L
#undef DWK_SET
