/* dwk_arm.h: what the int8 kernels for ARM share: signed bytes, and the ways from sums to them.
 *
 * An activation q lies in memory as q - 128, a signed byte, which is what the instructions take. Each bias has 128
 * times the sum of its factors added, so that sums are those of docs/int8.md Q5 to the last bit, and R1 to R4 begin
 * from them.
 *
 * A kernel is written for any of three ways to round. The compiler proves for each layer which of them give the bytes
 * of R1 to R4 (kernels/arm/ways.py), and its weights are laid for the cheapest.
 *
 * converted: R1 by an instruction that converts, then R2, the clamp, and R3 by an addition. Always right.
 *
 * added: the bias has the bits of the float 1.5 x 2^23 added. A sum then is the bits of the float 1.5 x 2^23 + sum, and
 * R1 a subtraction. Adding 1.5 x 2^23 + (zero point - 128) is R3 and R4 at once; the clamp to a byte is that of the
 * instruction that narrows. Right for sums nearer to 0 than 2^22, an even zero point (an odd one would turn halves to
 * the odd neighbour) and bytes that are not clamped further.
 *
 * doubled: the integer form of docs/int8.md without a shift, in place of R1 to R3. One instruction doubles the product
 * of a sum and half of the form's factor, and takes the upper half of the bits, rounded. Right where that form is
 * proven with an even factor for each channel, and bytes are not clamped further. */
#ifndef DWK_ARM_H
#define DWK_ARM_H

#include <arm_neon.h>

#include "dwk_shapes.h"
#include "dwk_vector_i8.h"
#include "dwk_words_arm.h"

/* What a signed byte is less than the byte of docs/int8.md. */
#define DWK_LESS 128

/* A float32 that stands in a register by itself: no compiler fuses the product before with the addition behind it,
 * whatever its flags. */
#define DWK_ALONE(product) __asm__("" : "+w"(product))

DWK_INLINE int32x4_t dwk_sums_at(const uint32_t *at) { return vreinterpretq_s32_u32(vld1q_u32(at)); }

/* The lower halves of eight numbers. */
DWK_INLINE int16x8_t dwk_sixteens(int32x4_t first, int32x4_t second)
{
    return DWK_LOWER_HALVES(vreinterpretq_s16_s32(first), vreinterpretq_s16_s32(second));
}

DWK_INLINE int32x4_t dwk_four_converted(const dwk_rounding *to, int32x4_t sum, int32x4_t multiplier)
{
    float32x4_t product = vmulq_f32(vcvtq_f32_s32(sum), vreinterpretq_f32_s32(multiplier));
    product = vmaxq_f32(product, vdupq_n_f32(to->low));
    product = vminq_f32(product, vdupq_n_f32(to->high));
    return vreinterpretq_s32_f32(vaddq_f32(product, vdupq_n_f32(DWK_ROUNDER)));
}

DWK_INLINE int32x4_t dwk_four_added(const dwk_rounding *to, int32x4_t sum, int32x4_t multiplier)
{
    float32x4_t product = vsubq_f32(vreinterpretq_f32_s32(sum), vdupq_n_f32(DWK_ROUNDER));
    product = vmulq_f32(product, vreinterpretq_f32_s32(multiplier));
    DWK_ALONE(product);
    return vreinterpretq_s32_f32(vaddq_f32(product, vdupq_n_f32(DWK_ROUNDER + (float)(to->zero_point - DWK_LESS))));
}

/* dwk_bytes_<way>: sixteen sums as signed bytes, with the bits of a multiplier for each. */
DWK_INLINE int8x16_t dwk_bytes_added(const dwk_rounding *to, const int32x4_t *sum, const int32x4_t *multiplier)
{
    int32x4_t r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = dwk_four_added(to, sum[i], multiplier[i]);
    }
    return DWK_NARROWED(dwk_sixteens(r[0], r[1]), dwk_sixteens(r[2], r[3]));
}

DWK_INLINE int8x16_t dwk_bytes_converted(const dwk_rounding *to, const int32x4_t *sum, const int32x4_t *multiplier)
{
    int32x4_t r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = dwk_four_converted(to, sum[i], multiplier[i]);
    }
    const int8x16_t low =
        DWK_LOWER_BYTES(vreinterpretq_s8_s16(dwk_sixteens(r[0], r[1])), vreinterpretq_s8_s16(dwk_sixteens(r[2], r[3])));
    return vaddq_s8(low, vdupq_n_s8((int8_t)(to->zero_point - DWK_LESS)));
}

DWK_INLINE int8x16_t dwk_bytes_doubled(const dwk_rounding *to, const int32x4_t *sum, const int32x4_t *multiplier)
{
    const int16x8_t zero = vdupq_n_s16((int16_t)(to->zero_point - DWK_LESS));
    int32x4_t r[4];
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = vqrdmulhq_s32(sum[i], multiplier[i]);
    }
    return DWK_NARROWED(vaddq_s16(dwk_sixteens(r[0], r[1]), zero), vaddq_s16(dwk_sixteens(r[2], r[3]), zero));
}

/* A word of the way to round: DWK_BY(bytes) is dwk_bytes_<DWK_WAY>. */
#define DWK_BY(word) DWK_JOIN(dwk_##word##_, DWK_WAY, )

#endif
