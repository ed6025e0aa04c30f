/* dwk_depthwise3x3s1_bf16_x86.h: 3x3 depthwise convolution of bfloat16, of stride 1, with bias and bounds.
 *
 * dwk_depthwise3x3s1_bf16_c32__<set>: 32 channels at a time, and of the last ones only as many as there are, of
 * two rows and two pixels at once where there are two. With fewer than 32 channels, 32 values of a row at a time,
 * whatever pixel and channel they belong to.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_bf16_x86.h, two rows, or dwk_window_bf16_avx512.h. With fewer than 32 channels they repeat until
 * 32 values begin with a pixel again. */
#define DWK_WORD(word) DWK_JOIN(dwk_##word##_, DWK_SET, )
#define DWK_WEIGHTS (DWK_JOIN(DWK_WORDS_, DWK_SET, )(2))
#define DWK_SIZE 32
#define DWK_S1(word) DWK_JOIN(dwk_s1_##word##_, DWK_SET, )
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_bf16_c32__, DWK_SET, )

/* One or two rows and pixels of outputs of `count` channels; the first two columns are there. */
DWK_INLINE void DWK_S1(pixels)(__m512i (*columns)[4], int pixels, const dwk_bf16 *restrict input, int32_t input_row,
                               int rows, int32_t width, int32_t channels, int32_t count,
                               const uint32_t *restrict weights, dwk_bf16 *restrict output, int32_t output_step)
{
    __m512i values[2][2];
    DWK_HIDE(weights);
    DWK_UNROLL
    for (int i = 0; i < pixels; i++) {
        DWK_WORD(column)(input + (i + 2) * channels, input_row, rows + 2, count, columns[i + 2]);
    }
    DWK_WORD(outputs)(columns, pixels, rows, weights, values);
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        DWK_UNROLL
        for (int i = 0; i < pixels; i++) {
            DWK_WORD(store)(output + (y * width + i) * output_step, values[y][i], count);
        }
    }
}

/* One or two rows of outputs of `count` channels. */
DWK_INLINE void DWK_S1(channels)(const dwk_bf16 *restrict input, int32_t input_row, int rows, int32_t width,
                                 int32_t channels, int32_t count, const uint32_t *restrict weights,
                                 dwk_bf16 *restrict output, int32_t output_step)
{
    __m512i columns[4][4];
    DWK_WORD(column)(input, input_row, rows + 2, count, columns[0]);
    DWK_WORD(column)(input + channels, input_row, rows + 2, count, columns[1]);
    int32_t x = 0;
    for (; x + 2 <= width; x += 2) {
        DWK_S1(pixels)(columns, 2, input + x * channels, input_row, rows, width, channels, count, weights,
                       output + x * output_step, output_step);
        DWK_UNROLL
        for (int i = 0; i < 2; i++) {
            __builtin_memcpy(columns[i], columns[i + 2], sizeof columns[i]);
        }
    }
    if (x < width) {
        DWK_S1(pixels)(columns, 1, input + x * channels, input_row, rows, width, channels, count, weights,
                       output + x * output_step, output_step);
    }
}

/* `count` values of one or two rows of outputs of fewer than 32 channels. */
DWK_INLINE void DWK_S1(values)(const dwk_bf16 *restrict input, int32_t input_row, int rows, int32_t width,
                               int32_t channels, int32_t count, const uint32_t *restrict weights,
                               dwk_bf16 *restrict output)
{
    __m512i columns[3][4], values[2][2];
    DWK_UNROLL
    for (int i = 0; i < 3; i++) {
        DWK_WORD(column)(input + i * channels, input_row, rows + 2, count, columns[i]);
    }
    DWK_WORD(outputs)(columns, 1, rows, weights, values);
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        DWK_WORD(store)(output + y * width * channels, values[y][0], count);
    }
}

/* One or two rows of outputs of fewer than 32 channels. */
DWK_INLINE void DWK_S1(flat)(const dwk_bf16 *restrict input, int32_t input_row, int rows, int32_t width,
                             int32_t channels, const uint32_t *restrict weights, dwk_bf16 *restrict output)
{
    const int32_t values = width * channels;
    const uint32_t *of = weights;
    int32_t at = 0, channel = 0;
    for (; at + DWK_SIZE <= values; at += DWK_SIZE) {
        DWK_S1(values)(input + at, input_row, rows, width, channels, DWK_SIZE, of, output + at);
        channel = (channel + DWK_SIZE) % channels;
        of = channel == 0 ? weights : of + DWK_WEIGHTS;
    }
    if (at < values) {
        DWK_S1(values)(input + at, input_row, rows, width, channels, values - at, of, output + at);
    }
}

/* `rows` rows of outputs, of `count` channels, or of all where there are fewer than 32. */
DWK_INLINE void DWK_S1(rows)(const dwk_bf16 *restrict input, int32_t input_row, int32_t rows, int32_t width,
                             int32_t channels, int32_t count, const uint32_t *restrict weights,
                             dwk_bf16 *restrict output, int32_t output_step)
{
    for (int32_t y = 0; y < rows / 2; y++) {
        if (channels < DWK_SIZE) {
            DWK_S1(flat)(input, input_row, 2, width, channels, weights, output);
        } else {
            DWK_S1(channels)(input, input_row, 2, width, channels, count, weights, output, output_step);
        }
        input += 2 * input_row;
        output += 2 * width * output_step;
    }
    if (rows % 2 && channels < DWK_SIZE) {
        DWK_S1(flat)(input, input_row, 1, width, channels, weights, output);
    } else if (rows % 2) {
        DWK_S1(channels)(input, input_row, 1, width, channels, count, weights, output, output_step);
    }
}

/* input: the top left value under the kernel of the first output, padding included; input_row values from row to row.
 * first, end: the channels to compute, from a multiple of 32 to before another one or all; with fewer than 32 all.
 * output: pixels of output_step values, without gaps between the rows; with fewer than 32 channels without any. */
DWK_INLINE void DWK_NAME(const dwk_bf16 *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         dwk_bf16 *restrict output, int32_t output_step)
{
    int32_t c = first;
    weights += first / DWK_SIZE * DWK_WEIGHTS;
    for (; c + DWK_SIZE <= end; c += DWK_SIZE) {
        DWK_S1(rows)(input + c, input_row, rows, width, channels, DWK_SIZE, weights, output + c, output_step);
        weights += DWK_WEIGHTS;
    }
    if (c < end) {
        DWK_S1(rows)(input + c, input_row, rows, width, channels, end - c, weights, output + c, output_step);
    }
}

#undef DWK_NAME
#undef DWK_S1
#undef DWK_SIZE
#undef DWK_WEIGHTS
#undef DWK_WORD
#undef DWK_SET
