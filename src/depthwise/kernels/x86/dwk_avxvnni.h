/* dwk_avxvnni.h: the vocabulary of dwk_x86.h in AVX2 with VNNI at 256 bits, as AVX-VNNI or as AVX512-VNNI with VL. */
#ifndef DWK_AVXVNNI_H
#define DWK_AVXVNNI_H

#include "dwk_x86.h"

#define DWK_LANES_avxvnni 8
#define DWK_BYTES_avxvnni 32
#define DWK_FACTORS_avxvnni 32

#define DWK_SET avxvnni
#include "dwk_256_x86.h"
#undef DWK_SET

typedef __m256i dwk_quads_avxvnni;
typedef __m256i dwk_factors_avxvnni;

DWK_INLINE __m256i dwk_spread_avxvnni(const uint8_t *at)
{
    return _mm256_set1_epi32(*(const dwk_quad *)(const void *)at);
}

DWK_INLINE __m256i dwk_factors_at_avxvnni(const int8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

DWK_INLINE __m256i dwk_ones_avxvnni(void) { return _mm256_set1_epi8(1); }

DWK_INLINE void dwk_interleave_avxvnni(__m256i r0, __m256i r1, __m256i r2, __m256i r3, __m256i *quads)
{
    dwk_woven_avxvnni(r0, r1, r2, r3, quads);
}

#if !defined(__clang__)
/* Given the intrinsic, gcc spills the sums of a tile. */
#if defined(__AVXVNNI__)
#define DWK_DOT_AVXVNNI(sums, quads, kind, factors)                                                                    \
    __asm__("%{vex%} vpdpbusd\t%2, %1, %0" : "+x"(sums) : "x"(quads), kind(factors))
#else
#define DWK_DOT_AVXVNNI(sums, quads, kind, factors)                                                                    \
    __asm__("vpdpbusd\t%2, %1, %0" : "+v"(sums) : "v"(quads), kind(factors))
#endif
#elif defined(__AVXVNNI__)
#define DWK_DOT_AVXVNNI(sums, quads, kind, factors) (sums) = _mm256_dpbusd_avx_epi32(sums, quads, factors)
#else
#define DWK_DOT_AVXVNNI(sums, quads, kind, factors) (sums) = _mm256_dpbusd_epi32(sums, quads, factors)
#endif

DWK_INLINE void dwk_dot_avxvnni(__m256i *sums, __m256i quads, __m256i factors)
{
    DWK_DOT_AVXVNNI(*sums, quads, "x", factors);
}

/* The factors are used once, and so stay in memory. */
DWK_INLINE void dwk_dot_at_avxvnni(__m256i *sums, __m256i quads, const int8_t *factors)
{
    DWK_DOT_AVXVNNI(*sums, quads, "m", *(const __m256i_u *)(const void *)factors);
}

#define DWK_SET avxvnni
#include "dwk_window_x86.h"

#endif
