/* dwk_depthwise3x3_i8_rv64.h: 3x3 depthwise convolution of bytes, of the stride that the name says, rounded to bytes.
 *
 * dwk_depthwise3x3s<S>_i8_c8__rv64: one channel at a time, two rows of outputs in one register where there are two. The
 * bytes of a column under the kernel stay in registers until the kernel has left it.
 *
 * Form: DWK_STRIDE (S).
 *
 * Weights: for each 8 channels the biases (s32), the multipliers (f32), then the nine factors (s8) from the top left to
 * the bottom right. */
#include "dwk_rv64.h"

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s, DWK_STRIDE, _i8_c8__rv64)
#define DWK_NAME_OF_COLUMN DWK_JOIN(DWK_NAME, _column, )
#define DWK_NAME_OF_ROWS DWK_JOIN(DWK_NAME, _rows, )

/* The bytes of a column under the kernel, for one row of outputs or two. */
DWK_INLINE void DWK_NAME_OF_COLUMN(int rows, const uint8_t *restrict at, int32_t input_row, dwk_two column[3])
{
    DWK_UNROLL_ALL
    for (int i = 0; i < 3; i++) {
        column[i] = dwk_two_of(at[i * input_row], rows == 2 ? at[(i + DWK_STRIDE) * input_row] : 0);
    }
}

/* One or two rows of outputs of a channel. */
DWK_INLINE void DWK_NAME_OF_ROWS(int rows, const uint8_t *restrict input, int32_t input_row, int32_t width,
                                 int32_t channels, const uint32_t *restrict weights, const int8_t *restrict factors,
                                 const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    const dwk_two bias = dwk_twice(weights[0]);
    dwk_two w[9], column[3][3];
    DWK_UNROLL_ALL
    for (int i = 0; i < 9; i++) {
        w[i] = (dwk_two)(int64_t)factors[8 * i];
    }
    DWK_NAME_OF_COLUMN(rows, input, input_row, column[0]);
    for (int32_t x = 0; x < width; x++) {
#if DWK_STRIDE == 1
        if (x == 0) {
            DWK_NAME_OF_COLUMN(rows, input + channels, input_row, column[1]);
        }
#else
        DWK_NAME_OF_COLUMN(rows, input + channels, input_row, column[1]);
#endif
        DWK_NAME_OF_COLUMN(rows, input + 2 * channels, input_row, column[2]);
        dwk_two sums = bias;
        DWK_UNROLL_ALL
        for (int i = 0; i < 9; i++) {
            sums += column[i % 3][i / 3] * w[i];
        }
        output[0] = dwk_byte_of(to, dwk_lower(sums), weights[8]);
        if (rows == 2) {
            output[width * output_step] = dwk_byte_of(to, dwk_upper(sums), weights[8]);
        }
        DWK_UNROLL_ALL
        for (int i = 0; i < 3; i++) {
            column[0][i] = column[DWK_STRIDE][i];
            column[1][i] = column[2][i];
        }
        input += DWK_STRIDE * channels;
        output += output_step;
    }
}

/* input: the top left byte under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute. output: pixels of output_step bytes, without gaps between the rows. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                           const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    for (int32_t c = first; c < end; c++) {
        const uint32_t *group = weights + c / 8 * 34, *own = group + c % 8;
        const int8_t *factors = (const int8_t *)(group + 16) + c % 8;
        const uint8_t *from = input + c;
        uint8_t *target = output + c;
        for (int32_t left = rows; left > 0; left -= 2) {
            if (left > 1) {
                DWK_NAME_OF_ROWS(2, from, input_row, width, channels, own, factors, to, target, output_step);
            } else {
                DWK_NAME_OF_ROWS(1, from, input_row, width, channels, own, factors, to, target, output_step);
            }
            from += 2 * DWK_STRIDE * input_row;
            target += 2 * width * output_step;
        }
    }
}

#undef DWK_NAME_OF_ROWS
#undef DWK_NAME_OF_COLUMN
#undef DWK_NAME
#undef DWK_STRIDE
