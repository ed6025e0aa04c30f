/* dwk_vector_bf16.h: bfloat16 in memory, float32 in registers, for the kernels' headers.
 *
 * A bfloat16 is the upper half of a float32. Widening it is exact; rounding is to nearest, halves to even. All sums are
 * of float32. */
#ifndef DWK_VECTOR_BF16_H
#define DWK_VECTOR_BF16_H

#include "dwk_vector.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "bf16 needs a little-endian processor, as factors are pairs in words; take float32 for this one");

typedef uint16_t dwk_bf16 __attribute__((may_alias));

/* Two of them in memory, as a word. */
typedef uint32_t dwk_near_pair __attribute__((may_alias, aligned(2)));

/* A float that is no NaN as the nearest bfloat16. */
DWK_INLINE dwk_bf16 dwk_rounded_bf16(float value)
{
    union {
        float value;
        uint32_t bits;
    } wide = {value};
    return (dwk_bf16)((wide.bits + 0x7FFF + (wide.bits >> 16 & 1)) >> 16);
}

/* dwk_w<L>: L words. dwk_alike_w<L>: one word of memory, L times. Left to itself, gcc shifts the word and spreads what
 * comes of it, twice, and keeps words that later pixels read too in registers which it lacks then. */
#define DWK_DEFINE_ALIKE(L)                                                                                            \
    typedef uint32_t dwk_w##L __attribute__((vector_size(4 * L), may_alias));                                          \
    DWK_INLINE void dwk_alike_w##L(const dwk_near_pair *at, dwk_w##L *words) { *words = *at - (dwk_w##L){0}; }

#define DWK_DEFINE_ALIKE_GCC(L, instructions)                                                                          \
    typedef uint32_t dwk_w##L __attribute__((vector_size(4 * L), may_alias));                                          \
    DWK_INLINE void dwk_alike_w##L(const dwk_near_pair *at, dwk_w##L *words)                                           \
    {                                                                                                                  \
        __asm__(instructions : "=v"(*words) : "m"(*at));                                                               \
    }

#if !defined(__clang__) && defined(__AVX2__)
DWK_DEFINE_ALIKE_GCC(4, "vpbroadcastd\t%1, %0")
DWK_DEFINE_ALIKE_GCC(8, "vpbroadcastd\t%1, %0")
DWK_DEFINE_ALIKE_GCC(16, "vpbroadcastd\t%1, %0")
#else
#if !defined(__clang__) && defined(__SSE2__) && !defined(__AVX__)
DWK_DEFINE_ALIKE_GCC(4, "movd\t%1, %0\n\tpshufd\t$0, %0, %0")
#else
DWK_DEFINE_ALIKE(4)
#endif
DWK_DEFINE_ALIKE(8)
DWK_DEFINE_ALIKE(16)
#endif

/* dwk_h<L>: L bfloat16 at a multiple of their size.
 *
 * dwk_widened_v<L>: L of them as floats. dwk_pairs_v<L>: the two of each of L words, that of the lower half first.
 * dwk_spread_v<L>: the same of one pair, L times. dwk_rounded_v<L>: floats that are no NaN to the nearest bfloat16.
 * dwk_clamp_v<L>: floats into bounds. */
#define DWK_DEFINE_BF16(L)                                                                                             \
    typedef uint16_t dwk_h##L __attribute__((vector_size(2 * L), may_alias));                                          \
    DWK_INLINE void dwk_pairs_v##L(const uint32_t *at, dwk_v##L *first, dwk_v##L *second)                              \
    {                                                                                                                  \
        dwk_w##L both = *(const dwk_w##L *)at;                                                                         \
        *first = (dwk_v##L)(both << 16);                                                                               \
        *second = (dwk_v##L)(both & 0xFFFF0000u);                                                                      \
    }                                                                                                                  \
    DWK_INLINE void dwk_spread_v##L(const dwk_bf16 *at, dwk_v##L *first, dwk_v##L *second)                             \
    {                                                                                                                  \
        dwk_w##L both;                                                                                                 \
        dwk_alike_w##L((const dwk_near_pair *)at, &both);                                                              \
        *first = (dwk_v##L)(both << 16);                                                                               \
        *second = (dwk_v##L)(both & 0xFFFF0000u);                                                                      \
    }                                                                                                                  \
    DWK_INLINE void dwk_clamp_v##L(dwk_v##L *values, const dwk_v##L *low, const dwk_v##L *high)                        \
    {                                                                                                                  \
        dwk_at_least_v##L(values, low);                                                                                \
        dwk_at_most_v##L(values, high);                                                                                \
    }                                                                                                                  \
    DWK_INLINE void dwk_rounded_v##L(const dwk_v##L *values, dwk_bf16 *at)                                             \
    {                                                                                                                  \
        dwk_w##L bits = (dwk_w##L) * values;                                                                           \
        bits += 0x7FFF + (bits >> 16 & 1);                                                                             \
        *(dwk_h##L *)at = __builtin_convertvector(bits >> 16, dwk_h##L);                                               \
    }

DWK_DEFINE_BF16(4)
DWK_DEFINE_BF16(8)
DWK_DEFINE_BF16(16)

#define DWK_DEFINE_WIDENED(L)                                                                                          \
    DWK_INLINE void dwk_widened_v##L(const dwk_bf16 *at, dwk_v##L *values)                                             \
    {                                                                                                                  \
        *values = (dwk_v##L)(__builtin_convertvector(*(const dwk_h##L *)at, dwk_w##L) << 16);                          \
    }

/* The same by name on x86, as gcc widens the halves of a vector one by one. */
#define DWK_DEFINE_WIDENED_X86(L, widened)                                                                             \
    DWK_INLINE void dwk_widened_v##L(const dwk_bf16 *at, dwk_v##L *values) { *values = (dwk_v##L)widened; }

#if defined(__SSE2__)
DWK_DEFINE_WIDENED_X86(4, _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)(const void *)at)))
#else
DWK_DEFINE_WIDENED(4)
#endif
#if defined(__AVX2__)
DWK_DEFINE_WIDENED_X86(8, _mm256_slli_epi32(_mm256_cvtepu16_epi32(*(const __m128i *)(const void *)at), 16))
#else
DWK_DEFINE_WIDENED(8)
#endif
#if defined(__AVX512F__)
DWK_DEFINE_WIDENED_X86(16, _mm512_slli_epi32(_mm512_cvtepu16_epi32(*(const __m256i *)(const void *)at), 16))
#else
DWK_DEFINE_WIDENED(16)
#endif

#endif
