/* dwk_avx512bf16.h: words for bfloat16 in AVX-512 with its BF16 instructions: 32 values and 16 sums in a vector.
 *
 *     load, part     32 values of memory, or the first few of them and zeros
 *     spread         one pair of memory, 16 times
 *     interleave     two vectors of values to 2 x 16 pairs, of values that lie at the same place
 *     dot            to each sum the two products of its pair
 *     rounded        the sums of two vectors to 32 values
 *     ordered        puts values whose sums came of `interleave` into the order of memory
 *     clamped        values within the bounds at two places of memory, which are values, so that rounding first
 *                    changes nothing
 *     store          the first few of 32 values
 *
 * Unpacking works within 128 bits: sum m of the l-th four of the vector j of two belongs to value 8 l + 4 j + m.
 * vdpbf16ps takes and gives numbers below 2^-126 for 0 and adds the product of the upper halves first. */
#ifndef DWK_AVX512BF16_H
#define DWK_AVX512BF16_H

#include "dwk_values_bf16_avx512.h"

/* Two values of memory as a number. */
typedef int32_t dwk_pair __attribute__((may_alias, aligned(2)));

/* For loops over pairs: the nine values under a row of a stem's kernel are then one turn. */
#if defined(__clang__)
#define DWK_FIVE_AT_A_TIME _Pragma("clang loop unroll_count(5)")
#else
#define DWK_FIVE_AT_A_TIME _Pragma("GCC unroll 5")
#endif

#define DWK_LANES_avx512bf16 16

typedef __m512 dwk_sums_avx512bf16;
typedef __m512i dwk_pairs_avx512bf16;

/* The words of dwk_values_bf16_avx512.h: kernels put the name of their instructions behind a word. */
DWK_INLINE __m512i dwk_load_avx512bf16(const dwk_bf16 *at) { return dwk_load_avx512(at); }

DWK_INLINE __m512i dwk_part_avx512bf16(const dwk_bf16 *at, int32_t count) { return dwk_part_avx512(at, count); }

DWK_INLINE __m512i dwk_spread_avx512bf16(const dwk_bf16 *at)
{
    return _mm512_set1_epi32(*(const dwk_pair *)(const void *)at);
}

DWK_INLINE __m512i dwk_pairs_at_avx512bf16(const uint32_t *at) { return _mm512_loadu_si512(at); }

DWK_INLINE __m512 dwk_sums_at_avx512bf16(const uint32_t *at) { return _mm512_loadu_ps(at); }

DWK_INLINE void dwk_interleave_avx512bf16(__m512i r0, __m512i r1, __m512i *pairs)
{
    pairs[0] = _mm512_unpacklo_epi16(r0, r1);
    pairs[1] = _mm512_unpackhi_epi16(r0, r1);
}

DWK_INLINE void dwk_dot_avx512bf16(__m512 *sums, __m512i pairs, __m512i factors)
{
#if defined(__clang__)
    *sums = _mm512_dpbf16_ps(*sums, (__m512bh)pairs, (__m512bh)factors);
#else
    /* Given the intrinsic, gcc spills the sums of a tile. */
    __asm__("vdpbf16ps\t%2, %1, %0" : "+v"(*sums) : "v"(pairs), "v"(factors));
#endif
}

DWK_INLINE __m512i dwk_rounded_avx512bf16(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

DWK_INLINE __m512i dwk_ordered_avx512bf16(__m512i values)
{
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), values);
}

DWK_INLINE __m512i dwk_clamped_avx512bf16(__m512i values, const dwk_bf16 *low, const dwk_bf16 *high)
{
    return dwk_clamped_avx512(values, low, high);
}

DWK_INLINE void dwk_store_avx512bf16(dwk_bf16 *at, __m512i values, int32_t count)
{
    dwk_store_avx512(at, values, count);
}

#include "dwk_window_bf16_x86.h"

#endif
