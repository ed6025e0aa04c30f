/* dwk_vector_i8.h: vectors of 4, 8 and 16 bytes and sums, and the rounding rule of int8, for the kernels' headers.
 *
 * R1 to R4 and Q8 are rules of docs/int8.md. The clamp comes before the rounding: its bounds are whole numbers, so the
 * byte is the same, and between the product of R2 and the addition that rounds stands an operation which no compiler
 * can fuse them over, whatever its flags. */
#ifndef DWK_VECTOR_I8_H
#define DWK_VECTOR_I8_H

#include "dwk_vector.h"

_Static_assert(
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "int8 needs a little-endian processor, as weights are bytes in words; take the float32 model for this one");

/* R4 of one layer. */
typedef struct {
    float low; /* the clamp, less the zero point */
    float high;
    int32_t zero_point; /* the byte of real 0 */
    int32_t fused;      /* whether kernels that can may round in two operations (kernels/x86/ways.py proves it) */
} dwk_rounding;

/* Added to a float32 between -2^22 and 2^22 this rounds it to a whole number, halves to even, and leaves that in the
 * lowest bits of the sum. */
#define DWK_ROUNDER 0x1.8p23f

/* Four bytes of memory. */
typedef int32_t dwk_near_word __attribute__((may_alias, aligned(1)));

/* dwk_u<L>, dwk_s<L>: L bytes at a multiple of L. dwk_i<L>: L sums. dwk_near_...: L words at a multiple of 4.
 *
 * dwk_scaled_v<L>: R1 and R2. dwk_rounded_v<L>: R1 to R4; the byte is the lowest one of each word. dwk_logits_...: Q8,
 * of a classifier whose logits stay as they are (products) or are rounded (bytes). */
#define DWK_DEFINE_BYTES(L)                                                                                            \
    typedef uint8_t dwk_u##L __attribute__((vector_size(L), may_alias));                                               \
    typedef int8_t dwk_s##L __attribute__((vector_size(L), may_alias));                                                \
    typedef int32_t dwk_i##L __attribute__((vector_size(4 * L), may_alias));                                           \
    typedef int32_t dwk_near_i##L __attribute__((vector_size(4 * L), aligned(4), may_alias));                          \
    typedef float dwk_near_v##L __attribute__((vector_size(4 * L), aligned(4), may_alias));                            \
    DWK_INLINE void dwk_scaled_v##L(const dwk_i##L *sum, const uint32_t *multiplier, dwk_v##L *product)                \
    {                                                                                                                  \
        *product = __builtin_convertvector(*sum, dwk_v##L) * *(const dwk_near_v##L *)multiplier;                       \
    }                                                                                                                  \
    DWK_INLINE void dwk_rounded_v##L(const dwk_rounding *to, const uint32_t *multiplier, dwk_i##L *sum)                \
    {                                                                                                                  \
        const dwk_v##L low = to->low - (dwk_v##L){0}, high = to->high - (dwk_v##L){0};                                 \
        dwk_v##L p;                                                                                                    \
        dwk_scaled_v##L(sum, multiplier, &p);                                                                          \
        dwk_at_least_v##L(&p, &low);                                                                                   \
        dwk_at_most_v##L(&p, &high);                                                                                   \
        *sum = (dwk_i##L)(p + DWK_ROUNDER) + to->zero_point;                                                           \
    }                                                                                                                  \
    DWK_INLINE void dwk_logits_products_v##L(const dwk_rounding *to, const uint32_t *multiplier,                       \
                                             const uint32_t *scale, dwk_i##L *sum, dwk_v##L *logits)                   \
    {                                                                                                                  \
        (void)to;                                                                                                      \
        (void)scale;                                                                                                   \
        dwk_scaled_v##L(sum, multiplier, logits);                                                                      \
    }                                                                                                                  \
    DWK_INLINE void dwk_logits_bytes_v##L(const dwk_rounding *to, const uint32_t *multiplier, const uint32_t *scale,   \
                                          dwk_i##L *sum, dwk_v##L *logits)                                             \
    {                                                                                                                  \
        dwk_rounded_v##L(to, multiplier, sum);                                                                         \
        dwk_i##L steps = (*sum & 255) - to->zero_point;                                                                \
        *logits = __builtin_convertvector(steps, dwk_v##L) * *(const dwk_near_v##L *)scale;                            \
    }

DWK_DEFINE_BYTES(4)
DWK_DEFINE_BYTES(8)
DWK_DEFINE_BYTES(16)

/* DWK_WIDE_U<L>, DWK_WIDE_S<L>: the bytes at an address, or the signed ones, as dwk_i<L>. DWK_TIMES_<L>: the products
 * of bytes and signed bytes that were widened so. */
#define DWK_WIDE_U8(at) __builtin_convertvector(*(const dwk_u8 *)(at), dwk_i8)
#define DWK_WIDE_U16(at) __builtin_convertvector(*(const dwk_u16 *)(at), dwk_i16)
#define DWK_WIDE_S8(at) __builtin_convertvector(*(const dwk_s8 *)(at), dwk_i8)
#define DWK_WIDE_S16(at) __builtin_convertvector(*(const dwk_s16 *)(at), dwk_i16)
#define DWK_TIMES_8(bytes, factors) ((bytes) * (factors))
#define DWK_TIMES_16(bytes, factors) ((bytes) * (factors))

/* The lowest byte of each word to memory. */
#define DWK_DEFINE_NARROW(L)                                                                                           \
    DWK_INLINE void dwk_narrow_u##L(const dwk_i##L *words, uint8_t *output)                                            \
    {                                                                                                                  \
        *(dwk_u##L *)output = __builtin_convertvector(*words, dwk_u##L);                                               \
    }
DWK_DEFINE_NARROW(8)
DWK_DEFINE_NARROW(16)

#if defined(__SSE2__)
/* By name, as gcc widens and narrows in more steps and multiplies numbers of 32 bits, which SSE2 cannot at once. Here
 * the products of the upper halves are 0. */
#define DWK_FOUR(at) _mm_cvtsi32_si128(*(const dwk_near_word *)(at))
#define DWK_NONE _mm_setzero_si128()
#if defined(__SSE4_1__)
#define DWK_WIDE_U4(at) ((dwk_i4)_mm_cvtepu8_epi32(DWK_FOUR(at)))
#define DWK_WIDE_S4(at) ((dwk_i4)_mm_cvtepi8_epi32(DWK_FOUR(at)))
#else
#define DWK_WIDE_U4(at) ((dwk_i4)_mm_unpacklo_epi16(_mm_unpacklo_epi8(DWK_FOUR(at), DWK_NONE), DWK_NONE))
#define DWK_WITH_ITSELF(unpacked, x) unpacked(x, x)
#define DWK_WIDE_S4(at)                                                                                                \
    ((dwk_i4)_mm_srai_epi32(DWK_WITH_ITSELF(_mm_unpacklo_epi16, DWK_WITH_ITSELF(_mm_unpacklo_epi8, DWK_FOUR(at))), 24))
#endif
#define DWK_TIMES_4(bytes, factors) ((dwk_i4)_mm_madd_epi16((__m128i)(bytes), (__m128i)(factors)))
DWK_INLINE void dwk_narrow_u4(const dwk_i4 *words, uint8_t *output)
{
#if defined(__SSSE3__)
    const __m128i bytes = _mm_shuffle_epi8((__m128i)*words, _mm_cvtsi32_si128(0x0C080400));
#else
    const __m128i low = _mm_and_si128((__m128i)*words, _mm_set1_epi32(255)), pairs = _mm_packs_epi32(low, low);
    const __m128i bytes = _mm_packus_epi16(pairs, pairs);
#endif
    *(dwk_near_word *)output = _mm_cvtsi128_si32(bytes);
}
#else
#define DWK_WIDE_U4(at) __builtin_convertvector(*(const dwk_u4 *)(at), dwk_i4)
#define DWK_WIDE_S4(at) __builtin_convertvector(*(const dwk_s4 *)(at), dwk_i4)
#define DWK_TIMES_4(bytes, factors) ((bytes) * (factors))
DWK_DEFINE_NARROW(4)
#endif

/* R1 to R4, to memory. */
#define DWK_DEFINE_STORE(L)                                                                                            \
    DWK_INLINE void dwk_store_v##L(const dwk_rounding *to, const uint32_t *multiplier, dwk_i##L *sum, uint8_t *output) \
    {                                                                                                                  \
        dwk_rounded_v##L(to, multiplier, sum);                                                                         \
        dwk_narrow_u##L(sum, output);                                                                                  \
    }
DWK_DEFINE_STORE(4)
DWK_DEFINE_STORE(8)
DWK_DEFINE_STORE(16)

#endif
