/* dwk_stem_i8_cuda.h: the first convolution, 3x3 on pixels, bytes out of bytes (docs/int8.md).
 *
 * A thread has one pixel and four channels of the output.
 *
 * Form: DWK_NAME; sizes DWK_H DWK_W DWK_C, DWK_OUT_H DWK_OUT_W DWK_N; DWK_STRIDE, DWK_TOP and DWK_LEFT (rows and
 * columns of border); DWK_EDGES (the border's byte of each channel, a list); DWK_ZERO DWK_LOW DWK_HIGH of the output;
 * DWK_THREADS.
 *
 * Weights: 3 x 3 x C x N factors (s16), N biases (s32), N multipliers (f32). */
#include "dwk_gpu_i8.h"

DWK_KERNEL void DWK_NAME(const uint8_t *restrict in, uint32_t *restrict out, const uint32_t *restrict weights,
                         const uint32_t *restrict unused)
{
    (void)unused;
    const uint8_t edges[] = {DWK_EDGES};
    const uint32_t *bias = weights + 9 * DWK_C * DWK_N / 2;
    const dwk_layer_i8 to = {bias, bias + DWK_N, DWK_ZERO, DWK_LOW, DWK_HIGH};
    DWK_EACH_THREAD(t)
    {
        const int32_t i = dwk_block_x() * DWK_THREADS + t, p = i / (DWK_N / 4), n = i % (DWK_N / 4) * 4;
        if (p < DWK_OUT_H * DWK_OUT_W) {
            uint32_t sums[4] = {0};
            DWK_UNROLL
            for (int tap = 0; tap < 9; tap++) {
                const int32_t y = p / DWK_OUT_W * DWK_STRIDE + tap / 3 - DWK_TOP;
                const int32_t x = p % DWK_OUT_W * DWK_STRIDE + tap % 3 - DWK_LEFT;
                const int is_inside = y >= 0 && y < DWK_H && x >= 0 && x < DWK_W;
                DWK_UNROLL
                for (int c = 0; c < DWK_C; c++) {
                    const int32_t byte = is_inside ? in[(y * DWK_W + x) * DWK_C + c] : edges[c];
                    const uint32_t *factors = weights + ((tap * DWK_C + c) * DWK_N + n) / 2;
                    DWK_UNROLL
                    for (int k = 0; k < 4; k++) {
                        sums[k] += (uint32_t)(byte * dwk_short(factors, k));
                    }
                }
            }
            out[i] = dwk_to_bytes(sums, n, &to);
        }
    }
}
