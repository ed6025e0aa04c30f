/* avx512.h: what the instructions of AVX-512 do that kernels name, in loops, for processors with AVX2 that lack them.
 *
 * Included before a kernel's own headers it takes the place of each intrinsic; the C around them stays what it is. An
 * intrinsic that is missing here does not compile, as the compiler was not told of AVX-512. Meant for clang. */
#ifndef DWT_AVX512_H
#define DWT_AVX512_H

#include <stddef.h>
#include <stdint.h>

#include "dwk_intrinsics.h"

typedef union {
    __m512i whole;
    __m512 floats;
    __m512d doubles;
    __m256i half[2];
    __m128i quarter[4];
    uint8_t u8[64];
    int8_t s8[64];
    uint16_t u16[32];
    int16_t s16[32];
    uint32_t u32[16];
    int32_t s32[16];
    uint64_t u64[8];
    float f32[16];
} dwt_vector;

#define DWT static __attribute__((noinline, unused))
#define DWT_EACH(count) for (int i = 0; i < (count); i++)

/* Two vectors, a and b, to one, c: `of` for each place i. */
#define DWT_TWO(name, count, of)                                                                                       \
    DWT __m512i dwt_##name(__m512i one, __m512i two)                                                                   \
    {                                                                                                                  \
        const dwt_vector a = {.whole = one}, b = {.whole = two};                                                       \
        dwt_vector c;                                                                                                  \
        DWT_EACH(count) { of; }                                                                                        \
        return c.whole;                                                                                                \
    }

DWT int32_t dwt_between(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

DWT_TWO(add_epi8, 64, c.u8[i] = (uint8_t)(a.u8[i] + b.u8[i]))
DWT_TWO(add_epi32, 16, c.u32[i] = a.u32[i] + b.u32[i])
DWT_TWO(adds_epi16, 32, c.s16[i] = (int16_t)dwt_between(a.s16[i] + b.s16[i], -32768, 32767))
DWT_TWO(and_si512, 8, c.u64[i] = a.u64[i] & b.u64[i])
DWT_TWO(or_si512, 8, c.u64[i] = a.u64[i] | b.u64[i])
DWT_TWO(min_epu16, 32, c.u16[i] = a.u16[i] < b.u16[i] ? a.u16[i] : b.u16[i])
DWT_TWO(min_epi16, 32, c.s16[i] = a.s16[i] < b.s16[i] ? a.s16[i] : b.s16[i])
DWT_TWO(max_epu8, 64, c.u8[i] = a.u8[i] > b.u8[i] ? a.u8[i] : b.u8[i])
DWT_TWO(min_epu8, 64, c.u8[i] = a.u8[i] < b.u8[i] ? a.u8[i] : b.u8[i])
DWT_TWO(mullo_epi32, 16, c.u32[i] = a.u32[i] * b.u32[i])
/* Within 128 bits: of a the first half of what is written, of b the second; or one of each in turn. */
DWT_TWO(packs_epi32, 32, c.s16[i] = (int16_t)dwt_between((i % 8 < 4 ? a : b).s32[i / 8 * 4 + i % 4], -32768, 32767))
DWT_TWO(packus_epi16, 64, c.u8[i] = (uint8_t)dwt_between((i % 16 < 8 ? a : b).s16[i / 16 * 8 + i % 8], 0, 255))
DWT_TWO(unpacklo_epi8, 64, c.u8[i] = (i % 2 ? b : a).u8[i / 16 * 16 + i % 16 / 2])
DWT_TWO(unpackhi_epi8, 64, c.u8[i] = (i % 2 ? b : a).u8[i / 16 * 16 + 8 + i % 16 / 2])
DWT_TWO(unpacklo_epi16, 32, c.u16[i] = (i % 2 ? b : a).u16[i / 8 * 8 + i % 8 / 2])
DWT_TWO(unpackhi_epi16, 32, c.u16[i] = (i % 2 ? b : a).u16[i / 8 * 8 + 4 + i % 8 / 2])
DWT_TWO(unpacklo_epi32, 16, c.u32[i] = (i % 2 ? b : a).u32[i / 4 * 4 + i % 4 / 2])
DWT_TWO(unpackhi_epi32, 16, c.u32[i] = (i % 2 ? b : a).u32[i / 4 * 4 + 2 + i % 4 / 2])
DWT_TWO(unpacklo_epi64, 8, c.u64[i] = (i % 2 ? b : a).u64[i / 2 * 2])
DWT_TWO(unpackhi_epi64, 8, c.u64[i] = (i % 2 ? b : a).u64[i / 2 * 2 + 1])
/* Numbers of places, then what stands at them; bytes only within 128 bits, and 0 where the highest bit is set. */
DWT_TWO(permutexvar_epi32, 16, c.u32[i] = b.u32[a.u32[i] & 15])
DWT_TWO(permutexvar_epi64, 8, c.u64[i] = b.u64[a.u64[i] & 7])
DWT_TWO(shuffle_epi8, 64, c.u8[i] = b.u8[i] & 128 ? 0 : a.u8[i / 16 * 16 + (b.u8[i] & 15)])

DWT __m512i dwt_permutex2var_epi8(__m512i one, __m512i places, __m512i two)
{
    const dwt_vector a = {.whole = one}, b = {.whole = two}, at = {.whole = places};
    dwt_vector c;
    DWT_EACH(64) { c.u8[i] = (at.u8[i] & 64 ? b : a).u8[at.u8[i] & 63]; }
    return c.whole;
}

DWT __m512i dwt_maskz_permutex2var_epi8(uint64_t mask, __m512i one, __m512i places, __m512i two)
{
    dwt_vector c = {.whole = dwt_permutex2var_epi8(one, places, two)};
    DWT_EACH(64) { c.u8[i] = mask >> i & 1 ? c.u8[i] : 0; }
    return c.whole;
}

DWT uint64_t dwt_cmpgt_epu8_mask(__m512i one, __m512i two)
{
    const dwt_vector a = {.whole = one}, b = {.whole = two};
    uint64_t mask = 0;
    DWT_EACH(64) { mask |= (uint64_t)(a.u8[i] > b.u8[i]) << i; }
    return mask;
}

DWT __m512i dwt_mask_add_epi8(__m512i other, uint64_t mask, __m512i one, __m512i two)
{
    const dwt_vector sum = {.whole = dwt_add_epi8(one, two)};
    dwt_vector c = {.whole = other};
    DWT_EACH(64) { c.u8[i] = mask >> i & 1 ? sum.u8[i] : c.u8[i]; }
    return c.whole;
}

/* Places from `by` on of b with a behind it. */
DWT __m512i dwt_alignr_epi64(__m512i one, __m512i two, int by)
{
    const dwt_vector a = {.whole = one}, b = {.whole = two};
    dwt_vector c;
    DWT_EACH(8) { c.u64[i] = i + by < 8 ? b.u64[i + by] : a.u64[i + by - 8]; }
    return c.whole;
}

DWT __m512i dwt_shuffle_i64x2(__m512i one, __m512i two, int which)
{
    const dwt_vector a = {.whole = one}, b = {.whole = two};
    dwt_vector c;
    DWT_EACH(4) { c.quarter[i] = (i < 2 ? a : b).quarter[which >> 2 * i & 3]; }
    return c.whole;
}

DWT __m512d dwt_shuffle_pd(__m512d one, __m512d two, int which)
{
    const dwt_vector a = {.doubles = one}, b = {.doubles = two};
    dwt_vector c;
    DWT_EACH(8) { c.u64[i] = (i % 2 ? b : a).u64[i / 2 * 2 + (which >> i & 1)]; }
    return c.doubles;
}

DWT __m512i dwt_dpbusd_epi32(__m512i sums, __m512i values, __m512i factors)
{
    const dwt_vector a = {.whole = values}, b = {.whole = factors};
    dwt_vector c = {.whole = sums};
    DWT_EACH(64) { c.u32[i / 4] += (uint32_t)(a.u8[i] * b.s8[i]); }
    return c.whole;
}

DWT __m512i dwt_srli_epi32(__m512i whole, int by)
{
    dwt_vector c = {.whole = whole};
    DWT_EACH(16) { c.u32[i] >>= by; }
    return c.whole;
}

DWT __m512i dwt_slli_epi32(__m512i whole, int by)
{
    dwt_vector c = {.whole = whole};
    DWT_EACH(16) { c.u32[i] <<= by; }
    return c.whole;
}

/* The lower halves of words. */
DWT __m256i dwt_cvtepi32_epi16(__m512i whole)
{
    const dwt_vector a = {.whole = whole};
    dwt_vector c;
    DWT_EACH(16) { c.u16[i] = (uint16_t)a.u32[i]; }
    return c.half[0];
}

DWT __m512i dwt_inserti64x4(__m512i whole, __m256i half, int which)
{
    dwt_vector c = {.whole = whole};
    c.half[which] = half;
    return c.whole;
}

DWT __m512 dwt_cvtepi32_ps(__m512i whole)
{
    const dwt_vector a = {.whole = whole};
    dwt_vector c;
    DWT_EACH(16) { c.f32[i] = (float)a.s32[i]; }
    return c.floats;
}

/* To the nearest, halves to even, and what does not fit to the lowest number: as the narrow instruction has it. */
DWT __m512i dwt_cvtps_epi32(__m512 floats)
{
    const dwt_vector a = {.floats = floats};
    dwt_vector c;
    DWT_EACH(16) { c.s32[i] = _mm_cvtss_si32(_mm_set_ss(a.f32[i])); }
    return c.whole;
}

DWT __m512 dwt_mul_ps(__m512 one, __m512 two)
{
    const dwt_vector a = {.floats = one}, b = {.floats = two};
    dwt_vector c;
    DWT_EACH(16) { c.f32[i] = a.f32[i] * b.f32[i]; }
    return c.floats;
}

DWT __m512 dwt_fmadd_ps(__m512 one, __m512 two, __m512 three)
{
    const dwt_vector a = {.floats = one}, b = {.floats = two}, d = {.floats = three};
    dwt_vector c;
    DWT_EACH(16)
    {
        c.f32[i] = _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a.f32[i]), _mm_set_ss(b.f32[i]), _mm_set_ss(d.f32[i])));
    }
    return c.floats;
}

/* Bytes that the mask leaves out are not touched. */
DWT __m512i dwt_load(uint64_t mask, const void *at)
{
    dwt_vector c = {.u64 = {0}};
    DWT_EACH(64) { c.u8[i] = mask >> i & 1 ? ((const uint8_t *)at)[i] : 0; }
    return c.whole;
}

DWT void dwt_store(void *at, uint64_t mask, __m512i whole)
{
    const dwt_vector a = {.whole = whole};
    DWT_EACH(64)
    {
        if (mask >> i & 1) {
            ((uint8_t *)at)[i] = a.u8[i];
        }
    }
}

#define DWT_ALL ~(uint64_t)0

/* A mask of two bytes a place as one of bytes. */
DWT uint64_t dwt_bytes(uint32_t mask)
{
    uint64_t bytes = 0;
    DWT_EACH(32) { bytes |= (uint64_t)(mask >> i & 1 ? 3 : 0) << 2 * i; }
    return bytes;
}

DWT __m512 dwt_floats(__m512i whole) { return (dwt_vector){.whole = whole}.floats; }
DWT __m512i dwt_whole(__m512 floats) { return (dwt_vector){.floats = floats}.whole; }
DWT __m512d dwt_doubles(__m512i whole) { return (dwt_vector){.whole = whole}.doubles; }
DWT __m512i dwt_of_doubles(__m512d doubles) { return (dwt_vector){.doubles = doubles}.whole; }
DWT __m256i dwt_half(__m512i whole, int which) { return (dwt_vector){.whole = whole}.half[which]; }
DWT __m128i dwt_quarter(__m512i whole, int which) { return (dwt_vector){.whole = whole}.quarter[which]; }
DWT __m512i dwt_of_half(__m256i half) { return (dwt_vector){.half = {half, half}}.whole; }
DWT __m512i dwt_of_quarter(__m128i four) { return (dwt_vector){.quarter = {four, four, four, four}}.whole; }

DWT __m512i dwt_set1_epi8(int8_t x) { return dwt_of_quarter(_mm_set1_epi8(x)); }
DWT __m512i dwt_set1_epi16(int16_t x) { return dwt_of_quarter(_mm_set1_epi16(x)); }
DWT __m512i dwt_set1_epi32(int32_t x) { return dwt_of_quarter(_mm_set1_epi32(x)); }

#define dwt_setr_epi32(...) ((dwt_vector){.s32 = {__VA_ARGS__}}.whole)
#define dwt_setr_epi64(...) ((dwt_vector){.u64 = {__VA_ARGS__}}.whole)
#define dwt_set4_epi32(d, c, b, a) dwt_setr_epi32(a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d)

#undef _mm256_dpbusd_epi32
#undef _mm512_alignr_epi64
#undef _mm512_inserti64x4
#undef _mm512_extracti32x4_epi32
#undef _mm512_extracti64x4_epi64
#undef _mm512_shuffle_i64x2
#undef _mm512_shuffle_pd
#undef _mm512_cmpgt_epu8_mask
#undef _mm512_set4_epi32
#undef _mm512_setr_epi32
#undef _mm512_setr_epi64
#define _mm512_add_epi8 dwt_add_epi8
#define _mm512_add_epi32 dwt_add_epi32
#define _mm512_adds_epi16 dwt_adds_epi16
#define _mm512_alignr_epi64 dwt_alignr_epi64
#define _mm512_and_si512 dwt_and_si512
#define _mm512_castpd_si512 dwt_of_doubles
#define _mm512_castps_si512 dwt_whole
#define _mm512_castsi128_si512 dwt_of_quarter
#define _mm512_castsi256_si512 dwt_of_half
#define _mm512_castsi512_pd dwt_doubles
#define _mm512_castsi512_ps dwt_floats
#define _mm512_castsi512_si128(whole) dwt_quarter(whole, 0)
#define _mm512_castsi512_si256(whole) dwt_half(whole, 0)
#define _mm512_cmpgt_epu8_mask dwt_cmpgt_epu8_mask
#define _mm512_cvtepi32_epi16 dwt_cvtepi32_epi16
#define _mm512_cvtepi32_ps dwt_cvtepi32_ps
#define _mm512_cvtps_epi32 dwt_cvtps_epi32
#define _mm512_dpbusd_epi32 dwt_dpbusd_epi32
#define _mm512_extracti32x4_epi32 dwt_quarter
#define _mm512_extracti64x4_epi64 dwt_half
#define _mm512_fmadd_ps dwt_fmadd_ps
#define _mm512_inserti64x4 dwt_inserti64x4
#define _mm512_loadu_ps(at) dwt_floats(dwt_load(DWT_ALL, at))
#define _mm512_loadu_si512(at) dwt_load(DWT_ALL, at)
#define _mm512_mask_add_epi8 dwt_mask_add_epi8
#define _mm512_mask_storeu_epi16(at, mask, whole) dwt_store(at, dwt_bytes(mask), whole)
#define _mm512_mask_storeu_epi8 dwt_store
#define _mm512_maskz_loadu_epi16(mask, at) dwt_load(dwt_bytes(mask), at)
#define _mm512_maskz_loadu_epi8 dwt_load
#define _mm512_maskz_permutex2var_epi8 dwt_maskz_permutex2var_epi8
#define _mm512_max_epu8 dwt_max_epu8
#define _mm512_min_epi16 dwt_min_epi16
#define _mm512_min_epu16 dwt_min_epu16
#define _mm512_min_epu8 dwt_min_epu8
#define _mm512_mul_ps dwt_mul_ps
#define _mm512_mullo_epi32 dwt_mullo_epi32
#define _mm512_or_si512 dwt_or_si512
#define _mm512_packs_epi32 dwt_packs_epi32
#define _mm512_packus_epi16 dwt_packus_epi16
#define _mm512_permutex2var_epi8 dwt_permutex2var_epi8
#define _mm512_permutexvar_epi32 dwt_permutexvar_epi32
#define _mm512_permutexvar_epi64 dwt_permutexvar_epi64
#define _mm512_set1_epi16 dwt_set1_epi16
#define _mm512_set1_epi32 dwt_set1_epi32
#define _mm512_set1_epi8 dwt_set1_epi8
#define _mm512_set1_ps(x) dwt_floats(dwt_of_quarter((__m128i)_mm_set1_ps(x)))
#define _mm512_set4_epi32 dwt_set4_epi32
#define _mm512_setr_epi32 dwt_setr_epi32
#define _mm512_setr_epi64 dwt_setr_epi64
#define _mm512_setzero_si512() dwt_set1_epi8(0)
#define _mm512_shuffle_epi8 dwt_shuffle_epi8
#define _mm512_shuffle_i64x2 dwt_shuffle_i64x2
#define _mm512_shuffle_pd dwt_shuffle_pd
#define _mm512_slli_epi32 dwt_slli_epi32
#define _mm512_srli_epi32 dwt_srli_epi32
#define _mm512_storeu_ps(at, floats) dwt_store(at, DWT_ALL, dwt_whole(floats))
#define _mm512_storeu_si512(at, whole) dwt_store(at, DWT_ALL, whole)
#define _mm512_unpackhi_epi16 dwt_unpackhi_epi16
#define _mm512_unpackhi_epi32 dwt_unpackhi_epi32
#define _mm512_unpackhi_epi64 dwt_unpackhi_epi64
#define _mm512_unpackhi_epi8 dwt_unpackhi_epi8
#define _mm512_unpackhi_pd(a, b) dwt_shuffle_pd(a, b, 0xff)
#define _mm512_unpacklo_epi16 dwt_unpacklo_epi16
#define _mm512_unpacklo_epi32 dwt_unpacklo_epi32
#define _mm512_unpacklo_epi64 dwt_unpacklo_epi64
#define _mm512_unpacklo_epi8 dwt_unpacklo_epi8
#define _mm512_unpacklo_pd(a, b) dwt_shuffle_pd(a, b, 0x00)
/* Half as wide, of AVX-VNNI: the lower half. */
#define _mm256_dpbusd_epi32(sums, values, factors)                                                                     \
    dwt_half(dwt_dpbusd_epi32(dwt_of_half(sums), dwt_of_half(values), dwt_of_half(factors)), 0)

#endif
