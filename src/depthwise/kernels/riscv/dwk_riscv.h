/* dwk_riscv.h: what the kernels for RISC-V with vectors share, whatever the length of these.
 *
 * A kernel dwk_..._<v128|v256> is written once. It says how many values it wants of an instruction, by a number n that
 * is known when it is compiled, and never more than a vector of 128 or of 256 bits holds; with longer ones the same
 * code computes the same values. RISC-V puts up to 8 registers into one operand, a group; M is how many 32-bit values
 * take:
 *
 *     sums, floats   32 bits in M registers
 *     halves         16 bits in M / 2, signed; rounds without a sign
 *
 * A word dwk_<word>_m<M> is that word for one M; DWK_G(word) is the one of the form that is included. */
#ifndef DWK_RISCV_H
#define DWK_RISCV_H

/* Functions of <riscv_vector.h> whose names begin with __riscv_, and which are told how to round. */
#if !defined(__riscv_v_intrinsic) || __riscv_v_intrinsic < 12000
#error "kernels for RISC-V with vectors need clang 17, gcc 14 or newer; compile for a level without vectors"
#endif
#include <riscv_vector.h>

#include "dwk_shapes.h"
#include "dwk_tiles_riscv.h"
#include "dwk_vector_i8.h"

/* 32-bit values in one register. */
#define DWK_LANES_v128 4
#define DWK_LANES_v256 8
/* Those in four, which kernels take at a time that need registers for more than sums. */
#define DWK_CHUNK_v128 16
#define DWK_CHUNK_v256 32
#define DWK_CHUNK DWK_JOIN(DWK_CHUNK_, DWK_SET, )

#define DWK_G(word) DWK_JOIN(dwk_, word, DWK_JOIN(_m, DWK_M, ))

/* sums_at, floats_at: n of them from memory; floats_to: to memory. factors_at: n signed bytes, as halves. rounded: R1
 * to R4 of docs/int8.md, where the constants of the layer leave out what changes nothing: a conversion to 16 bits
 * clamps, and from these to 8 bits too. logits_...: Q8. */
#define DWK_DEFINE_GROUP(M, H, Q)                                                                                      \
    typedef vint32m##M##_t dwk_sums_m##M;                                                                              \
    typedef vfloat32m##M##_t dwk_floats_m##M;                                                                          \
    typedef vint16m##H##_t dwk_halves_m##M;                                                                            \
    typedef vuint16m##H##_t dwk_rounds_m##M;                                                                           \
    DWK_INLINE dwk_sums_m##M dwk_sums_at_m##M(const uint32_t *at, size_t n)                                            \
    {                                                                                                                  \
        return __riscv_vle32_v_i32m##M((const int32_t *)at, n);                                                        \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_floats_at_m##M(const void *at, size_t n)                                            \
    {                                                                                                                  \
        return __riscv_vle32_v_f32m##M((const float *)at, n);                                                          \
    }                                                                                                                  \
    DWK_INLINE void dwk_floats_to_m##M(dwk_float *at, dwk_floats_m##M floats, size_t n)                                \
    {                                                                                                                  \
        __riscv_vse32_v_f32m##M((float *)at, floats, n);                                                               \
    }                                                                                                                  \
    DWK_INLINE dwk_halves_m##M dwk_factors_at_m##M(const int8_t *at, size_t n)                                         \
    {                                                                                                                  \
        return __riscv_vsext_vf2_i16m##H(__riscv_vle8_v_i8m##Q(at, n), n);                                             \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_add_scaled_m##M(dwk_floats_m##M sums, float value, dwk_floats_m##M factors,         \
                                                   size_t n)                                                           \
    {                                                                                                                  \
        return __riscv_vfmacc_vf_f32m##M(sums, value, factors, n);                                                     \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_add_products_f32_m##M(dwk_floats_m##M sums, dwk_floats_m##M values,                 \
                                                         dwk_floats_m##M factors, size_t n)                            \
    {                                                                                                                  \
        return __riscv_vfmacc_vv_f32m##M(sums, values, factors, n);                                                    \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_relu_m##M(dwk_floats_m##M x, size_t n)                                              \
    {                                                                                                                  \
        return __riscv_vfmax_vf_f32m##M(x, 0.0f, n);                                                                   \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_relu6_m##M(dwk_floats_m##M x, size_t n)                                             \
    {                                                                                                                  \
        return __riscv_vfmin_vf_f32m##M(dwk_relu_m##M(x, n), 6.0f, n);                                                 \
    }                                                                                                                  \
    DWK_INLINE dwk_halves_m##M dwk_bytes_at_m##M(const uint8_t *at, size_t n)                                          \
    {                                                                                                                  \
        const dwk_rounds_m##M wide = __riscv_vzext_vf2_u16m##H(__riscv_vle8_v_u8m##Q(at, n), n);                       \
        return __riscv_vreinterpret_v_u16m##H##_i16m##H(wide);                                                         \
    }                                                                                                                  \
    DWK_INLINE dwk_sums_m##M dwk_add_products_m##M(dwk_sums_m##M sums, dwk_halves_m##M values,                         \
                                                   dwk_halves_m##M factors, size_t n)                                  \
    {                                                                                                                  \
        return __riscv_vwmacc_vv_i32m##M(sums, values, factors, n);                                                    \
    }                                                                                                                  \
    DWK_INLINE dwk_sums_m##M dwk_add_product_m##M(dwk_sums_m##M sums, uint8_t value, dwk_halves_m##M factors,          \
                                                  size_t n)                                                            \
    {                                                                                                                  \
        return __riscv_vwmacc_vx_i32m##M(sums, value, factors, n);                                                     \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_scaled_m##M(dwk_sums_m##M sums, dwk_floats_m##M multiplier, size_t n)               \
    {                                                                                                                  \
        return __riscv_vfmul_vv_f32m##M(__riscv_vfcvt_f_x_v_f32m##M(sums, n), multiplier, n);                          \
    }                                                                                                                  \
    DWK_INLINE dwk_rounds_m##M dwk_rounded_m##M(const dwk_rounding *to, dwk_sums_m##M sums,                            \
                                                dwk_floats_m##M multiplier, size_t n)                                  \
    {                                                                                                                  \
        const int32_t zero = to->zero_point, low = (int32_t)to->low + zero, high = (int32_t)to->high + zero;           \
        const dwk_floats_m##M product = dwk_scaled_m##M(sums, multiplier, n);                                          \
        dwk_rounds_m##M rounded;                                                                                       \
        if (zero == 0) {                                                                                               \
            rounded = __riscv_vfncvt_xu_f_w_u16m##H(product, n);                                                       \
            rounded = low > 0 ? __riscv_vmaxu_vx_u16m##H(rounded, (uint16_t)low, n) : rounded;                         \
        } else {                                                                                                       \
            dwk_halves_m##M moved =                                                                                    \
                __riscv_vsadd_vx_i16m##H(__riscv_vfncvt_x_f_w_i16m##H(product, n), (int16_t)zero, n);                  \
            moved = __riscv_vmax_vx_i16m##H(moved, (int16_t)low, n);                                                   \
            rounded = __riscv_vreinterpret_v_i16m##H##_u16m##H(moved);                                                 \
        }                                                                                                              \
        return high < 255 ? __riscv_vminu_vx_u16m##H(rounded, (uint16_t)high, n) : rounded;                            \
    }                                                                                                                  \
    DWK_INLINE void dwk_store_m##M(uint8_t *output, dwk_rounds_m##M rounded, size_t n)                                 \
    {                                                                                                                  \
        __riscv_vse8_v_u8m##Q(output, __riscv_vnclipu_wx_u8m##Q(rounded, 0, __RISCV_VXRM_RDN, n), n);                  \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_logits_products_m##M(const dwk_rounding *to, dwk_sums_m##M sums,                    \
                                                        const uint32_t *words, size_t n)                               \
    {                                                                                                                  \
        (void)to;                                                                                                      \
        return dwk_scaled_m##M(sums, dwk_floats_at_m##M(words, n), n);                                                 \
    }                                                                                                                  \
    DWK_INLINE dwk_floats_m##M dwk_logits_bytes_m##M(const dwk_rounding *to, dwk_sums_m##M sums,                       \
                                                     const uint32_t *words, size_t n)                                  \
    {                                                                                                                  \
        dwk_rounds_m##M rounded = dwk_rounded_m##M(to, sums, dwk_floats_at_m##M(words, n), n);                         \
        rounded = __riscv_vminu_vx_u16m##H(rounded, 255, n);                                                           \
        rounded = __riscv_vsub_vx_u16m##H(rounded, (uint16_t)to->zero_point, n);                                       \
        const dwk_halves_m##M steps = __riscv_vreinterpret_v_u16m##H##_i16m##H(rounded);                               \
        return __riscv_vfmul_vv_f32m##M(__riscv_vfwcvt_f_x_v_f32m##M(steps, n), dwk_floats_at_m##M(words + n, n), n);  \
    }

DWK_DEFINE_GROUP(1, f2, f4)
DWK_DEFINE_GROUP(2, 1, f2)
DWK_DEFINE_GROUP(4, 2, 1)
DWK_DEFINE_GROUP(8, 4, 2)

#endif
