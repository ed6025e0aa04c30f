/* dwk_window_x86.h: what the depthwise kernels share; each vocabulary includes it once.
 *
 * At one column of the image, the bytes of four rows become quads (r0, r1, r2, r3) of B = 4 L channels. For a row of
 * outputs the factors of a column are (w0, w1, w2, 0), for the row below it (0, w0, w1, w2): one interleave serves two
 * rows, and while it stays in registers all three columns under the kernel.
 *
 * Weights, for each B channels: B sums to begin with (the bias), B multipliers, then for each row of outputs that is
 * computed at once, and each column under the kernel, B quads of factors. Channels as in dwk_x86.h.
 *
 * Form: DWK_SET. */
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_B (4 * DWK_L)
#define DWK_F DWK_JOIN(DWK_FACTORS_, DWK_SET, )

/* Quads of `count` bytes; of three rows the last one counts twice. */
DWK_INLINE void DWK_X(column)(const uint8_t *at, int32_t row, int rows, int32_t count, DWK_X(quads) *quads)
{
    DWK_X(bytes) r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        const uint8_t *from = at + (i < rows ? i : rows - 1) * row;
        r[i] = count >= DWK_B ? DWK_X(load)(from) : DWK_X(part)(from, count);
    }
    DWK_X(interleave)(r[0], r[1], r[2], r[3], quads);
}

/* `count` outputs of each of `rows` rows from the three columns under the kernel. Bias and multiplier of a vector are
 * read once for all rows. */
DWK_INLINE void DWK_X(outputs)(const DWK_X(quads) *left, const DWK_X(quads) *middle, const DWK_X(quads) *right,
                               const uint32_t *restrict weights, int rows, const dwk_rounding *to, int32_t count,
                               uint8_t *restrict output, int32_t output_row)
{
    DWK_X(sums) r[2][4];
    DWK_UNROLL
    for (int j = 0; j < 4; j++) {
        const DWK_X(sums) bias = DWK_X(sums_at)(weights + j * DWK_L);
        const DWK_X(multiplier) multiplier = DWK_X(multiplier_at)(weights + DWK_B + j * DWK_L);
        DWK_UNROLL
        for (int y = 0; y < rows; y++) {
            const int8_t *factors = (const int8_t *)(weights + 2 * DWK_B) + y * (12 * DWK_F);
            DWK_X(sums) sum = bias;
            DWK_X(dot_at)(&sum, left[j], factors + j * DWK_F);
            DWK_X(dot_at)(&sum, middle[j], factors + (4 + j) * DWK_F);
            DWK_X(dot_at)(&sum, right[j], factors + (8 + j) * DWK_F);
            r[y][j] = DWK_X(rounded)(sum, multiplier);
        }
    }
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        DWK_X(store)(output + y * output_row, DWK_X(packed)(r[y][0], r[y][1], r[y][2], r[y][3], to), 0, count);
    }
}

#undef DWK_F
#undef DWK_B
#undef DWK_L
#undef DWK_SET
