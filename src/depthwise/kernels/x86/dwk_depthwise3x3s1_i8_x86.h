/* dwk_depthwise3x3s1_i8_x86.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes.
 *
 * dwk_depthwise3x3s1_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are; two rows of
 * outputs at once where there are two. With fewer than B channels, B bytes of a row at a time, whatever pixel and
 * channel they belong to.
 *
 * Form: DWK_SET.
 *
 * Weights: dwk_window_x86.h, two rows. With fewer than B channels they repeat until B bytes begin with a pixel again.
 */
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_B (4 * DWK_L)
#define DWK_WEIGHTS (2 * DWK_B + 6 * DWK_JOIN(DWK_FACTORS_, DWK_SET, ))
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_i8_c, DWK_JOIN(DWK_JOIN(DWK_BYTES_, DWK_SET, ), __, DWK_SET), )

/* One or two rows of outputs of `count` channels. */
DWK_INLINE void DWK_X(s1_channels)(const uint8_t *restrict input, int32_t input_row, int rows, int32_t width,
                                   int32_t channels, int32_t count, const uint32_t *restrict weights,
                                   const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    DWK_X(quads) column[3][4];
    DWK_X(column)(input, input_row, rows + 2, count, column[0]);
    DWK_X(column)(input + channels, input_row, rows + 2, count, column[1]);
    input += 2 * channels;
    for (int32_t x = 0; x < width; x += 3) {
        DWK_UNROLL
        for (int i = 0; i < 3; i++) {
            if (i == 0 || x + i < width) {
                DWK_X(column)(input, input_row, rows + 2, count, column[(i + 2) % 3]);
                DWK_X(outputs)(column[i], column[(i + 1) % 3], column[(i + 2) % 3], weights, rows, to, count, output,
                               width * output_step);
                input += channels;
                output += output_step;
            }
        }
    }
}

/* `count` bytes of one or two rows of outputs. `left`: the quads of the left column, or null; those of the right one
 * are left in `right`. */
DWK_INLINE void DWK_X(s1_bytes)(const uint8_t *restrict input, int32_t input_row, int rows, int32_t width,
                                int32_t channels, int32_t count, const uint32_t *restrict weights,
                                const dwk_rounding *to, uint8_t *restrict output, const DWK_X(quads) *left,
                                DWK_X(quads) *right)
{
    DWK_X(quads) column[3][4];
    DWK_UNROLL
    for (int i = 0; i < 3; i++) {
        if (i > 0 || left == NULL) {
            DWK_X(column)(input + i * channels, input_row, rows + 2, count, column[i]);
        } else {
            __builtin_memcpy(column[0], left, sizeof column[0]);
        }
    }
    DWK_X(outputs)(column[0], column[1], column[2], weights, rows, to, count, output, width * channels);
    __builtin_memcpy(right, column[2], sizeof column[2]);
}

/* One or two rows of outputs of fewer than B channels. */
DWK_INLINE void DWK_X(s1_flat)(const uint8_t *restrict input, int32_t input_row, int rows, int32_t width,
                               int32_t channels, const uint32_t *restrict weights, const dwk_rounding *to,
                               uint8_t *restrict output)
{
    const int32_t bytes = width * channels;
    /* Where B bytes are two pixels, the right column of one chunk is the left column of the next. */
    const int chained = 2 * channels == DWK_B;
    const uint32_t *of = weights;
    DWK_X(quads) shared[4];
    __builtin_memset(shared, 0, sizeof shared);
    int32_t at = 0, channel = 0;
    if (chained && bytes >= DWK_B) {
        DWK_X(column)(input, input_row, rows + 2, DWK_B, shared);
    }
    for (; at + DWK_B <= bytes; at += DWK_B) {
        DWK_X(s1_bytes)(input + at, input_row, rows, width, channels, DWK_B, of, to, output + at,
                        chained ? shared : NULL, shared);
        channel = (channel + DWK_B) % channels;
        of = channel == 0 ? weights : of + DWK_WEIGHTS;
    }
    if (at < bytes) {
        DWK_X(s1_bytes)(input + at, input_row, rows, width, channels, bytes - at, of, to, output + at, NULL, shared);
    }
}

/* `rows` rows of outputs, of `count` channels, or of all where there are fewer than B. */
DWK_INLINE void DWK_X(s1_rows)(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                               int32_t channels, int32_t count, const uint32_t *restrict weights,
                               const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    for (int32_t y = 0; y < rows / 2; y++) {
        if (channels < DWK_B) {
            DWK_X(s1_flat)(input, input_row, 2, width, channels, weights, to, output);
        } else {
            DWK_X(s1_channels)(input, input_row, 2, width, channels, count, weights, to, output, output_step);
        }
        input += 2 * input_row;
        output += 2 * width * output_step;
    }
    if (rows % 2 && channels < DWK_B) {
        DWK_X(s1_flat)(input, input_row, 1, width, channels, weights, to, output);
    } else if (rows % 2) {
        DWK_X(s1_channels)(input, input_row, 1, width, channels, count, weights, to, output, output_step);
    }
}

/* input: the top left byte under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute, from a multiple of B to before another one or all; with fewer than B all.
 * output: pixels of output_step bytes, without gaps between the rows; with fewer than B channels without any. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    int32_t c = first;
    weights += first / DWK_B * DWK_WEIGHTS;
    for (; c + DWK_B <= end; c += DWK_B) {
        DWK_X(s1_rows)(input + c, input_row, rows, width, channels, DWK_B, weights, to, output + c, output_step);
        weights += DWK_WEIGHTS;
    }
    if (c < end) {
        DWK_X(s1_rows)(input + c, input_row, rows, width, channels, end - c, weights, to, output + c, output_step);
    }
}

#undef DWK_NAME
#undef DWK_WEIGHTS
#undef DWK_B
#undef DWK_L
#undef DWK_SET
