/* dwk_words_arm.h: what 64-bit ARM does in one instruction and 32-bit ARM in two, for the int8 kernels of both. */
#ifndef DWK_WORDS_ARM_H
#define DWK_WORDS_ARM_H

#include <arm_neon.h>

#include "dwk_vector.h"

#if defined(__aarch64__)
#define DWK_ADD_HIGH(sum, values) vaddw_high_s16(sum, values)
#define DWK_MULTIPLY_ADD_HIGH(sum, values, factors) vmlal_high_s8(sum, values, factors)
#define DWK_NEIGHBOURS(first, second) vpaddq_s32(first, second)
#define DWK_LOWER_HALVES(first, second) vuzp1q_s16(first, second)
#define DWK_LOWER_BYTES(first, second) vuzp1q_s8(first, second)
#define DWK_NARROWED(first, second) vqmovn_high_s16(vqmovn_s16(first), second)
#else
/* Adds the last four of eight numbers. */
#define DWK_ADD_HIGH(sum, values) vaddw_s16(sum, vget_high_s16(values))
/* Adds the products of the last eight of sixteen bytes. */
#define DWK_MULTIPLY_ADD_HIGH(sum, values, factors) vmlal_s8(sum, vget_high_s8(values), vget_high_s8(factors))
/* The sums of the neighbours in two vectors. */
#define DWK_NEIGHBOURS(first, second)                                                                                  \
    vcombine_s32(vpadd_s32(vget_low_s32(first), vget_high_s32(first)),                                                 \
                 vpadd_s32(vget_low_s32(second), vget_high_s32(second)))
/* The numbers at even places of two vectors. */
#define DWK_LOWER_HALVES(first, second) vuzpq_s16(first, second).val[0]
#define DWK_LOWER_BYTES(first, second) vuzpq_s8(first, second).val[0]
/* Sixteen numbers as bytes, the nearest where they are none. */
#define DWK_NARROWED(first, second) vcombine_s8(vqmovn_s16(first), vqmovn_s16(second))
#endif

#endif
