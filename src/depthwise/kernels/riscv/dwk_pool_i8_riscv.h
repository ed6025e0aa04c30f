/* dwk_pool_i8_riscv.h: the sum of each channel's bytes over the whole image, rounded to a byte (docs/int8.md Q7).
 *
 * dwk_pool_i8_c<B>__<set>: B channels at a time, and of the last ones only as many as there are. Up to 257 bytes of 255
 * fit into 16 bits, so that those of 256 pixels are summed there.
 *
 * Form: DWK_SET.
 *
 * Weights: for each B channels the biases (s32), then the multipliers (f32); of the last ones only as many as there
 * are. */
#include "dwk_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_pool_i8_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, ))

/* input: height x width x channels without padding. output: channels; of these `first`, a multiple of B, to before
 * `end`, another one or all of them, are computed. */
DWK_INLINE void DWK_NAME(const uint8_t *restrict input, int32_t height, int32_t width, int32_t channels, int32_t first,
                         int32_t end, const uint32_t *restrict weights, const dwk_rounding *to,
                         uint8_t *restrict output)
{
    weights += 2 * first;
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const size_t n = (size_t)(end - c < DWK_CHUNK ? end - c : DWK_CHUNK);
        const uint8_t *from = input + c;
        vuint32m4_t sums = __riscv_vreinterpret_v_i32m4_u32m4(dwk_sums_at_m4(weights, n));
        for (int32_t left = height * width; left > 0; left -= 256) {
            vuint16m2_t some = __riscv_vmv_v_x_u16m2(0, n);
            for (int32_t i = 0; i < (left < 256 ? left : 256); i++) {
                some = __riscv_vwaddu_wv_u16m2(some, __riscv_vle8_v_u8m1(from, n), n);
                from += channels;
            }
            sums = __riscv_vwaddu_wv_u32m4(sums, some, n);
        }
        const dwk_sums_m4 whole = __riscv_vreinterpret_v_u32m4_i32m4(sums);
        dwk_store_m4(output + c, dwk_rounded_m4(to, whole, dwk_floats_at_m4(weights + n, n), n), n);
        weights += 2 * n;
    }
}

#undef DWK_NAME
#undef DWK_SET
