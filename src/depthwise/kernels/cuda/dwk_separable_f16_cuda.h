/* dwk_separable_f16_cuda.h: a depthwise 3x3 convolution and the pointwise one behind it, float16 out of float16. What
 * lies between the two stays in the memory that a block shares, as float32.
 *
 * A block has DWK_PIXELS pixels and DWK_OUTPUTS channels of the output. Its threads first make the depthwise values of
 * those pixels, two channels at a time; then each has one output channel of DWK_ABREAST pixels.
 *
 * Form: DWK_NAME; sizes DWK_H DWK_W DWK_C, DWK_OUT_H DWK_OUT_W DWK_N; DWK_STRIDE, DWK_TOP and DWK_LEFT (rows and
 * columns of zeros); DWK_MOST (the activation's end); DWK_PIXELS DWK_OUTPUTS DWK_ABREAST DWK_THREADS.
 *
 * Weights of the depthwise layer: 3 x 3 x C factors (f32), C biases (f32). Of the pointwise one: of each two input
 * channels a word for each output (f16), then N biases (f32). */
#include "dwk_gpu_f16.h"

#define DWK_SEVERAL DWK_JOINED(DWK_NAME, _depthwise)
#define DWK_JOINED(a, b) DWK_JOINED_(a, b)
#define DWK_JOINED_(a, b) a##b

/* Two depthwise values of pixel p, from channel c on. */
DWK_INLINE void DWK_SEVERAL(const dwk_half *in, const dwk_float *weights, int32_t p, int32_t c, DWK_SHARED float *out)
{
    float sums[2] = {weights[9 * DWK_C + c], weights[9 * DWK_C + c + 1]};
    DWK_UNROLL
    for (int tap = 0; tap < 9; tap++) {
        const int32_t y = p / DWK_OUT_W * DWK_STRIDE + tap / 3 - DWK_TOP;
        const int32_t x = p % DWK_OUT_W * DWK_STRIDE + tap % 3 - DWK_LEFT;
        if (y >= 0 && y < DWK_H && x >= 0 && x < DWK_W) {
            const dwk_halves value = *(const dwk_halves *)(in + (y * DWK_W + x) * DWK_C + c);
            sums[0] += (float)value[0] * weights[tap * DWK_C + c];
            sums[1] += (float)value[1] * weights[tap * DWK_C + c + 1];
        }
    }
    out[0] = dwk_active(sums[0], DWK_MOST);
    out[1] = dwk_active(sums[1], DWK_MOST);
}

DWK_KERNEL void DWK_NAME(const dwk_half *restrict in, dwk_half *restrict out, const dwk_float *restrict depthwise,
                         const dwk_float *restrict pointwise)
{
    DWK_SHARED_ARRAY(float, middle, DWK_PIXELS *DWK_C);
    const int32_t first = dwk_block_x() * DWK_PIXELS, end = DWK_OUT_H * DWK_OUT_W;
    DWK_EACH_THREAD(t)
    {
        for (int32_t i = 2 * t; i < DWK_PIXELS * DWK_C; i += 2 * DWK_THREADS) {
            if (first + i / DWK_C < end) {
                DWK_SEVERAL(in, depthwise, first + i / DWK_C, i % DWK_C, middle + i);
            } else {
                middle[i] = middle[i + 1] = 0.0f;
            }
        }
    }
    DWK_MEET();
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_y() * DWK_OUTPUTS + t % DWK_OUTPUTS, own = t / DWK_OUTPUTS * DWK_ABREAST;
        if (n < DWK_N) {
            float sums[DWK_ABREAST];
            DWK_UNROLL
            for (int e = 0; e < DWK_ABREAST; e++) {
                sums[e] = pointwise[DWK_C / 2 * DWK_N + n];
            }
            for (int32_t c = 0; c < DWK_C; c += 4) {
                const dwk_halves one = *(const dwk_halves *)(pointwise + c / 2 * DWK_N + n);
                const dwk_halves two = *(const dwk_halves *)(pointwise + (c / 2 + 1) * DWK_N + n);
                DWK_UNROLL
                for (int e = 0; e < DWK_ABREAST; e++) {
                    const DWK_SHARED float *x = middle + (own + e) * DWK_C + c;
                    sums[e] += x[0] * (float)one[0];
                    sums[e] += x[1] * (float)one[1];
                    sums[e] += x[2] * (float)two[0];
                    sums[e] += x[3] * (float)two[1];
                }
            }
            DWK_UNROLL
            for (int e = 0; e < DWK_ABREAST; e++) {
                if (first + own + e < end) {
                    out[(first + own + e) * DWK_N + n] = (dwk_half)dwk_active(sums[e], DWK_MOST);
                }
            }
        }
    }
}

#undef DWK_JOINED_
#undef DWK_JOINED
#undef DWK_SEVERAL
