/* dwk_avx512bf16vl.h: the words of dwk_avx512bf16.h that a product needs, in vectors of half the width: 16 values, 8
 * sums.
 *
 * For layers whose channels would leave half of a wide vector empty: two of these dot products run in a cycle. */
#ifndef DWK_AVX512BF16VL_H
#define DWK_AVX512BF16VL_H

#include "dwk_avx512bf16.h"

#define DWK_LANES_avx512bf16vl 8

typedef __m256 dwk_sums_avx512bf16vl;
typedef __m256i dwk_pairs_avx512bf16vl;

DWK_INLINE __m256i dwk_spread_avx512bf16vl(const dwk_bf16 *at)
{
    return _mm256_set1_epi32(*(const dwk_pair *)(const void *)at);
}

DWK_INLINE __m256i dwk_pairs_at_avx512bf16vl(const uint32_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

DWK_INLINE __m256 dwk_sums_at_avx512bf16vl(const uint32_t *at)
{
    return _mm256_loadu_ps((const float *)(const void *)at);
}

DWK_INLINE void dwk_dot_avx512bf16vl(__m256 *sums, __m256i pairs, __m256i factors)
{
#if defined(__clang__)
    *sums = _mm256_dpbf16_ps(*sums, (__m256bh)pairs, (__m256bh)factors);
#else
    __asm__("vdpbf16ps\t%2, %1, %0" : "+v"(*sums) : "v"(pairs), "v"(factors));
#endif
}

DWK_INLINE __m256i dwk_rounded_avx512bf16vl(__m256 low, __m256 high) { return (__m256i)_mm256_cvtne2ps_pbh(high, low); }

DWK_INLINE __m256i dwk_clamped_avx512bf16vl(__m256i values, const dwk_bf16 *low, const dwk_bf16 *high)
{
    values = _mm256_min_epu16(values, _mm256_loadu_si256((const __m256i *)(const void *)low));
    return _mm256_min_epi16(values, _mm256_loadu_si256((const __m256i *)(const void *)high));
}

/* `count` is a literal once this is inlined. */
DWK_INLINE void dwk_store_avx512bf16vl(dwk_bf16 *at, __m256i values, int32_t count)
{
    if (count >= 16) {
        _mm256_storeu_si256((__m256i *)(void *)at, values);
    } else if (count == 8) {
        _mm_storeu_si128((__m128i *)(void *)at, _mm256_castsi256_si128(values));
    } else {
        _mm256_mask_storeu_epi16(at, (__mmask16)((1u << count) - 1), values);
    }
}

#endif
