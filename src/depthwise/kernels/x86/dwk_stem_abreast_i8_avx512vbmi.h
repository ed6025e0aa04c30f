/* dwk_stem_abreast_i8_avx512vbmi.h: the first convolution, of 3x3 pixels of three bytes, with pixels in the lanes.
 *
 * dwk_stem_abreast_i8_p16[r<R>]_c1x<N>__avx512vbmi: 16 outputs of N channels, a multiple of 8, at a time, the last time
 * in each row R, where 16 does not divide it. A vector holds one channel of 16 pixels, as few channels would leave much
 * of one empty; the factors are spread, and the quads of 16 pixels gathered out of a row by a permutation of its bytes,
 * once for all channels. Seven dot products a channel, as in dwk_stem_i8_x86.h.
 *
 * Form: DWK_REST (R, or 0), DWK_LANES (N).
 *
 * Weights: N sums to begin with (the bias), N multipliers, then for each of the seven quads of dwk_stem_i8_x86.h N
 * quads of factors, one a channel. */
#ifndef DWK_STEM_ABREAST_I8_AVX512VBMI_H
#define DWK_STEM_ABREAST_I8_AVX512VBMI_H

/* From an output's bytes to those of the next one, and from the first to the second of two vectors that together hold
 * the bytes of 16 outputs. */
enum {
    DWK_ABREAST_STEP = 6,
    DWK_ABREAST_BYTES = 15 * DWK_ABREAST_STEP + 9,
    DWK_ABREAST_SECOND = DWK_ABREAST_BYTES - 64
};

/* Where in the two vectors the bytes from `first` on lie, four for each of 16 pixels. */
DWK_INLINE __m512i dwk_abreast_places(int first)
{
    const __m512i pixels = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i at = _mm512_mullo_epi32(pixels, _mm512_set1_epi32(DWK_ABREAST_STEP * 0x01010101));
    at = _mm512_add_epi8(at, _mm512_set1_epi32(0x03020100 + first * 0x01010101));
    const __mmask64 is_second = _mm512_cmpgt_epu8_mask(at, _mm512_set1_epi8(63));
    return _mm512_mask_add_epi8(at, is_second, at, _mm512_set1_epi8(64 - DWK_ABREAST_SECOND));
}

/* The seven quads of `count` outputs; the last of a row may end before the two vectors do. */
DWK_INLINE void dwk_abreast_quads(const uint8_t *input, int32_t row, int count, __m512i *quads)
{
    const int32_t bytes = (count - 1) * DWK_ABREAST_STEP + 9, second = bytes - DWK_ABREAST_SECOND;
    __m512i ninth[3];
    DWK_UNROLL
    for (int y = 0; y < 3; y++) {
        const uint8_t *from = input + y * row;
        __m512i one = dwk_part_avx512vnni(from, bytes);
        __m512i two = second > 0 ? dwk_part_avx512vnni(from + DWK_ABREAST_SECOND, second) : one;
        quads[2 * y] = _mm512_permutex2var_epi8(one, dwk_abreast_places(0), two);
        quads[2 * y + 1] = _mm512_permutex2var_epi8(one, dwk_abreast_places(4), two);
        /* Of bytes 8 - y to 11 - y number y is the ninth of the row. */
        ninth[y] = _mm512_maskz_permutex2var_epi8(0x1111111111111111u << y, one, dwk_abreast_places(8 - y), two);
    }
    quads[6] = _mm512_or_si512(_mm512_or_si512(ninth[0], ninth[1]), ninth[2]);
}

/* Four channels from `c` on of N, for each pixel side by side. */
DWK_INLINE __m512i dwk_abreast_four(const __m512i *quads, int32_t N, int32_t c, const uint32_t *restrict weights,
                                    const dwk_rounding *to)
{
    __m512i r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        __m512i sum = _mm512_set1_epi32((int32_t)weights[c + i]);
        DWK_UNROLL
        for (int quad = 0; quad < 7; quad++) {
            dwk_dot_avx512vnni(&sum, quads[quad], _mm512_set1_epi32((int32_t)weights[(2 + quad) * N + c + i]));
        }
        const __m512 multiplier = _mm512_castsi512_ps(_mm512_set1_epi32((int32_t)weights[N + c + i]));
        r[i] = dwk_rounded_avx512vnni(sum, multiplier);
    }
    const __m512i across = _mm512_set4_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
    return _mm512_shuffle_epi8(dwk_packed_avx512vnni(r[0], r[1], r[2], r[3], to), across);
}

/* Of each four of 16 pixels the outputs' 16 bytes number `piece`. pairs[2 i], pairs[2 i + 1]: eight channels from 8 i
 * on, of the first two and of the last two of four pixels. */
DWK_INLINE __m512i dwk_abreast_piece(const __m512i *pairs, int32_t N, int32_t piece)
{
    const int32_t eights = N / 8, one = 2 * piece, two = 2 * piece + 1;
    const int32_t pixel_one = one / eights, pixel_two = two / eights;
    const __m512d low = _mm512_castsi512_pd(pairs[one % eights * 2 + pixel_one / 2]);
    const __m512d high = _mm512_castsi512_pd(pairs[two % eights * 2 + pixel_two / 2]);
    switch (pixel_one % 2 + 2 * (pixel_two % 2)) {
    case 0:
        return _mm512_castpd_si512(_mm512_unpacklo_pd(low, high));
    case 1:
        return _mm512_castpd_si512(_mm512_shuffle_pd(low, high, 0x55));
    case 2:
        return _mm512_castpd_si512(_mm512_shuffle_pd(low, high, 0xaa));
    default:
        return _mm512_castpd_si512(_mm512_unpackhi_pd(low, high));
    }
}

#endif

#define DWK_N DWK_LANES
#if DWK_REST
#define DWK_NAME DWK_JOIN(dwk_stem_abreast_i8_p16r, DWK_REST, DWK_JOIN(_c1x, DWK_LANES, __avx512vbmi))
#else
#define DWK_NAME DWK_JOIN(dwk_stem_abreast_i8_p16_c1x, DWK_LANES, __avx512vbmi)
#endif
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )

/* `count` outputs. */
DWK_INLINE void DWK_NAME_OF_TILE(const dwk_product *shape, int count, const uint8_t *restrict input,
                                 const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    __m512i quads[7], pairs[DWK_N / 4];
    DWK_HIDE(weights);
    dwk_abreast_quads(input, shape->tap, count, quads);
    DWK_UNROLL
    for (int i = 0; i < DWK_N / 8; i++) {
        const __m512i one = dwk_abreast_four(quads, DWK_N, 8 * i, weights, to);
        const __m512i two = dwk_abreast_four(quads, DWK_N, 8 * i + 4, weights, to);
        pairs[2 * i] = _mm512_unpacklo_epi32(one, two);
        pairs[2 * i + 1] = _mm512_unpackhi_epi32(one, two);
    }
    DWK_UNROLL
    for (int piece = 0; piece < DWK_N / 4; piece++) {
        const __m512i bytes = dwk_abreast_piece(pairs, DWK_N, piece);
        DWK_UNROLL
        for (int four = 0; four < 4; four++) {
            const int32_t at = 4 * four * DWK_N + 16 * piece, rest = count * DWK_N - at;
            if (rest > 0) {
                dwk_store_avx512vnni(output + at, bytes, 16 * four, rest < 16 ? rest : 16);
            }
        }
    }
}

/* Arguments as in dwk_product_i8_x86.h; there is one panel, and pixels of the output lie side by side. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    (void)panels;
    for (int32_t y = 0; y < rows; y++) {
        const uint8_t *from = input + y * shape->row;
        uint8_t *target = output + y * shape->output_row;
        for (int32_t x = 0; x < shape->width / 16; x++) {
            DWK_NAME_OF_TILE(shape, 16, from, weights, to, target);
            from += 16 * DWK_ABREAST_STEP;
            target += 16 * DWK_N;
        }
#if DWK_REST
        DWK_NAME_OF_TILE(shape, DWK_REST, from, weights, to, target);
#endif
    }
}

#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_N
#undef DWK_LANES
#undef DWK_REST
