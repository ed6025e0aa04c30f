/* dwk_pool_f32_riscv.h: the mean of each channel over the whole image.
 *
 * dwk_pool_f32_c<B>__<set>: B channels at a time, and of the last ones only as many as there are. Each row is summed
 * for itself, so that rounding stays small on large maps.
 *
 * Form: DWK_SET. */
#include "dwk_riscv.h"

#define DWK_NAME DWK_JOIN(dwk_pool_f32_c, DWK_CHUNK, DWK_JOIN(__, DWK_SET, ))

/* input: height x width x channels without padding. output: channels; of these `first`, a multiple of B, to before
 * `end`, another one or all of them, are computed. */
DWK_INLINE void DWK_NAME(const dwk_float *restrict input, int32_t height, int32_t width, int32_t channels,
                         int32_t first, int32_t end, dwk_float *restrict output)
{
    for (int32_t c = first; c < end; c += DWK_CHUNK) {
        const size_t n = (size_t)(end - c < DWK_CHUNK ? end - c : DWK_CHUNK);
        const dwk_float *from = input + c;
        dwk_floats_m4 total = __riscv_vfmv_v_f_f32m4(0.0f, n);
        for (int32_t y = 0; y < height; y++) {
            dwk_floats_m4 sum = __riscv_vfmv_v_f_f32m4(0.0f, n);
            for (int32_t x = 0; x < width; x++) {
                sum = __riscv_vfadd_vv_f32m4(sum, dwk_floats_at_m4(from, n), n);
                from += channels;
            }
            total = __riscv_vfadd_vv_f32m4(total, sum, n);
        }
        dwk_floats_to_m4(output + c, __riscv_vfdiv_vf_f32m4(total, (float)(height * width), n), n);
    }
}

#undef DWK_NAME
#undef DWK_SET
