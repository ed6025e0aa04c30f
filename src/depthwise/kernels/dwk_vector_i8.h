/* dwk_vector_i8.h: vectors of 4, 8 and 16 bytes and sums, and the rounding rule of int8, for the kernels' headers.
 *
 * R1 to R4 and Q8 are rules of docs/int8.md. The clamp comes before the rounding: its bounds are whole numbers, so the
 * byte is the same, and between the product of R2 and the addition that rounds stands an operation which no compiler can
 * fuse them over, whatever its flags. */
#ifndef DWK_VECTOR_I8_H
#define DWK_VECTOR_I8_H

#include "dwk_vector.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are bytes that lie in little-endian words");

/* R4 of one layer. */
typedef struct {
    float low;          /* the clamp, less the zero point */
    float high;
    int32_t zero_point; /* the byte of real 0 */
} dwk_rounding;

/* Added to a float32 between -2^22 and 2^22 this rounds it to a whole number, halves to even, and leaves that in the
 * lowest bits of the sum. */
#define DWK_ROUNDER 0x1.8p23f

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
        dwk_v##L p;                                                                                                    \
        dwk_scaled_v##L(sum, multiplier, &p);                                                                          \
        dwk_at_least_v##L(&p, to->low);                                                                                \
        dwk_at_most_v##L(&p, to->high);                                                                                \
        *sum = (dwk_i##L)(p + DWK_ROUNDER) + to->zero_point;                                                           \
    }                                                                                                                  \
    DWK_INLINE void dwk_store_v##L(const dwk_rounding *to, const uint32_t *multiplier, dwk_i##L *sum, uint8_t *output) \
    {                                                                                                                  \
        dwk_rounded_v##L(to, multiplier, sum);                                                                         \
        *(dwk_u##L *)output = __builtin_convertvector(*sum, dwk_u##L);                                                 \
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

#endif
