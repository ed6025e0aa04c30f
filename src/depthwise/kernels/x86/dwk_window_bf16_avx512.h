/* dwk_window_bf16_avx512.h: what the depthwise kernels of bfloat16 share in any AVX-512: products of float32.
 *
 * The values of a column stay as they are in registers, and are made floats where they are multiplied, those at even
 * places apart from those at odd ones.
 *
 * Weights, for each 32 channels: the biases (float32) of the even channels and of the odd ones, the lower and the upper
 * bounds (bfloat16; -0 or less, and 0 or more) in the order of the channels, then for each of the nine factors, as
 * float32, those of the even channels and of the odd ones. */
#ifndef DWK_WINDOW_BF16_AVX512_H
#define DWK_WINDOW_BF16_AVX512_H

/* Words of 32 channels, whatever rows are computed at once. */
#define DWK_WORDS_avx512(rows) (2 * 32 + 9 * 32)

/* `count` values of up to four rows. */
DWK_INLINE void dwk_column_avx512(const dwk_bf16 *at, int32_t row, int rows, int32_t count, __m512i *values)
{
    DWK_UNROLL
    for (int i = 0; i < rows; i++) {
        values[i] = count >= 32 ? dwk_load_avx512(at + i * row) : dwk_part_avx512(at + i * row, count);
    }
}

/* 32 outputs of one or two rows and pixels, from the columns under the kernel, three for the first pixel and one more
 * for the next. */
DWK_INLINE void dwk_outputs_avx512(__m512i (*columns)[4], int pixels, int rows, const uint32_t *restrict weights,
                                   __m512i (*values)[2])
{
    __m512 sum[2][2][2];
    const dwk_bf16 *low = (const dwk_bf16 *)(weights + 32), *high = low + 32;
    DWK_UNROLL
    for (int half = 0; half < 2; half++) {
        DWK_UNROLL
        for (int at = 0; at < 4; at++) {
            sum[half][at / 2][at % 2] = _mm512_loadu_ps(weights + 16 * half);
        }
        DWK_UNROLL
        for (int place = 0; place < (pixels + 2) * (rows + 2); place++) {
            const int column = place / (rows + 2), row = place % (rows + 2);
            const __m512i both = columns[column][row];
            const __m512 value = half ? dwk_odd_avx512(both) : dwk_even_avx512(both);
            DWK_UNROLL
            for (int of = 0; of < 4; of++) {
                const int y = of / 2, x = of % 2, down = row - y, right = column - x;
                if (y < rows && x < pixels && down >= 0 && down < 3 && right >= 0 && right < 3) {
                    const __m512 factors = _mm512_loadu_ps(weights + 64 + 32 * (3 * down + right) + 16 * half);
                    sum[half][y][x] = _mm512_fmadd_ps(value, factors, sum[half][y][x]);
                }
            }
        }
    }
    DWK_UNROLL
    for (int of = 0; of < 4; of++) {
        if (of / 2 < rows && of % 2 < pixels) {
            const __m512i found = dwk_merged_avx512(sum[0][of / 2][of % 2], sum[1][of / 2][of % 2]);
            values[of / 2][of % 2] = dwk_clamped_avx512(found, low, high);
        }
    }
}

#endif
