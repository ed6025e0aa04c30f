/* dwk_softmax_f32.h: probabilities of sums, without a C library. */
#ifndef DWK_SOFTMAX_F32_H
#define DWK_SOFTMAX_F32_H

#include "dwk_vector.h"

/* e to the power of x, for x from -infinity to 0, within 2 units in the last place; below -87 it gives 0.
 *
 * x = n log 2 + r with |r| <= log(2) / 2. log 2 is taken off in two parts, the first of which has so few bits that its
 * product with n is exact; e^r is its Taylor polynomial of degree 7, whose rest is below 2^-27; 2^n is made of bits.
 * Source of the reduction: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980, chapter 6. */
DWK_INLINE float dwk_exp_f32(float x)
{
    float within = x > -87.0f ? x : -87.0f;
    int32_t n = (int32_t)(within * 0x1.715476p+0f - 0.5f);
    float r = within - (float)n * 0x1.62e4p-1f;
    r -= (float)n * 0x1.7f7d1cp-20f;
    float p = 0x1.a01a02p-13f;
    p = p * r + 0x1.6c16c2p-10f;
    p = p * r + 0x1.111112p-7f;
    p = p * r + 0x1.555556p-5f;
    p = p * r + 0x1.555556p-3f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union {
        int32_t bits;
        float value;
    } power = {(127 + n) * (1 << 23)};
    return x > -87.0f ? p * power.value : 0.0f;
}

/* dwk_softmax_f32: e^sum over the sum of them all. The largest sum is taken off first, so that nothing overflows. */
static inline void dwk_softmax_f32(const dwk_float *restrict sums, int32_t count, dwk_float *restrict probabilities)
{
    float largest = sums[0];
    for (int32_t i = 1; i < count; i++) {
        largest = sums[i] > largest ? sums[i] : largest;
    }
    for (int32_t i = 0; i < count; i++) {
        probabilities[i] = dwk_exp_f32(sums[i] - largest);
    }
    double total = 0.0;
    for (int32_t i = 0; i < count; i++) {
        total += (double)probabilities[i];
    }
    float share = (float)(1.0 / total);
    for (int32_t i = 0; i < count; i++) {
        probabilities[i] *= share;
    }
}

#endif
