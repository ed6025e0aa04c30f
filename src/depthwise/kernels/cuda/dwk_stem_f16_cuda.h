/* dwk_stem_f16_cuda.h: the first convolution, 3x3 on pixels less their mean, float16 out of float32 sums.
 *
 * A thread has one pixel and four channels of the output.
 *
 * Form: DWK_NAME; sizes DWK_H DWK_W DWK_C, DWK_OUT_H DWK_OUT_W DWK_N; DWK_STRIDE, DWK_TOP and DWK_LEFT (rows and
 * columns of zeros); DWK_EDGES (what is taken off the pixels of each channel, a list); DWK_MOST (the activation's
 * end); DWK_THREADS.
 *
 * Weights: 3 x 3 x C x N factors (f32), N biases (f32). */
#include "dwk_gpu_f16.h"

DWK_KERNEL void DWK_NAME(const uint8_t *restrict in, dwk_half *restrict out, const dwk_float *restrict weights,
                         const dwk_float *restrict unused)
{
    (void)unused;
    const float edges[] = {DWK_EDGES};
    DWK_EACH_THREAD(t)
    {
        const int32_t i = dwk_block_x() * DWK_THREADS + t, p = i / (DWK_N / 4), n = i % (DWK_N / 4) * 4;
        if (p < DWK_OUT_H * DWK_OUT_W) {
            float sums[4];
            DWK_UNROLL
            for (int k = 0; k < 4; k++) {
                sums[k] = weights[9 * DWK_C * DWK_N + n + k];
            }
            DWK_UNROLL
            for (int tap = 0; tap < 9; tap++) {
                const int32_t y = p / DWK_OUT_W * DWK_STRIDE + tap / 3 - DWK_TOP;
                const int32_t x = p % DWK_OUT_W * DWK_STRIDE + tap % 3 - DWK_LEFT;
                const int is_inside = y >= 0 && y < DWK_H && x >= 0 && x < DWK_W;
                DWK_UNROLL
                for (int c = 0; c < DWK_C; c++) {
                    const float value = is_inside ? (float)in[(y * DWK_W + x) * DWK_C + c] - edges[c] : 0.0f;
                    DWK_UNROLL
                    for (int k = 0; k < 4; k++) {
                        sums[k] += value * weights[(tap * DWK_C + c) * DWK_N + n + k];
                    }
                }
            }
            DWK_UNROLL
            for (int k = 0; k < 4; k++) {
                out[4 * i + k] = (dwk_half)dwk_active(sums[k], DWK_MOST);
            }
        }
    }
}
