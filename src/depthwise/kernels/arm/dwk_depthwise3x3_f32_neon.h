/* dwk_depthwise3x3_f32_neon.h: the body of the depthwise kernels of floats for ARM.
 *
 * Needs the form of dwk_depthwise3x3s1_f32_neon.h or dwk_depthwise3x3s2_f32_neon.h, and DWK_STRIDE. */
#include <arm_neon.h>

#include "dwk_vector.h"

#ifndef DWK_COLUMN_F32
#define DWK_COLUMN_F32
/* A column of pixels under a depthwise kernel, of four channels. */
typedef struct {
    float32x4_t row[5];
} dwk_column_f32;

/* The last ones of fewer rows than five are those of the last one. */
DWK_INLINE dwk_column_f32 dwk_column_f32_at(const dwk_float *at, ptrdiff_t row, int rows)
{
    dwk_column_f32 column;
    DWK_UNROLL
    for (int i = 0; i < 5; i++) {
        column.row[i] = vld1q_f32((const float *)(at + (i < rows ? i : rows - 1) * row));
    }
    return column;
}

/* Adds the products of a column. */
DWK_INLINE float32x4_t dwk_three_products(float32x4_t sum, const float32x4_t *rows, const float32x4_t *factors)
{
    DWK_UNROLL
    for (int i = 0; i < 3; i++) {
        sum = vfmaq_f32(sum, factors[i], rows[i]);
    }
    return sum;
}
#endif

#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s, DWK_STRIDE, DWK_JOIN(_f32_, DWK_ACTIVATION, _c4__neon))
#define DWK_NAME_OF_LINE DWK_JOIN(DWK_NAME, _line, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, _v4)
#define DWK_LOAD(address) vld1q_f32((const float *)(address))
/* Rows of the image under two rows of outputs. */
#define DWK_ROWS (3 + DWK_STRIDE)

/* One row of outputs, or two where `lower` is 1. */
DWK_INLINE void DWK_NAME_OF_LINE(int lower, const dwk_float *restrict input, ptrdiff_t row, int32_t width,
                                 int32_t channels, const dwk_float *restrict weights, dwk_float *restrict output,
                                 ptrdiff_t step)
{
    const int rows = lower ? DWK_ROWS : 3;
    /* Column by column. */
    float32x4_t factor[9];
    const float32x4_t bias = DWK_LOAD(weights);
    DWK_UNROLL
    for (int i = 0; i < 9; i++) {
        factor[i] = DWK_LOAD(weights + 4 * (1 + i % 3 * 3 + i / 3));
    }
    dwk_column_f32 first = dwk_column_f32_at(input, row, rows);
    dwk_column_f32 second = dwk_column_f32_at(input + channels, row, rows);
    /* So many steps at a time that no column has to be moved. */
    DWK_STEPS
    for (int32_t x = 0; x < width; x++) {
        if (DWK_STRIDE == 2) {
            second = dwk_column_f32_at(input + channels, row, rows);
        }
        const dwk_column_f32 third = dwk_column_f32_at(input + 2 * channels, row, rows);
        dwk_float *to = lower ? output + x * 2 * step : output + x / 2 * 2 * step + x % 2 * 4;
        DWK_UNROLL
        for (int i = 0; i <= lower; i++) {
            float32x4_t sum = dwk_three_products(bias, first.row + i * DWK_STRIDE, factor);
            sum = dwk_three_products(sum, second.row + i * DWK_STRIDE, factor + 3);
            sum = dwk_three_products(sum, third.row + i * DWK_STRIDE, factor + 6);
            dwk_v4 value = (dwk_v4)sum;
            DWK_ACTIVATE(&value);
            *(dwk_v4 *)(to + 4 * i) = value;
        }
        first = DWK_STRIDE == 2 ? third : second;
        second = third;
        input += DWK_STRIDE * channels;
    }
}

/* input: the top left value under the kernel of the first output, padding included; input_row floats from row to row.
 * first, end: the channels to compute, from a multiple of 4 to before a multiple of 4.
 * output: pairs of pixels of output_step floats each. */
DWK_FUNCTION void DWK_NAME(const dwk_float *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const dwk_float *restrict weights,
                           dwk_float *restrict output, int32_t output_step)
{
    weights += 10 * first;
    for (int32_t c = first; c < end; c += 4) {
        const dwk_float *top = input + c;
        dwk_float *target = output + 2 * c;
        for (int32_t pair = 0; pair < rows / 2; pair++) {
            DWK_NAME_OF_LINE(1, top, input_row, width, channels, weights, target, output_step);
            top += 2 * DWK_STRIDE * input_row;
            target += 2 * width * output_step;
        }
        if (rows % 2) {
            DWK_NAME_OF_LINE(0, top, input_row, width, channels, weights, target, output_step);
        }
        weights += 40;
    }
}

#undef DWK_ROWS
#undef DWK_LOAD
#undef DWK_ACTIVATE
#undef DWK_NAME_OF_LINE
#undef DWK_NAME
#undef DWK_STEPS
#undef DWK_STRIDE
#undef DWK_ACTIVATION
