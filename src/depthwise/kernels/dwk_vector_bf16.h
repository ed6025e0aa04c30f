/* dwk_vector_bf16.h: bfloat16 in memory, float32 in registers, for the kernels' headers.
 *
 * A bfloat16 is the upper half of a float32. Widening it is exact; rounding is to nearest, halves to even. All sums are
 * of float32. */
#ifndef DWK_VECTOR_BF16_H
#define DWK_VECTOR_BF16_H

#include "dwk_vector.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "factors are pairs that lie in little-endian words");

typedef uint16_t dwk_bf16 __attribute__((may_alias));

/* One number as a float. */
DWK_INLINE float dwk_widened_bf16(dwk_bf16 value)
{
    union {
        uint32_t bits;
        float value;
    } wide = {(uint32_t)value << 16};
    return wide.value;
}

/* A float that is no NaN as the nearest bfloat16. */
DWK_INLINE dwk_bf16 dwk_rounded_bf16(float value)
{
    union {
        float value;
        uint32_t bits;
    } wide = {value};
    return (dwk_bf16)((wide.bits + 0x7FFF + (wide.bits >> 16 & 1)) >> 16);
}

/* dwk_h<L>: L bfloat16 at a multiple of their size. dwk_w<L>: L words.
 *
 * dwk_widened_v<L>: L of them as floats. dwk_pairs_v<L>: the two of each of L words, that of the lower half first.
 * dwk_rounded_v<L>: floats that are no NaN to the nearest bfloat16. dwk_clamp_v<L>: floats into bounds. */
#define DWK_DEFINE_BF16(L)                                                                                             \
    typedef uint16_t dwk_h##L __attribute__((vector_size(2 * L), may_alias));                                          \
    typedef uint32_t dwk_w##L __attribute__((vector_size(4 * L), may_alias));                                          \
    DWK_INLINE void dwk_widened_v##L(const dwk_bf16 *at, dwk_v##L *values)                                             \
    {                                                                                                                  \
        *values = (dwk_v##L)(__builtin_convertvector(*(const dwk_h##L *)at, dwk_w##L) << 16);                          \
    }                                                                                                                  \
    DWK_INLINE void dwk_pairs_v##L(const uint32_t *at, dwk_v##L *first, dwk_v##L *second)                              \
    {                                                                                                                  \
        dwk_w##L both = *(const dwk_w##L *)at;                                                                         \
        *first = (dwk_v##L)(both << 16);                                                                               \
        *second = (dwk_v##L)(both & 0xFFFF0000u);                                                                      \
    }                                                                                                                  \
    DWK_INLINE void dwk_clamp_v##L(dwk_v##L *values, const dwk_v##L *low, const dwk_v##L *high)                        \
    {                                                                                                                  \
        dwk_m##L above = (dwk_m##L)(*values > *low);                                                                   \
        *values = (dwk_v##L)(((dwk_m##L)*values & above) | ((dwk_m##L)*low & ~above));                                 \
        dwk_m##L below = (dwk_m##L)(*values < *high);                                                                  \
        *values = (dwk_v##L)(((dwk_m##L)*values & below) | ((dwk_m##L)*high & ~below));                                \
    }                                                                                                                  \
    DWK_INLINE void dwk_rounded_v##L(const dwk_v##L *values, dwk_bf16 *at)                                             \
    {                                                                                                                  \
        dwk_w##L bits = (dwk_w##L)*values;                                                                             \
        bits += 0x7FFF + (bits >> 16 & 1);                                                                             \
        *(dwk_h##L *)at = __builtin_convertvector(bits >> 16, dwk_h##L);                                               \
    }

DWK_DEFINE_BF16(4)
DWK_DEFINE_BF16(8)
DWK_DEFINE_BF16(16)

#endif
