/* dwk_avx512.h: words for bfloat16 in any AVX-512: 32 values in a vector, which are multiplied as 2 x 16 floats.
 *
 *     load, part, clamped, store   in dwk_values_bf16_avx512.h
 *     even, odd      those values of a vector as floats
 *     rounded        two vectors of 16 sums, one behind the other, to 32 values
 *     merged         the sums of even and of odd values to 32 values in their order
 *
 * Where there are instructions for bfloat16 as well, the one that rounds is used: it gives the same values, but 0 for
 * numbers below 2^-126. On Intel its products are slow, and this is not. */
#ifndef DWK_AVX512_H
#define DWK_AVX512_H

#include "dwk_values_bf16_avx512.h"

DWK_INLINE __m512 dwk_even_avx512(__m512i values) { return _mm512_castsi512_ps(_mm512_slli_epi32(values, 16)); }

DWK_INLINE __m512 dwk_odd_avx512(__m512i values)
{
    return _mm512_castsi512_ps(_mm512_and_si512(values, _mm512_set1_epi32((int32_t)0xFFFF0000)));
}

/* To nearest, halves to even: the upper halves of what comes of it. */
DWK_INLINE __m512i dwk_nearest_avx512(__m512 sums)
{
    const __m512i bits = _mm512_castps_si512(sums);
    const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), even);
}

DWK_INLINE __m512i dwk_rounded_avx512(__m512 low, __m512 high)
{
#if defined(__AVX512BF16__)
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
#else
    const __m256i lower = _mm512_cvtepi32_epi16(_mm512_srli_epi32(dwk_nearest_avx512(low), 16));
    const __m256i upper = _mm512_cvtepi32_epi16(_mm512_srli_epi32(dwk_nearest_avx512(high), 16));
    return _mm512_inserti64x4(_mm512_castsi256_si512(lower), upper, 1);
#endif
}

DWK_INLINE __m512i dwk_merged_avx512(__m512 even, __m512 odd)
{
#if defined(__AVX512BF16__)
    /* To place 2 i value i of the first half, and behind it value i of the second one. */
    const __m512i up = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i places =
        _mm512_add_epi32(_mm512_mullo_epi32(up, _mm512_set1_epi32(0x10001)), _mm512_set1_epi32(16 << 16));
    return _mm512_permutexvar_epi16(places, dwk_rounded_avx512(even, odd));
#else
    const __m512i upper = _mm512_set1_epi32((int32_t)0xFFFF0000);
    const __m512i low = _mm512_srli_epi32(dwk_nearest_avx512(even), 16);
    return _mm512_or_si512(low, _mm512_and_si512(dwk_nearest_avx512(odd), upper));
#endif
}

#include "dwk_window_bf16_avx512.h"

#endif
