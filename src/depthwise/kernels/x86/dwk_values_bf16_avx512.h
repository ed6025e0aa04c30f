/* dwk_values_bf16_avx512.h: words for 32 values of bfloat16 in a vector of AVX-512, whatever computes with them.
 *
 *     load, part     32 values of memory, or the first few of them and zeros
 *     clamped        values within the bounds at two places of memory, which are values, so that rounding first
 *                    changes nothing
 *     store          the first few of 32 values */
#ifndef DWK_VALUES_BF16_AVX512_H
#define DWK_VALUES_BF16_AVX512_H

#include "dwk_intrinsics.h"
#include "dwk_shapes.h"
#include "dwk_vector_bf16.h"

DWK_INLINE __m512i dwk_load_avx512(const dwk_bf16 *at) { return _mm512_loadu_si512(at); }

DWK_INLINE __m512i dwk_part_avx512(const dwk_bf16 *at, int32_t count)
{
    return _mm512_maskz_loadu_epi16(count >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << count) - 1, at);
}

/* As whole numbers without sign, values with a sign are above the others, and the higher the lower they are; with sign
 * they are below the others, which are in their order. So a bound below, -0 or less, and one above, 0 or more, take one
 * instruction each. None of the values is a NaN. */
DWK_INLINE __m512i dwk_clamped_avx512(__m512i values, const dwk_bf16 *low, const dwk_bf16 *high)
{
    values = _mm512_min_epu16(values, dwk_load_avx512(low));
    return _mm512_min_epi16(values, dwk_load_avx512(high));
}

/* `count` is a literal once this is inlined. */
DWK_INLINE void dwk_store_avx512(dwk_bf16 *at, __m512i values, int32_t count)
{
    if (count >= 32) {
        _mm512_storeu_si512(at, values);
    } else if (count == 16) {
        _mm256_storeu_si256((__m256i *)(void *)at, _mm512_castsi512_si256(values));
    } else if (count == 8) {
        _mm_storeu_si128((__m128i *)(void *)at, _mm512_castsi512_si128(values));
    } else {
        _mm512_mask_storeu_epi16(at, ((__mmask32)1 << count) - 1, values);
    }
}

#endif
