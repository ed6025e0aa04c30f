/* dwk_gpu_i8.h: what kernels of int8 have in common: numbers in words, and rules R1 to R4 of docs/int8.md. */
#ifndef DWK_GPU_I8_H
#define DWK_GPU_I8_H

#include "dwk_gpu.h"

/* Where sums become bytes: of each channel a bias (s32) and a multiplier (f32); zero point and clamp of the layer. */
typedef struct {
    const uint32_t *bias, *multiplier;
    int32_t zero, low, high;
} dwk_layer_i8;

/* Byte i of a word. */
DWK_INLINE int32_t dwk_byte(uint32_t word, int i) { return (int32_t)(word >> 8 * i & 255u); }

/* Number i of 16 bits in words. */
DWK_INLINE int32_t dwk_short(const uint32_t *words, int i) { return (int16_t)(words[i / 2] >> 16 * (i % 2) & 0xffffu); }

/* R1 and R2: the product that becomes a byte, or is a logit. */
DWK_INLINE float dwk_scaled(uint32_t sum, const uint32_t *multiplier)
{
    return (float)(int32_t)sum * *(const dwk_float *)multiplier;
}

/* R3 and R4: clamped first, then rounded by adding 1.5 x 2^23. With the clamp in between nothing can be fused. */
DWK_INLINE uint32_t dwk_rounded(float product, const dwk_layer_i8 *to)
{
    const float low = (float)(to->low - to->zero), high = (float)(to->high - to->zero);
    float whole = product < low ? low : product;
    whole = (whole > high ? high : whole) + 12582912.0f;
    uint32_t bits;
    __builtin_memcpy(&bits, &whole, sizeof bits);
    return (bits + (uint32_t)to->zero) & 255u;
}

/* A byte out of the sum of channel c's products. */
DWK_INLINE uint32_t dwk_to_byte(uint32_t sum, int32_t c, const dwk_layer_i8 *to)
{
    return dwk_rounded(dwk_scaled(sum + to->bias[c], to->multiplier + c), to);
}

/* Four neighbours, the first of channel c. */
DWK_INLINE uint32_t dwk_to_bytes(const uint32_t *sums, int32_t c, const dwk_layer_i8 *to)
{
    uint32_t word = 0;
    DWK_UNROLL
    for (int i = 0; i < 4; i++) {
        word |= dwk_to_byte(sums[i], c + i, to) << 8 * i;
    }
    return word;
}

#endif
