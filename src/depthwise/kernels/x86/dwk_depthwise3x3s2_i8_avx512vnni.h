/* dwk_depthwise3x3s2_i8_avx512vnni.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes.
 *
 * dwk_depthwise3x3s2_i8_c64__avx512vnni: chunks of dwk_window_avx512vnni.h; with 8, 16 or 32 channels a chunk is 64
 * bytes of a row. An output has columns a, b and c under the kernel, and c is the a of the next one. Of rows 0, 1 and
 * 2 the quad (c0, c1, b2, c2) gives four of the nine products, and to the next output, whose quad on the left it is,
 * three more; its b2 then counts for nothing. The other two come from b0 and b1, which share a quad with those of the
 * chunk beside. That takes a quarter less of interleaving than a quad for each column.
 *
 * Weights, for each 64 channels: 64 sums to begin with (the bias), 64 multipliers, then 64 quads of factors each for
 * the quad on the left, that on the right, and the middle of a first and of a second chunk. Channels as in dwk_x86.h.
 * With fewer than 64 channels they repeat. */
#ifndef DWK_DEPTHWISE3X3S2_I8_AVX512VNNI_H
#define DWK_DEPTHWISE3X3S2_I8_AVX512VNNI_H

enum { DWK_S2_WEIGHTS = 2 * 64 + 4 * 64 };

/* Whether a chunk is 64 bytes of a row, and not of a pixel. */
DWK_INLINE int dwk_s2_is_flat(int32_t channels) { return channels == 8 || channels == 16 || channels == 32; }

/* Every second pixel of `bytes` bytes (8, 16 or 32), from the first of two vectors on or from the second pixel on. */
DWK_INLINE __m512i dwk_s2_alternate(__m512i one, __m512i two, int32_t bytes, int odd)
{
    if (bytes == 32) {
        return odd ? _mm512_shuffle_i64x2(one, two, 0xee) : _mm512_shuffle_i64x2(one, two, 0x44);
    }
    if (bytes == 16) {
        return odd ? _mm512_shuffle_i64x2(one, two, 0xdd) : _mm512_shuffle_i64x2(one, two, 0x88);
    }
    const __m512i pairs = odd ? _mm512_unpackhi_epi64(one, two) : _mm512_unpacklo_epi64(one, two);
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), pairs);
}

/* Columns b and c of a chunk of `count` outputs, three rows of each. Nothing is read behind the last of them. */
DWK_INLINE void dwk_s2_columns(const uint8_t *at, int32_t row, int32_t channels, int32_t count, __m512i *b, __m512i *c)
{
    DWK_UNROLL
    for (int y = 0; y < 3; y++) {
        const uint8_t *from = at + y * row + channels;
        if (dwk_s2_is_flat(channels)) {
            const __m512i one = dwk_chunk(from, 2 * count), two = dwk_chunk(from + 64, 2 * count - 64);
            b[y] = dwk_s2_alternate(one, two, channels, 0);
            c[y] = dwk_s2_alternate(one, two, channels, 1);
        } else {
            b[y] = dwk_chunk(from, count);
            c[y] = dwk_chunk(from + channels, count);
        }
    }
}

/* One or two chunks of outputs, the last of `count` bytes. right[0]: the quads on the right of the chunk before, and
 * then of the last of these. */
DWK_INLINE void dwk_s2_outputs(const uint8_t *restrict input, int32_t input_row, int32_t channels, int chunks,
                               int32_t count, __m512i (*right)[4], const uint32_t *restrict weights,
                               const uint32_t *ends, const dwk_rounding *to, uint8_t *restrict output,
                               int32_t output_step)
{
    const int is_flat = dwk_s2_is_flat(channels);
    __m512i b[2][3], c[2][3], words[2][2];
    DWK_HIDE(weights);
    if (to->fused) {
        DWK_HIDE(ends);
    } else {
        ends = weights;
    }
    DWK_UNROLL
    for (int i = 0; i < chunks; i++) {
        dwk_s2_columns(input + i * (is_flat ? 128 : 2 * channels), input_row, channels, count, b[i], c[i]);
    }
    DWK_UNROLL
    for (int j = 0; j < 4; j++) {
        /* In a row a column on the left is made of several vectors, else of this one. */
        DWK_UNROLL
        for (int place = 0; place < 4 * chunks; place++) {
            const int i = place / 4, of = place % 4;
            if (is_flat ? j == 0 : of == j) {
                right[i + 1][of] = dwk_quads_of(dwk_pairs(c[i][0], c[i][1], of), dwk_pairs(b[i][2], c[i][2], of), of);
            }
        }
        const int8_t *factors = (const int8_t *)(weights + DWK_ENDS + 16 * j);
        const __m512i on_left = dwk_factors_at_avx512vnni(factors);
        const __m512i on_right = dwk_factors_at_avx512vnni(factors + 256);
        const __m512i one = dwk_pairs(b[0][0], b[0][1], j);
        const __m512i middle = dwk_quads_of(one, dwk_pairs(b[chunks - 1][0], b[chunks - 1][1], j), j);
        DWK_UNROLL
        for (int i = 0; i < chunks; i++) {
            const __m512i left = is_flat ? dwk_quads_behind(right + i, j, 64 - channels) : right[i][j];
            __m512i sum = dwk_sums_at_avx512vnni(ends + 16 * j);
            dwk_dot_avx512vnni(&sum, left, on_left);
            dwk_dot_at_avx512vnni(&sum, middle, factors + (2 + i) * 256);
            dwk_dot_avx512vnni(&sum, right[i + 1][j], on_right);
            dwk_gather(to, sum, ends, j, words[i]);
        }
    }
    DWK_UNROLL
    for (int i = 0; i < chunks; i++) {
        const __m512i bytes = dwk_clamped_avx512vnni(words[i][0], words[i][1], to);
        dwk_store_avx512vnni(output + i * output_step, bytes, 0, count);
    }
    __builtin_memcpy(right[0], right[chunks], sizeof right[0]);
}

/* A row of outputs of `count` channels, or of all where there are fewer than 64. */
DWK_INLINE void dwk_s2_row(const uint8_t *restrict input, int32_t input_row, int32_t width, int32_t channels,
                           int32_t count, const uint32_t *restrict weights, const uint32_t *ends,
                           const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    const int is_flat = dwk_s2_is_flat(channels);
    const int32_t step = is_flat ? 128 : 2 * channels, bytes = width * (is_flat ? channels : 64);
    __m512i right[3][4], a[3];
    DWK_UNROLL
    for (int y = 0; y < 3; y++) {
        /* The first pixel; in a row it is the last of a chunk. */
        const uint8_t *from = input + y * input_row;
        a[y] = is_flat ? _mm512_maskz_loadu_epi8(~(__mmask64)0 << (64 - channels), from + channels - 64)
                       : dwk_chunk(from, count);
    }
    dwk_interleave_avx512vnni(a[0], a[1], a[2], a[2], right[0]);
    output_step = is_flat ? 64 : output_step;
    int32_t at = 0;
    for (; at + 128 <= bytes; at += 128) {
        dwk_s2_outputs(input, input_row, channels, 2, is_flat ? 64 : count, right, weights, ends, to, output,
                       output_step);
        input += 2 * step;
        output += 2 * output_step;
    }
    for (; at < bytes; at += 64) {
        const int32_t rest = bytes - at < 64 ? bytes - at : 64;
        dwk_s2_outputs(input, input_row, channels, 1, is_flat ? rest : count, right, weights, ends, to, output,
                       output_step);
        input += step;
        output += output_step;
    }
}

/* `rows` rows of outputs of `count` channels, or of all where there are fewer than 64. */
DWK_INLINE void dwk_s2_rows(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                            int32_t channels, int32_t count, const uint32_t *restrict weights, const dwk_rounding *to,
                            uint8_t *restrict output, int32_t output_step)
{
    uint32_t room[DWK_FUSED_ENDS];
    const uint32_t *ends = dwk_ends(to, weights, 1, DWK_S2_WEIGHTS, room);
    for (int32_t y = 0; y < rows; y++) {
        dwk_s2_row(input + 2 * y * input_row, input_row, width, channels, count, weights, ends, to,
                   output + y * width * output_step, output_step);
    }
}

/* Arguments as in dwk_depthwise3x3s1_i8_x86.h. */
DWK_INLINE void dwk_depthwise3x3s2_i8_c64__avx512vnni(const uint8_t *restrict input, int32_t input_row, int32_t rows,
                                                      int32_t width, int32_t channels, int32_t first, int32_t end,
                                                      const uint32_t *restrict weights, const dwk_rounding *to,
                                                      uint8_t *restrict output, int32_t output_step)
{
    int32_t c = first;
    weights += first / 64 * DWK_S2_WEIGHTS;
    for (; c + 64 <= end; c += 64) {
        dwk_s2_rows(input + c, input_row, rows, width, channels, 64, weights, to, output + c, output_step);
        weights += DWK_S2_WEIGHTS;
    }
    if (c < end) {
        dwk_s2_rows(input + c, input_row, rows, width, channels, end - c, weights, to, output + c, output_step);
    }
}

#endif
