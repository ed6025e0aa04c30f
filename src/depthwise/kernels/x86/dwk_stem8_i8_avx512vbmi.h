/* dwk_stem8_i8_avx512vbmi.h: the first convolution, of 3x3 pixels of three bytes and stride 2 to eight bytes a pixel.
 *
 * dwk_stem8_i8_p16[r<R>]_c1x8__avx512vbmi: 16 outputs at a time, the last time in each row R, where 16 does not divide
 * it. A vector holds one channel of 16 pixels, as eight channels would fill half of one; the factors are spread, and the
 * quads of 16 pixels gathered out of a row by a permutation of its bytes. Seven dot products a channel, as in
 * dwk_stem_i8_x86.h.
 *
 * Form: DWK_REST (R, or 0).
 *
 * Weights: eight sums to begin with (the bias), eight multipliers, then for each of the seven quads of
 * dwk_stem_i8_x86.h eight quads of factors, one a channel. */
#ifndef DWK_STEM8_I8_AVX512VBMI_H
#define DWK_STEM8_I8_AVX512VBMI_H

/* From an output's bytes to those of the next one, and from the first to the second of two vectors that together hold
 * the bytes of 16 outputs. */
enum { DWK_STEM8_STEP = 6, DWK_STEM8_BYTES = 15 * DWK_STEM8_STEP + 9, DWK_STEM8_SECOND = DWK_STEM8_BYTES - 64 };

/* Where in the two vectors the bytes from `first` on lie, four for each of 16 pixels. */
DWK_INLINE __m512i dwk_stem8_places(int first)
{
    const __m512i pixels = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i at = _mm512_mullo_epi32(pixels, _mm512_set1_epi32(DWK_STEM8_STEP * 0x01010101));
    at = _mm512_add_epi8(at, _mm512_set1_epi32(0x03020100 + first * 0x01010101));
    const __mmask64 is_second = _mm512_cmpgt_epu8_mask(at, _mm512_set1_epi8(63));
    return _mm512_mask_add_epi8(at, is_second, at, _mm512_set1_epi8(64 - DWK_STEM8_SECOND));
}

/* Eight channels of 16 pixels, packed in two vectors of four channels, in the order of memory: one half of the pixels. */
DWK_INLINE __m512i dwk_stem8_merged(__m512i low, __m512i high, int half)
{
    const __m512i pixels = _mm512_setr_epi32(
        0x0c080400, 0x4c484440, 0x0d090501, 0x4d494541, 0x0e0a0602, 0x4e4a4642, 0x0f0b0703, 0x4f4b4743,
        0x1c181410, 0x5c585450, 0x1d191511, 0x5d595551, 0x1e1a1612, 0x5e5a5652, 0x1f1b1713, 0x5f5b5753);
    return _mm512_permutex2var_epi8(low, _mm512_or_si512(pixels, _mm512_set1_epi8((int8_t)(32 * half))), high);
}

/* The `count` last outputs of a row may end before the two vectors do. */
DWK_INLINE void dwk_stem8_tile(const dwk_product *shape, int count, const uint8_t *restrict input,
                               const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t bytes = (count - 1) * DWK_STEM8_STEP + 9, second = bytes - DWK_STEM8_SECOND;
    __m512i quads[7], ninth[3];
    DWK_UNROLL
    for (int y = 0; y < 3; y++) {
        const uint8_t *row = input + y * shape->tap;
        __m512i one = dwk_part_avx512vnni(row, bytes);
        __m512i two = second > 0 ? dwk_part_avx512vnni(row + DWK_STEM8_SECOND, second) : one;
        quads[2 * y] = _mm512_permutex2var_epi8(one, dwk_stem8_places(0), two);
        quads[2 * y + 1] = _mm512_permutex2var_epi8(one, dwk_stem8_places(4), two);
        /* Of bytes 8 - y to 11 - y number y is the ninth of the row. */
        ninth[y] = _mm512_maskz_permutex2var_epi8(0x1111111111111111u << y, one, dwk_stem8_places(8 - y), two);
    }
    quads[6] = _mm512_or_si512(_mm512_or_si512(ninth[0], ninth[1]), ninth[2]);
    __m512i r[8];
    DWK_UNROLL
    for (int c = 0; c < 8; c++) {
        __m512i sum = _mm512_set1_epi32((int32_t)weights[c]);
        DWK_UNROLL
        for (int quad = 0; quad < 7; quad++) {
            dwk_dot_avx512vnni(&sum, quads[quad], _mm512_set1_epi32((int32_t)weights[16 + 8 * quad + c]));
        }
        const __m512 multiplier = _mm512_castsi512_ps(_mm512_set1_epi32((int32_t)weights[8 + c]));
        r[c] = dwk_rounded_avx512vnni(sum, multiplier);
    }
    __m512i low = dwk_packed_avx512vnni(r[0], r[1], r[2], r[3], to);
    __m512i high = dwk_packed_avx512vnni(r[4], r[5], r[6], r[7], to);
    DWK_UNROLL
    for (int half = 0; half < 2; half++) {
        if (count > 8 * half) {
            dwk_store_avx512vnni(output + 64 * half, dwk_stem8_merged(low, high, half), 0, 8 * count - 64 * half);
        }
    }
}

#endif

#if DWK_REST
#define DWK_NAME DWK_JOIN(dwk_stem8_i8_p16r, DWK_REST, _c1x8__avx512vbmi)
#else
#define DWK_NAME dwk_stem8_i8_p16_c1x8__avx512vbmi
#endif

/* Arguments as in dwk_product_i8_x86.h; there is one panel, and pixels of the output lie side by side. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    (void)panels;
    for (int32_t y = 0; y < rows; y++) {
        const uint8_t *from = input + y * shape->row;
        uint8_t *target = output + y * shape->output_row;
        for (int32_t x = 0; x < shape->width / 16; x++) {
            dwk_stem8_tile(shape, 16, from, weights, to, target);
            from += 16 * DWK_STEM8_STEP;
            target += 16 * 8;
        }
#if DWK_REST
        dwk_stem8_tile(shape, DWK_REST, from, weights, to, target);
#endif
    }
}

#undef DWK_NAME
#undef DWK_REST
