/* dwk_avx2.h: the vocabulary of dwk_x86.h in AVX2: 8 sums, 32 bytes.
 *
 * vpmaddubsw would saturate; so bytes become numbers of 16 bits, the even and the odd ones of each quad for themselves,
 * whose products vpmaddwd adds in 32 bits. Factors lie as such pairs: two even ones of each of 8 quads, then the odd.
 */
#ifndef DWK_AVX2_H
#define DWK_AVX2_H

#include "dwk_x86.h"

#define DWK_LANES_avx2 8
#define DWK_BYTES_avx2 32
#define DWK_FACTORS_avx2 64

#define DWK_SET avx2
#include "dwk_256_x86.h"
#undef DWK_SET

typedef struct {
    __m256i even;
    __m256i odd;
} dwk_pairs_avx2;

typedef dwk_pairs_avx2 dwk_quads_avx2;
typedef dwk_pairs_avx2 dwk_factors_avx2;

DWK_INLINE dwk_pairs_avx2 dwk_split_avx2(__m256i quads)
{
    return (dwk_pairs_avx2){_mm256_and_si256(quads, _mm256_set1_epi16(255)), _mm256_srli_epi16(quads, 8)};
}

DWK_INLINE dwk_pairs_avx2 dwk_spread_avx2(const uint8_t *at)
{
    return dwk_split_avx2(_mm256_set1_epi32(*(const dwk_quad *)(const void *)at));
}

DWK_INLINE dwk_pairs_avx2 dwk_factors_at_avx2(const int8_t *at)
{
    const __m256i *pairs = (const __m256i *)(const void *)at;
    return (dwk_pairs_avx2){_mm256_loadu_si256(pairs), _mm256_loadu_si256(pairs + 1)};
}

DWK_INLINE dwk_pairs_avx2 dwk_ones_avx2(void) { return (dwk_pairs_avx2){_mm256_set1_epi16(1), _mm256_set1_epi16(1)}; }

DWK_INLINE void dwk_interleave_avx2(__m256i r0, __m256i r1, __m256i r2, __m256i r3, dwk_pairs_avx2 *quads)
{
    __m256i whole[4];
    dwk_woven_avx2(r0, r1, r2, r3, whole);
    DWK_UNROLL
    for (int j = 0; j < 4; j++) {
        quads[j] = dwk_split_avx2(whole[j]);
    }
}

DWK_INLINE void dwk_dot_avx2(__m256i *sums, dwk_pairs_avx2 quads, dwk_pairs_avx2 factors)
{
    const __m256i even = _mm256_madd_epi16(quads.even, factors.even);
    const __m256i odd = _mm256_madd_epi16(quads.odd, factors.odd);
#if defined(__clang__)
    *sums = _mm256_add_epi32(*sums, _mm256_add_epi32(even, odd));
#else
    /* A sum that does not fit into the registers gcc keeps in memory twice, unless it cannot see what changes it. */
    __asm__("vpaddd\t%1, %0, %0" : "+x"(*sums) : "x"(_mm256_add_epi32(even, odd)));
#endif
}

DWK_INLINE void dwk_dot_at_avx2(__m256i *sums, dwk_pairs_avx2 quads, const int8_t *factors)
{
    dwk_dot_avx2(sums, quads, dwk_factors_at_avx2(factors));
}

#define DWK_SET avx2
#include "dwk_window_x86.h"

#endif
