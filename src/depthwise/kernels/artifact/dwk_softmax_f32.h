/* dwk_softmax_f32.h: probabilities of sums, without a C library. */
#ifndef DWK_SOFTMAX_F32_H
#define DWK_SOFTMAX_F32_H

#include "dwk_vector.h"

/* Labels that are taken together, in the same order on every machine. */
#define DWK_ABREAST 16
#define DWK_V DWK_JOIN(dwk_v, DWK_ABREAST, )
#define DWK_M DWK_JOIN(dwk_m, DWK_ABREAST, )
typedef double dwk_total __attribute__((vector_size(8 * DWK_ABREAST)));

/* Where the mask is all ones the first value, elsewhere the second. */
DWK_INLINE void dwk_choose(const DWK_M *mask, const DWK_V *yes, const DWK_V *no, DWK_V *out)
{
    *out = (DWK_V)((*mask & (DWK_M)*yes) | (~*mask & (DWK_M)*no));
}

/* e to the power of x, for x from -infinity to 0, within 2 units in the last place; from -87 down it gives 0, and of
 * what is no number something that is none.
 *
 * x = n log 2 + r with |r| <= log(2) / 2. log 2 is taken off in two parts, the first of which has so few bits that its
 * product with n is exact; e^r is its Taylor polynomial of degree 7, whose rest is below 2^-27; 2^n is made of bits.
 * Source of the reduction: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980, chapter 6. */
DWK_INLINE void dwk_exp_f32(DWK_V *x)
{
    const DWK_V zero = {0}, least = zero - 87.0f;
    const DWK_M is_least = (DWK_M)(*x <= least);
    DWK_V within;
    dwk_choose(&is_least, &least, x, &within);
    const DWK_M n = __builtin_convertvector(within * 0x1.715476p+0f - 0.5f, DWK_M);
    const DWK_V whole = __builtin_convertvector(n, DWK_V);
    DWK_V r = within - whole * 0x1.62e4p-1f;
    r -= whole * 0x1.7f7d1cp-20f;
    DWK_V p = zero + 0x1.a01a02p-13f;
    p = p * r + 0x1.6c16c2p-10f;
    p = p * r + 0x1.111112p-7f;
    p = p * r + 0x1.555556p-5f;
    p = p * r + 0x1.555556p-3f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    p *= (DWK_V)((127 + n) * (1 << 23));
    dwk_choose(&is_least, &zero, &p, x);
}

/* Some of the sums; after the last one stand numbers of which the power is 0. */
DWK_INLINE void dwk_sums_of(const dwk_float *sums, int32_t count, DWK_V *out)
{
    if (count >= DWK_ABREAST) {
        __builtin_memcpy(out, sums, sizeof *out);
        return;
    }
    for (int32_t lane = 0; lane < DWK_ABREAST; lane++) {
        (*out)[lane] = lane < count ? sums[lane] : -__builtin_inff();
    }
}

/* What `dwk_sums_of` did, the other way round. */
DWK_INLINE void dwk_keep_of(const DWK_V *values, int32_t count, dwk_float *out)
{
    if (count >= DWK_ABREAST) {
        __builtin_memcpy(out, values, sizeof *values);
        return;
    }
    for (int32_t lane = 0; lane < DWK_ABREAST; lane++) {
        if (lane < count) {
            out[lane] = (*values)[lane];
        }
    }
}

/* dwk_softmax_f32: e^sum over the sum of them all. The largest sum is taken off first, so that nothing overflows. */
static inline void dwk_softmax_f32(const dwk_float *restrict sums, int32_t count, dwk_float *restrict probabilities)
{
    DWK_V x, most = (DWK_V){0} - __builtin_inff();
    for (int32_t i = 0; i < count; i += DWK_ABREAST) {
        dwk_sums_of(sums + i, count - i, &x);
        const DWK_M is_larger = (DWK_M)(x > most);
        dwk_choose(&is_larger, &x, &most, &most);
    }
    float largest = -__builtin_inff();
    for (int32_t lane = 0; lane < DWK_ABREAST; lane++) {
        largest = most[lane] > largest ? most[lane] : largest;
    }
    dwk_total part = {0.0};
    for (int32_t i = 0; i < count; i += DWK_ABREAST) {
        dwk_sums_of(sums + i, count - i, &x);
        x -= largest;
        dwk_exp_f32(&x);
        part += __builtin_convertvector(x, dwk_total);
        dwk_keep_of(&x, count - i, probabilities + i);
    }
    double total = 0.0;
    for (int32_t lane = 0; lane < DWK_ABREAST; lane++) {
        total += part[lane];
    }
    const float share = (float)(1.0 / total);
    for (int32_t i = 0; i < count; i++) {
        probabilities[i] *= share;
    }
}

#undef DWK_M
#undef DWK_V
#undef DWK_ABREAST
#endif
