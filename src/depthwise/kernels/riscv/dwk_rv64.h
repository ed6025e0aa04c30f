/* dwk_rv64.h: what the kernels for RISC-V without vectors share.
 *
 * A register has 64 bits, and room for two: two bytes of different pixels, 32 bits apart, times one factor are both
 * products, and their sums stay apart as long as each fits into 32 bits. A lower sum below 0 takes 1 from the upper
 * one, which is given back at the end. */
#ifndef DWK_RV64_H
#define DWK_RV64_H

#include "dwk_tiles_riscv.h"
#include "dwk_vector_i8.h"

/* Loops over registers are unrolled whole. */
#if defined(__clang__)
#define DWK_UNROLL_ALL _Pragma("clang loop unroll(full)")
#else
#define DWK_UNROLL_ALL _Pragma("GCC unroll 16")
#endif

/* Activations of float32. */
DWK_INLINE float dwk_relu_rv64(float x) { return __builtin_fmaxf(x, 0.0f); }

DWK_INLINE float dwk_relu6_rv64(float x) { return __builtin_fminf(dwk_relu_rv64(x), 6.0f); }

typedef uint64_t dwk_two;

DWK_INLINE dwk_two dwk_two_of(uint8_t lower, uint8_t upper) { return lower | (dwk_two)upper << 32; }

/* The same sum twice. */
DWK_INLINE dwk_two dwk_twice(uint32_t sum) { return (dwk_two)(int64_t)(int32_t)sum + ((dwk_two)sum << 32); }

DWK_INLINE int32_t dwk_lower(dwk_two sums) { return (int32_t)(uint32_t)sums; }

DWK_INLINE int32_t dwk_upper(dwk_two sums)
{
    return (int32_t)(uint32_t)((sums - (dwk_two)(int64_t)dwk_lower(sums)) >> 32);
}

/* R1 to R4 of docs/int8.md, clamped before it is rounded as in dwk_vector_i8.h. */
DWK_INLINE uint8_t dwk_byte_of(const dwk_rounding *to, int32_t sum, uint32_t multiplier)
{
    union {
        uint32_t bits;
        float value;
    } factor = {multiplier}, rounded;
    rounded.value = __builtin_fminf(__builtin_fmaxf((float)sum * factor.value, to->low), to->high) + DWK_ROUNDER;
    return (uint8_t)(rounded.bits + (uint32_t)to->zero_point);
}

#endif
