/* dwk_vector.h: vectors of 4, 8 and 16 floats, in the vector extension of gcc and clang, for the kernels' headers.
 *
 * A kernel is a header that is included once for each form of it that a network needs, after macros that give the
 * form: DWK_LANES (floats in a vector), DWK_ACTIVATION (relu or relu6) and those that the header itself names. */
#ifndef DWK_VECTOR_H
#define DWK_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#define DWK_INLINE static inline __attribute__((always_inline))

/* Loops over registers are unrolled whole, so that accumulators are registers and not memory. */
#if defined(__clang__)
#define DWK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DWK_UNROLL _Pragma("GCC unroll 64")
#endif

/* Names of the forms of a kernel: DWK_JOIN(a, b, c) is abc once a, b and c are expanded. */
#define DWK_JOIN_(a, b, c) a##b##c
#define DWK_JOIN(a, b, c) DWK_JOIN_(a, b, c)

/* The arena holds bytes, floats and integers in turn; what may alias is never moved past another's use of it. */
typedef float dwk_float __attribute__((may_alias));

/* dwk_v<L>: L floats at a multiple of their size. dwk_relu_v<L> and dwk_relu6_v<L>: the activation, in place, with a
 * comparison's all-ones or all-zeros as a mask (compilers make one instruction of each pair). */
#define DWK_DEFINE_VECTOR(L)                                                                                           \
    typedef float dwk_v##L __attribute__((vector_size(4 * L), may_alias));                                             \
    typedef int32_t dwk_m##L __attribute__((vector_size(4 * L), may_alias));                                           \
    DWK_INLINE void dwk_relu_v##L(dwk_v##L *x)                                                                         \
    {                                                                                                                  \
        dwk_v##L zero = {0};                                                                                           \
        *x = (dwk_v##L)((dwk_m##L)*x & (dwk_m##L)(*x > zero));                                                         \
    }                                                                                                                  \
    DWK_INLINE void dwk_relu6_v##L(dwk_v##L *x)                                                                        \
    {                                                                                                                  \
        dwk_v##L zero = {0};                                                                                           \
        dwk_v##L six = zero + 6.0f;                                                                                    \
        dwk_relu_v##L(x);                                                                                              \
        dwk_m##L below = (dwk_m##L)(*x < six);                                                                         \
        *x = (dwk_v##L)(((dwk_m##L)*x & below) | ((dwk_m##L)six & ~below));                                            \
    }

DWK_DEFINE_VECTOR(4)
DWK_DEFINE_VECTOR(8)
DWK_DEFINE_VECTOR(16)

#endif
