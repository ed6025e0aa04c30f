/* dwk_avx512vnni.h: the vocabulary of dwk_x86.h in AVX-512 with VNNI: 16 sums, 64 bytes. */
#ifndef DWK_AVX512VNNI_H
#define DWK_AVX512VNNI_H

#include "dwk_x86.h"

#define DWK_LANES_avx512vnni 16
#define DWK_BYTES_avx512vnni 64
#define DWK_FACTORS_avx512vnni 64
#define DWK_FUSES_avx512vnni 1

typedef __m512i dwk_sums_avx512vnni;
typedef __m512i dwk_bytes_avx512vnni;
typedef __m512i dwk_quads_avx512vnni;
typedef __m512i dwk_factors_avx512vnni;
typedef __m512 dwk_multiplier_avx512vnni;

DWK_INLINE __m512i dwk_load_avx512vnni(const uint8_t *at) { return _mm512_loadu_si512(at); }

DWK_INLINE __m512i dwk_part_avx512vnni(const uint8_t *at, int32_t count)
{
    return _mm512_maskz_loadu_epi8(count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1, at);
}

DWK_INLINE __m512i dwk_spread_avx512vnni(const uint8_t *at)
{
    return _mm512_set1_epi32(*(const dwk_quad *)(const void *)at);
}

DWK_INLINE __m512i dwk_sums_at_avx512vnni(const void *at) { return _mm512_loadu_si512(at); }

DWK_INLINE __m512 dwk_multiplier_at_avx512vnni(const void *at) { return _mm512_loadu_ps(at); }

DWK_INLINE __m512i dwk_factors_at_avx512vnni(const int8_t *at) { return _mm512_loadu_si512(at); }

DWK_INLINE void dwk_interleave_avx512vnni(__m512i r0, __m512i r1, __m512i r2, __m512i r3, __m512i *quads)
{
    __m512i low01 = _mm512_unpacklo_epi8(r0, r1), high01 = _mm512_unpackhi_epi8(r0, r1);
    __m512i low23 = _mm512_unpacklo_epi8(r2, r3), high23 = _mm512_unpackhi_epi8(r2, r3);
    quads[0] = _mm512_unpacklo_epi16(low01, low23);
    quads[1] = _mm512_unpackhi_epi16(low01, low23);
    quads[2] = _mm512_unpacklo_epi16(high01, high23);
    quads[3] = _mm512_unpackhi_epi16(high01, high23);
}

DWK_INLINE __m512i dwk_ones_avx512vnni(void) { return _mm512_set1_epi8(1); }

DWK_INLINE __m512i dwk_zeros_avx512vnni(void) { return _mm512_setzero_si512(); }

DWK_INLINE void dwk_dot_avx512vnni(__m512i *sums, __m512i quads, __m512i factors)
{
#if defined(__clang__)
    *sums = _mm512_dpbusd_epi32(*sums, quads, factors);
#else
    /* Given the intrinsic, gcc spills the sums of a tile. */
    __asm__("vpdpbusd\t%2, %1, %0" : "+v"(*sums) : "v"(quads), "v"(factors));
#endif
}

/* The factors are used once, and so stay in memory. */
DWK_INLINE void dwk_dot_at_avx512vnni(__m512i *sums, __m512i quads, const int8_t *factors)
{
#if defined(__clang__)
    *sums = _mm512_dpbusd_epi32(*sums, quads, _mm512_loadu_si512(factors));
#else
    __asm__("vpdpbusd\t%2, %1, %0" : "+v"(*sums) : "v"(quads), "m"(*(const __m512i_u *)(const void *)factors));
#endif
}

DWK_INLINE __m512 dwk_product_avx512vnni(__m512i sums, __m512 multiplier)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps(sums), multiplier);
}

DWK_INLINE __m512i dwk_rounded_avx512vnni(__m512i sums, __m512 multiplier)
{
    return _mm512_cvtps_epi32(dwk_product_avx512vnni(sums, multiplier));
}

/* What some channels begin and end with: their biases, then their multipliers. Where the rounding of their layer is
 * fused, each bias has the bits of 2^23 as a float on top, and behind the multipliers stands -2^23 times each of them.
 * A sum is then the bits of the float 2^23 + sum, and one operation makes its product.
 *
 * channels: a multiple of 16. room: of three words a channel. */
DWK_INLINE void dwk_fused_ends_avx512vnni(const uint32_t *weights, int32_t channels, void *room)
{
    uint8_t *ends = room;
    for (int32_t at = 0; at < channels; at += 16) {
        const __m512i bits = _mm512_set1_epi32(0x4B000000);
        const __m512 multiplier = dwk_multiplier_at_avx512vnni(weights + channels + at);
        _mm512_storeu_si512(ends + 4 * at, _mm512_add_epi32(dwk_sums_at_avx512vnni(weights + at), bits));
        _mm512_storeu_ps(ends + 4 * (channels + at), multiplier);
        _mm512_storeu_ps(ends + 4 * (2 * channels + at), _mm512_mul_ps(multiplier, _mm512_set1_ps(-8388608.0f)));
    }
}

/* What `rounded` gives, of such sums. less: -2^23 times the multipliers. */
DWK_INLINE __m512i dwk_fused_avx512vnni(__m512i sums, __m512 multiplier, const void *less)
{
    const __m512 product = _mm512_fmadd_ps(_mm512_castsi512_ps(sums), multiplier, dwk_multiplier_at_avx512vnni(less));
    return _mm512_cvtps_epi32(product);
}

/* Packing saturates; what it cuts off is far outside of the clamp. */
DWK_INLINE __m512i dwk_words_avx512vnni(__m512i r0, __m512i r1) { return _mm512_packs_epi32(r0, r1); }

/* R4 of such words. */
DWK_INLINE __m512i dwk_clamped_avx512vnni(__m512i low, __m512i high, const dwk_rounding *to)
{
    if (to->zero_point != 0) {
        __m512i zero = _mm512_set1_epi16((int16_t)to->zero_point);
        low = _mm512_adds_epi16(low, zero);
        high = _mm512_adds_epi16(high, zero);
    }
    __m512i bytes = _mm512_packus_epi16(low, high);
    const int32_t least = (int32_t)to->low + to->zero_point, most = (int32_t)to->high + to->zero_point;
    if (least != 0) {
        bytes = _mm512_max_epu8(bytes, _mm512_set1_epi8((int8_t)least));
    }
    if (most != 255) {
        bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8((int8_t)most));
    }
    return bytes;
}

DWK_INLINE __m512i dwk_packed_avx512vnni(__m512i r0, __m512i r1, __m512i r2, __m512i r3, const dwk_rounding *to)
{
    return dwk_clamped_avx512vnni(dwk_words_avx512vnni(r0, r1), dwk_words_avx512vnni(r2, r3), to);
}

/* Bytes of four pixels of one vector, of two pixels of two, or of one pixel of three, in fours, to memory's order. */
DWK_INLINE __m512i dwk_merged_avx512vnni(__m512i bytes, int vectors)
{
    switch (vectors) {
    case 1:
        return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), bytes);
    case 2:
        return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), bytes);
    case 3:
        return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15), bytes);
    default:
        return bytes;
    }
}

/* Bytes first, a multiple of 16, to first + count - 1; both are literals once this is inlined. */
DWK_INLINE void dwk_store_avx512vnni(uint8_t *at, __m512i bytes, int32_t first, int32_t count)
{
    switch (first) {
    case 16:
        bytes = _mm512_castsi128_si512(_mm512_extracti32x4_epi32(bytes, 1));
        break;
    case 32:
        bytes = _mm512_castsi256_si512(_mm512_extracti64x4_epi64(bytes, 1));
        break;
    case 48:
        bytes = _mm512_castsi128_si512(_mm512_extracti32x4_epi32(bytes, 3));
        break;
    default:
        break;
    }
    if (count >= 64) {
        _mm512_storeu_si512(at, bytes);
    } else if (count == 48) {
        _mm256_storeu_si256((__m256i *)(void *)at, _mm512_castsi512_si256(bytes));
        _mm_storeu_si128((__m128i *)(void *)(at + 32), _mm512_extracti32x4_epi32(bytes, 2));
    } else if (count == 32) {
        _mm256_storeu_si256((__m256i *)(void *)at, _mm512_castsi512_si256(bytes));
    } else if (count == 16) {
        _mm_storeu_si128((__m128i *)(void *)at, _mm512_castsi512_si128(bytes));
    } else {
        _mm512_mask_storeu_epi8(at, ((__mmask64)1 << count) - 1, bytes);
    }
}

#include "dwk_window_avx512vnni.h"

#endif
