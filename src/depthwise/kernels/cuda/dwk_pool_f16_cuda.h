/* dwk_pool_f16_cuda.h: the mean of each channel, float32 out of float16; a thread has one channel.
 *
 * Form: DWK_NAME; DWK_H DWK_W DWK_C; DWK_THREADS. There are no weights. */
#include "dwk_gpu_f16.h"

DWK_KERNEL void DWK_NAME(const dwk_half *restrict in, float *restrict out, const dwk_float *restrict unused,
                         const dwk_float *restrict unused_too)
{
    (void)unused, (void)unused_too;
    DWK_EACH_THREAD(t)
    {
        const int32_t c = dwk_block_x() * DWK_THREADS + t;
        float sum = 0.0f;
        if (c < DWK_C) {
            for (int32_t p = 0; p < DWK_H * DWK_W; p++) {
                sum += (float)in[p * DWK_C + c];
            }
            out[c] = sum / (DWK_H * DWK_W);
        }
    }
}
