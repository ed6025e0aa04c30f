/* dwk_depthwise3x3s1_i8_avx512vnni.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes.
 *
 * dwk_depthwise3x3s1_i8_c64__avx512vnni: chunks of dwk_window_avx512vnni.h, in two rows of outputs at once where there
 * are two; with fewer than 64 channels a chunk is 64 bytes of a row. The bytes of four rows become quads, as in
 * dwk_window_x86.h, once for all outputs around them: with few channels the columns under the kernel are parts of two
 * vectors side by side.
 *
 * Weights: dwk_window_x86.h, two rows. With fewer than 64 channels they repeat until a chunk begins with a pixel. */
#ifndef DWK_DEPTHWISE3X3S1_I8_AVX512VNNI_H
#define DWK_DEPTHWISE3X3S1_I8_AVX512VNNI_H

/* Words of a block of weights, and the most blocks until a chunk begins with a pixel: of 56 channels. */
enum { DWK_S1_WEIGHTS = 2 * 64 + 6 * 64, DWK_S1_BLOCKS = 7 };

/* A row of chunks. Where a chunk is part of a pixel, `spread`, `input` and `output` count as if pixels had 64 bytes. */
typedef struct {
    int32_t spread;      /* bytes from a column under the kernel to the next, 64 at most */
    int32_t input;       /* bytes in a row of the input */
    int32_t output;      /* bytes in a row of outputs */
    int32_t count;       /* bytes of a chunk, but for the end of a row */
    int32_t period;      /* chunks until the same channels come again */
    int32_t step;        /* input, from a chunk to the next */
    int32_t row;         /* input, from a row to the next */
    int32_t output_step; /* the same of the output */
    int32_t output_row;
} dwk_s1_shape;

DWK_INLINE int32_t dwk_s1_least(int32_t one, int32_t two) { return one < two ? one : two; }

/* Vectors of quads that a chunk takes besides its own. */
DWK_INLINE int32_t dwk_s1_kept(const dwk_s1_shape *shape) { return shape->spread > 32 ? 2 : 1; }

/* `count` bytes of the rows under the kernel; of three the last one counts twice. */
DWK_INLINE void dwk_s1_load(const uint8_t *at, const dwk_s1_shape *shape, int rows, int32_t count, __m512i *r)
{
    DWK_UNROLL
    for (int y = 0; y < 4; y++) {
        r[y] = y < rows + 2 ? dwk_chunk(at + y * shape->row, count) : r[y - 1];
    }
}

/* One or two chunks of one or two rows of outputs; the last chunk has `count` bytes. As registers are few, the quads of
 * r, the vectors that are not kept, are made just before they are needed, where a column begins with the first vector
 * of them. */
DWK_INLINE void dwk_s1_outputs(__m512i (*quads)[4], __m512i (*r)[4], int chunks, int rows, const dwk_s1_shape *shape,
                               int32_t count, const uint32_t *restrict weights, const uint32_t *ends,
                               const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t kept = dwk_s1_kept(shape);
    __m512i words[2][2][2];
    DWK_HIDE(weights);
    if (to->fused) {
        DWK_HIDE(ends);
    } else {
        ends = weights;
    }
    DWK_UNROLL
    for (int j = 0; j < 4; j++) {
        DWK_UNROLL
        for (int v = 0; v < 4; v++) {
            if (shape->spread % 16 == 0 && v >= kept && v < kept + chunks) {
                quads[v][j] = dwk_quads_of(dwk_pairs(r[v][0], r[v][1], j), dwk_pairs(r[v][2], r[v][3], j), j);
            }
        }
        const __m512i bias = dwk_sums_at_avx512vnni(ends + 16 * j);
        DWK_UNROLL
        for (int y = 0; y < rows; y++) {
            __m512i sum[2] = {bias, bias};
            DWK_UNROLL
            for (int x = 0; x < 3; x++) {
                const uint32_t *at = weights + DWK_ENDS + 64 * (3 * y + x) + 16 * j;
                const __m512i factors = dwk_factors_at_avx512vnni((const int8_t *)at);
                DWK_UNROLL
                for (int i = 0; i < chunks; i++) {
                    dwk_dot_avx512vnni(&sum[i], dwk_quads_behind(quads, j, 64 * i + x * shape->spread), factors);
                }
            }
            DWK_UNROLL
            for (int i = 0; i < chunks; i++) {
                dwk_gather(to, sum[i], ends, j, words[y][i]);
            }
        }
    }
    DWK_UNROLL
    for (int y = 0; y < rows; y++) {
        DWK_UNROLL
        for (int i = 0; i < chunks; i++) {
            const __m512i bytes = dwk_clamped_avx512vnni(words[y][i][0], words[y][i][1], to);
            dwk_store_avx512vnni(output + y * shape->output_row + i * shape->output_step, bytes, 0, count);
        }
    }
}

/* One or two chunks from number `chunk` on. The first vectors of quads are there, and then are those of the chunk
 * behind. Only at the end of a row a chunk may have fewer bytes. */
DWK_INLINE void dwk_s1_turn(__m512i (*quads)[4], int32_t chunk, int chunks, int is_end, const uint8_t *restrict input,
                            int rows, const dwk_s1_shape *shape, const uint32_t *restrict weights, const uint32_t *ends,
                            const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t kept = dwk_s1_kept(shape);
    __m512i r[4][4];
    DWK_UNROLL
    for (int v = 0; v < 4; v++) {
        if (v >= kept && v < kept + chunks) {
            const int32_t rest = is_end ? shape->input - 64 * (chunk + v) : 64;
            dwk_s1_load(input + (chunk + v) * shape->step, shape, rows, dwk_s1_least(rest, shape->count), r[v]);
            if (shape->spread % 16 != 0) {
                dwk_interleave_avx512vnni(r[v][0], r[v][1], r[v][2], r[v][3], quads[v]);
            }
        }
    }
    const int32_t rest = is_end ? shape->output - 64 * chunk : 64;
    dwk_s1_outputs(quads, r, chunks, rows, shape, dwk_s1_least(rest, shape->count),
                   weights + chunk % shape->period * DWK_S1_WEIGHTS,
                   ends + chunk % shape->period * dwk_ends_step(to, DWK_S1_WEIGHTS), to,
                   output + chunk * shape->output_step);
    DWK_UNROLL
    for (int v = 0; v < 2; v++) {
        if (v < kept) {
            __builtin_memcpy(quads[v], quads[v + chunks], sizeof quads[v]);
        }
    }
}

/* One or two rows of outputs. */
DWK_INLINE void dwk_s1_row(const uint8_t *restrict input, int rows, const dwk_s1_shape *shape,
                           const uint32_t *restrict weights, const uint32_t *ends, const dwk_rounding *to,
                           uint8_t *restrict output)
{
    const int32_t kept = dwk_s1_kept(shape);
    __m512i quads[4][4], r[4];
    DWK_UNROLL
    for (int v = 0; v < 4; v++) {
        /* Zeros where they are not kept, so that none is without a value. */
        const int32_t count = v < kept ? dwk_s1_least(shape->input - 64 * v, shape->count) : 0;
        dwk_s1_load(input + v * shape->step, shape, rows, count, r);
        dwk_interleave_avx512vnni(r[0], r[1], r[2], r[3], quads[v]);
    }
    int32_t chunk = 0;
    for (; shape->period == 1 && 64 * (chunk + 2 + kept) <= shape->input; chunk += 2) {
        dwk_s1_turn(quads, chunk, 2, 0, input, rows, shape, weights, ends, to, output);
    }
    for (; shape->period > 1 && 64 * (chunk + 1 + kept) <= shape->input; chunk++) {
        dwk_s1_turn(quads, chunk, 1, 0, input, rows, shape, weights, ends, to, output);
    }
    for (; 64 * chunk < shape->output; chunk++) {
        dwk_s1_turn(quads, chunk, 1, 1, input, rows, shape, weights, ends, to, output);
    }
}

/* `rows` rows of outputs of `count` channels, or of all where there are fewer than 64. */
DWK_INLINE void dwk_s1_rows(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                            int32_t channels, int32_t count, const uint32_t *restrict weights, const dwk_rounding *to,
                            uint8_t *restrict output, int32_t output_step)
{
    const int is_flat = channels < 64;
    const dwk_s1_shape shape = {
        .spread = is_flat ? channels : 64,
        .input = (width + 2) * (is_flat ? channels : 64),
        .output = width * (is_flat ? channels : 64),
        .count = is_flat ? 64 : count,
        .period = !is_flat || channels == 32 ? 1 : channels / (channels % 16 ? 8 : 16),
        .step = is_flat ? 64 : channels,
        .row = input_row,
        .output_step = is_flat ? 64 : output_step,
        .output_row = width * output_step,
    };
    uint32_t room[DWK_S1_BLOCKS * DWK_FUSED_ENDS];
    const uint32_t *ends = dwk_ends(to, weights, shape.period, DWK_S1_WEIGHTS, room);
    int32_t y = 0;
    for (; y + 2 <= rows; y += 2) {
        dwk_s1_row(input + y * input_row, 2, &shape, weights, ends, to, output + y * shape.output_row);
    }
    if (y < rows) {
        dwk_s1_row(input + y * input_row, 1, &shape, weights, ends, to, output + y * shape.output_row);
    }
}

/* Arguments as in dwk_depthwise3x3s1_i8_x86.h. */
DWK_INLINE void dwk_depthwise3x3s1_i8_c64__avx512vnni(const uint8_t *restrict input, int32_t input_row, int32_t rows,
                                                      int32_t width, int32_t channels, int32_t first, int32_t end,
                                                      const uint32_t *restrict weights, const dwk_rounding *to,
                                                      uint8_t *restrict output, int32_t output_step)
{
    int32_t c = first;
    weights += first / 64 * DWK_S1_WEIGHTS;
    for (; c + 64 <= end; c += 64) {
        dwk_s1_rows(input + c, input_row, rows, width, channels, 64, weights, to, output + c, output_step);
        weights += DWK_S1_WEIGHTS;
    }
    if (c < end) {
        dwk_s1_rows(input + c, input_row, rows, width, channels, end - c, weights, to, output + c, output_step);
    }
}

#endif
