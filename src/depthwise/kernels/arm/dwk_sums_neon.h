/* dwk_sums_neon.h: sums of products of signed bytes on ARM without dot products.
 *
 * Two products of signed bytes fit into 16 bits, unless both are of two times -128: kernels/arm/ways.py sees that no
 * two such factors meet. So bytes are multiplied to 16 bits, the second half of a register is added to the first, and
 * neighbours are added to sums of 32 bits: three instructions for 16 products. */
#ifndef DWK_SUMS_NEON_H
#define DWK_SUMS_NEON_H

#include "dwk_arm.h"

/* Of sixteen products those of eight, each with its partner of the other eight. */
DWK_INLINE int16x8_t dwk_partners(int8x16_t values, int8x16_t factors)
{
    return DWK_MULTIPLY_ADD_HIGH(vmull_s8(vget_low_s8(values), vget_low_s8(factors)), values, factors);
}

/* The sum of each of four vectors. */
DWK_INLINE int32x4_t dwk_four_sums(const int32x4_t *sum)
{
    return DWK_NEIGHBOURS(DWK_NEIGHBOURS(sum[0], sum[1]), DWK_NEIGHBOURS(sum[2], sum[3]));
}

#endif
