/* dwk_window_bf16_x86.h: what the depthwise kernels of bfloat16 for x86 share.
 *
 * At one column of the image, the values of four rows become pairs (r0, r1) and (r2, r3) of 32 channels. For a row of
 * outputs the factors of a column are (w0, w1) and (w2, 0), for the row below it (0, w0) and (w1, w2): one interleave
 * serves two rows, and while it stays in registers all three columns under the kernel.
 *
 * Weights, for each 32 channels: the biases (float32), the lower and the upper bounds (bfloat16; -0 or less, and 0 or
 * more), then for each row of outputs that is computed at once, each column under the kernel and each of the two pairs
 * of rows, 32 words of two factors, of the upper row in the lower half. Channels in the order of dwk_avx512bf16.h,
 * those of the bounds in their own. */
#ifndef DWK_WINDOW_BF16_X86_H
#define DWK_WINDOW_BF16_X86_H

/* Values in a vector; words before the factors, and of the factors of a row of outputs. */
#define DWK_B_BF16 32
#define DWK_HEAD_BF16 (2 * DWK_B_BF16)
#define DWK_ROW_BF16 (3 * 2 * DWK_B_BF16)
#define DWK_WORDS_avx512bf16(rows) (DWK_HEAD_BF16 + (rows) * DWK_ROW_BF16)

/* Pairs of `count` values; of three rows the last one counts twice. */
DWK_INLINE void dwk_column_avx512bf16(const dwk_bf16 *at, int32_t row, int rows, int32_t count, __m512i *pairs)
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

/* 32 outputs of one or two rows and pixels, from the columns under the kernel, three for the first pixel and one more
 * for the next. Each factor is read once for all pixels: loads, one a cycle, would take longer than the products. */
DWK_INLINE void dwk_outputs_avx512bf16(__m512i (*columns)[4], int pixels, int rows, const uint32_t *restrict weights,
                                       __m512i (*values)[2])
{
    __m512 sum[2][2][2];
    const dwk_bf16 *low = (const dwk_bf16 *)(weights + DWK_B_BF16), *high = low + DWK_B_BF16;
    DWK_UNROLL
    for (int j = 0; j < 2 * rows; j++) {
        const int half = j % 2, y = j / 2;
        DWK_UNROLL
        for (int i = 0; i < pixels; i++) {
            sum[y][i][half] = dwk_sums_at_avx512bf16(weights + half * 16);
        }
        DWK_UNROLL
        for (int k = 0; k < 6; k++) {
            const int place = 2 * k + half;
            __m512i factors = dwk_pairs_at_avx512bf16(weights + DWK_HEAD_BF16 + y * DWK_ROW_BF16 + place * 16);
            DWK_UNROLL
            for (int i = 0; i < pixels; i++) {
                dwk_dot_avx512bf16(&sum[y][i][half], columns[i + place / 4][place % 4], factors);
            }
        }
    }
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        DWK_UNROLL
        for (int i = 0; i < pixels; i++) {
            __m512i found = dwk_ordered_avx512bf16(dwk_rounded_avx512bf16(sum[y][i][0], sum[y][i][1]));
            values[y][i] = dwk_clamped_avx512bf16(found, low, high);
        }
    }
}

#endif
