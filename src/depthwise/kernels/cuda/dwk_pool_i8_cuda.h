/* dwk_pool_i8_cuda.h: the sum of each channel, rounded to a byte (docs/int8.md Q7); a thread has one channel.
 *
 * Form: DWK_NAME; DWK_H DWK_W DWK_C; DWK_ZERO DWK_LOW DWK_HIGH of the output; DWK_THREADS.
 *
 * Weights: C biases (s32), C multipliers (f32). */
#include "dwk_gpu_i8.h"

DWK_KERNEL void DWK_NAME(const uint8_t *restrict in, uint8_t *restrict out, const uint32_t *restrict weights,
                         const uint32_t *restrict unused)
{
    (void)unused;
    const dwk_layer_i8 to = {weights, weights + DWK_C, DWK_ZERO, DWK_LOW, DWK_HIGH};
    DWK_EACH_THREAD(t)
    {
        const int32_t c = dwk_block_x() * DWK_THREADS + t;
        uint32_t sum = 0;
        if (c < DWK_C) {
            for (int32_t p = 0; p < DWK_H * DWK_W; p++) {
                sum += in[p * DWK_C + c];
            }
            out[c] = (uint8_t)dwk_to_byte(sum, c, &to);
        }
    }
}
