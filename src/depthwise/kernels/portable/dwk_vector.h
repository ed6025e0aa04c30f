/* dwk_vector.h: vectors of 4, 8 and 16 floats, in the vector extension of gcc and clang, for the kernels' headers.
 *
 * Where a compiler for x86 makes several instructions of what is one, it stands in intrinsics, or for gcc in assembly,
 * beside the same words in the extension for all others.
 *
 * A kernel is a header that is included once for each form of it that a network needs, after macros that give the
 * form: DWK_LANES (floats in a vector), DWK_ACTIVATION (relu or relu6) and those that the header itself names. */
#ifndef DWK_VECTOR_H
#define DWK_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE__)
#include "dwk_intrinsics.h"
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* gcc says of Windows, where every name is hidden that is not exported, that it ignores the attribute. */
#if defined(_WIN32) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wattributes"
#endif

#define DWK_INLINE static inline __attribute__((always_inline))

/* How a kernel is declared. Compilers put it into its callers as they see fit; whoever builds a network and wants it
 * small defines DWK_CALLED, and all steps that use one form of a kernel call the one copy of it. */
#ifdef DWK_CALLED
#define DWK_FUNCTION static __attribute__((noinline))
#else
#define DWK_FUNCTION static inline
#endif

/* Loops over registers are unrolled whole, so that accumulators are registers and not memory. A RISC-V without vectors
 * has no registers for them: there clang could not unroll as it is told, and says so at each loop. */
#if defined(__clang__) && defined(__riscv) && !defined(__riscv_vector)
#define DWK_UNROLL
#elif defined(__clang__)
#define DWK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DWK_UNROLL _Pragma("GCC unroll 64")
#endif

/* Loops that take two steps at a time, or three. */
#if defined(__clang__)
#define DWK_TWICE _Pragma("clang loop unroll_count(2)")
#define DWK_THRICE _Pragma("clang loop unroll_count(3)")
#else
#define DWK_TWICE _Pragma("GCC unroll 2")
#define DWK_THRICE _Pragma("GCC unroll 3")
#endif

/* Keeps what lies at an address in memory: a compiler would fetch it before a loop, into registers that are needed. */
#define DWK_HIDE(address) __asm__ volatile("" : "+r"(address))

/* A sum of a tile that is changed in a register. With SSE gcc puts some into memory else, although registers are free.
 */
#if !defined(__clang__) && defined(__SSE2__) && !defined(__AVX__)
#define DWK_IN_REGISTER(sum) __asm__("" : "+x"(sum))
#else
#define DWK_IN_REGISTER(sum) (void)(sum)
#endif

/* Names of the forms of a kernel: DWK_JOIN(a, b, c) is abc once a, b and c are expanded. */
#define DWK_JOIN_(a, b, c) a##b##c
#define DWK_JOIN(a, b, c) DWK_JOIN_(a, b, c)

/* A word of the vocabulary in which a kernel is written: DWK_X(dot) is dwk_dot_<DWK_SET>. */
#define DWK_X(word) DWK_JOIN(dwk_##word##_, DWK_SET, )

/* The arena holds bytes, floats and integers in turn; what may alias is never moved past another's use of it. */
typedef float dwk_float __attribute__((may_alias));

/* dwk_v<L>: L floats at a multiple of their size. */
#define DWK_DEFINE_TYPES(L)                                                                                            \
    typedef float dwk_v##L __attribute__((vector_size(4 * L), may_alias));                                             \
    typedef int32_t dwk_m##L __attribute__((vector_size(4 * L), may_alias));

DWK_DEFINE_TYPES(4)
DWK_DEFINE_TYPES(8)
DWK_DEFINE_TYPES(16)

/* dwk_at_least_v<L>, dwk_at_most_v<L>: the greater or the lesser of floats and bounds, in place, and the bound of what
 * is no number; with a comparison's all-ones or all-zeros as a mask. */
#define DWK_DEFINE_BOUNDS(L)                                                                                           \
    DWK_INLINE void dwk_at_least_v##L(dwk_v##L *x, const dwk_v##L *low)                                                \
    {                                                                                                                  \
        dwk_m##L above = (dwk_m##L)(*x > *low);                                                                        \
        *x = (dwk_v##L)(((dwk_m##L) * x & above) | ((dwk_m##L) * low & ~above));                                       \
    }                                                                                                                  \
    DWK_INLINE void dwk_at_most_v##L(dwk_v##L *x, const dwk_v##L *high)                                                \
    {                                                                                                                  \
        dwk_m##L below = (dwk_m##L)(*x < *high);                                                                       \
        *x = (dwk_v##L)(((dwk_m##L) * x & below) | ((dwk_m##L) * high & ~below));                                      \
    }

/* The same on x86 and ARM, where it is one instruction each, which gcc finds in no such pair and clang not always. */
#define DWK_DEFINE_BOUNDS_BY(L, max, min)                                                                              \
    DWK_INLINE void dwk_at_least_v##L(dwk_v##L *x, const dwk_v##L *low) { *x = max(*x, *low); }                        \
    DWK_INLINE void dwk_at_most_v##L(dwk_v##L *x, const dwk_v##L *high) { *x = min(*x, *high); }

#if defined(__SSE__)
DWK_DEFINE_BOUNDS_BY(4, _mm_max_ps, _mm_min_ps)
#elif defined(__aarch64__)
#define DWK_GREATER(a, b) ((dwk_v4)vmaxnmq_f32((float32x4_t)(a), (float32x4_t)(b)))
#define DWK_LESSER(a, b) ((dwk_v4)vminnmq_f32((float32x4_t)(a), (float32x4_t)(b)))
DWK_DEFINE_BOUNDS_BY(4, DWK_GREATER, DWK_LESSER)
#else
DWK_DEFINE_BOUNDS(4)
#endif
#if defined(__AVX__)
DWK_DEFINE_BOUNDS_BY(8, _mm256_max_ps, _mm256_min_ps)
#else
DWK_DEFINE_BOUNDS(8)
#endif
#if defined(__AVX512F__)
DWK_DEFINE_BOUNDS_BY(16, _mm512_max_ps, _mm512_min_ps)
#else
DWK_DEFINE_BOUNDS(16)
#endif

/* dwk_relu_v<L> and dwk_relu6_v<L>: the activation, in place. */
#define DWK_DEFINE_VECTOR(L)                                                                                           \
    DWK_INLINE void dwk_relu_v##L(dwk_v##L *x)                                                                         \
    {                                                                                                                  \
        const dwk_v##L zero = {0};                                                                                     \
        dwk_at_least_v##L(x, &zero);                                                                                   \
    }                                                                                                                  \
    DWK_INLINE void dwk_relu6_v##L(dwk_v##L *x)                                                                        \
    {                                                                                                                  \
        const dwk_v##L six = (dwk_v##L){0} + 6.0f;                                                                     \
        dwk_relu_v##L(x);                                                                                              \
        dwk_at_most_v##L(x, &six);                                                                                     \
    }

DWK_DEFINE_VECTOR(4)
DWK_DEFINE_VECTOR(8)
DWK_DEFINE_VECTOR(16)

#endif
