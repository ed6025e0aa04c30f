/* dwk_window_bf16_x86.h: what the depthwise kernels of bfloat16 for x86 share.
 *
 * At one column of the image, the values of four rows become pairs (r0, r1) and (r2, r3) of 32 channels. For a row of
 * outputs the factors of a column are (w0, w1) and (w2, 0), for the row below it (0, w0) and (w1, w2): one interleave
 * serves two rows, and while it stays in registers all three columns under the kernel.
 *
 * Weights, for each 32 channels: the biases (float32), the lower and the upper bounds (bfloat16; -0 or less, and 0 or
 * more), then for each row of outputs that is computed at once, each column under the kernel and each of the two pairs of
 * rows, 32 words of two factors, of the upper row in the lower half. Channels in the order of dwk_avx512bf16.h, those of
 * the bounds in their own. */
#ifndef DWK_WINDOW_BF16_X86_H
#define DWK_WINDOW_BF16_X86_H

#include "dwk_avx512bf16.h"

/* Values in a vector; words before the factors, and of the factors of a row of outputs. */
#define DWK_B_BF16 32
#define DWK_HEAD_BF16 (2 * DWK_B_BF16)
#define DWK_ROW_BF16 (3 * 2 * DWK_B_BF16)

/* Pairs of `count` values; of three rows the last one counts twice. */
DWK_INLINE void dwk_column_bf16(const dwk_bf16 *at, int32_t row, int rows, int32_t count, __m512i *pairs)
{
    __m512i r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        const dwk_bf16 *from = at + (i < rows ? i : rows - 1) * row;
        r[i] = count >= DWK_B_BF16 ? dwk_load_avx512bf16(from) : dwk_part_avx512bf16(from, count);
    }
    dwk_interleave_avx512bf16(r[0], r[1], pairs);
    dwk_interleave_avx512bf16(r[2], r[3], pairs + 2);
}

/* The factors of the upper row of outputs, to be held in registers: 64 bytes a cycle is all that memory gives. */
DWK_INLINE void dwk_hold_bf16(const uint32_t *restrict weights, __m512i *held)
{
    DWK_UNROLL
    for (int i = 0; i < 12; i++) {
        held[i] = dwk_pairs_at_avx512bf16(weights + DWK_HEAD_BF16 + i * 16);
    }
}

/* 32 outputs of one or two rows from the three columns under the kernel. Sums take turns, as each waits for its last
 * product. */
DWK_INLINE void dwk_outputs_bf16(const __m512i *left, const __m512i *middle, const __m512i *right,
                                 const uint32_t *restrict weights, const __m512i *held, int rows, __m512i *values)
{
    const uint32_t *lower = weights + DWK_HEAD_BF16 + DWK_ROW_BF16;
    const dwk_bf16 *low = (const dwk_bf16 *)(weights + DWK_B_BF16), *high = low + DWK_B_BF16;
    const __m512i *columns[3] = {left, middle, right};
    __m512 sum[2][2];
    DWK_UNROLL
    for (int j = 0; j < 2; j++) {
        sum[0][j] = sum[1][j] = dwk_sums_at_avx512bf16(weights + j * 16);
    }
    DWK_UNROLL
    for (int i = 0; i < 12; i++) {
        __m512i pairs = columns[i / 4][i % 4];
        dwk_dot_avx512bf16(&sum[0][i % 2], pairs, held[i]);
        if (rows == 2) {
            dwk_dot_at_avx512bf16(&sum[1][i % 2], pairs, lower + i * 16);
        }
    }
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        values[y] = dwk_ordered_avx512bf16(dwk_rounded_avx512bf16(sum[y][0], sum[y][1]));
        values[y] = dwk_clamped_avx512bf16(values[y], low, high);
    }
}

#endif
