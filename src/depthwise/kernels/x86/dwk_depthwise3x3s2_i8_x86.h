/* dwk_depthwise3x3s2_i8_x86.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes.
 *
 * dwk_depthwise3x3s2_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are. The right
 * column under the kernel is kept as the left one of the next output. With 8, 16 or 32 of 64 channels, 64 bytes of a
 * row at a time, whatever pixel they belong to.
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

#if DWK_JOIN(DWK_ALTERNATE_, DWK_SET, )

/* `count` bytes of every second pixel, from two vectors' worth of bytes. */
DWK_INLINE DWK_X(bytes) DWK_X(s2_alternate)(const uint8_t *restrict input, int32_t channels, int32_t count, int odd)
{
    if (count >= DWK_B) {
        return DWK_X(alternate)(DWK_X(load)(input), DWK_X(load)(input + DWK_B), channels, odd);
    }
    /* The last pixel that is taken may be the last of the row. */
    const int32_t bytes = 2 * count - (odd ? 0 : channels);
    DWK_X(bytes) one = DWK_X(part)(input, bytes < DWK_B ? bytes : DWK_B);
    DWK_X(bytes) two = bytes > DWK_B ? DWK_X(part)(input + DWK_B, bytes - DWK_B) : DWK_X(zeros)();
    return DWK_X(alternate)(one, two, channels, odd);
}

/* `count` bytes of one row of outputs, whatever pixel they belong to. */
DWK_INLINE void DWK_X(s2_bytes)(const uint8_t *restrict input, int32_t input_row, int32_t channels, int32_t count,
                                const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    DWK_X(bytes) r[3][3];
    DWK_X(quads) column[3][4];
    DWK_UNROLL
    for (int y = 0; y < 3; y++) {
        const uint8_t *from = input + y * input_row;
        r[0][y] = DWK_X(s2_alternate)(from, channels, count, 0);
        r[1][y] = DWK_X(s2_alternate)(from, channels, count, 1);
        r[2][y] = DWK_X(s2_alternate)(from + 2 * channels, channels, count, 0);
    }
    DWK_UNROLL
    for (int i = 0; i < 3; i++) {
        DWK_X(interleave)(r[i][0], r[i][1], r[i][2], r[i][2], column[i]);
    }
    DWK_X(outputs)(column[0], column[1], column[2], weights, 1, to, count, output, 0);
}

/* One row of outputs of 8, 16 or 32 channels. The last bytes stand alone, as nothing is read behind the row. */
DWK_INLINE void DWK_X(s2_flat)(const uint8_t *restrict input, int32_t input_row, int32_t width, int32_t channels,
                               const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t bytes = width * channels;
    int32_t at = 0;
    for (; at + DWK_B < bytes; at += DWK_B) {
        DWK_X(s2_bytes)(input + 2 * at, input_row, channels, DWK_B, weights, to, output + at);
    }
    const int32_t rest = bytes - at;
    if (rest < DWK_B) {
        DWK_X(s2_bytes)(input + 2 * at, input_row, channels, rest, weights, to, output + at);
    } else {
        /* All of them, in two halves, so that each knows where the row ends. */
        DWK_X(s2_bytes)(input + 2 * at, input_row, channels, DWK_B / 2, weights, to, output + at);
        DWK_X(s2_bytes)(input + 2 * at + DWK_B, input_row, channels, DWK_B / 2, weights, to, output + at + DWK_B / 2);
    }
}

#endif

/* Arguments as in dwk_depthwise3x3s1_i8_x86.h. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                         int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                         const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    const int32_t output_row = width * output_step;
#if DWK_JOIN(DWK_ALTERNATE_, DWK_SET, )
    if (channels < DWK_B && channels % 8 == 0 && DWK_B % channels == 0) {
        for (int32_t y = 0; y < rows && first < end; y++) {
            DWK_X(s2_flat)(input + 2 * y * input_row, input_row, width, channels, weights, to, output + y * output_row);
        }
        return;
    }
#endif
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
