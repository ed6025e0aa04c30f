/* dwk_classifier_f16_cuda.h: the sums of the labels, of float32 features and float16 factors.
 *
 * A block has DWK_OUTPUTS labels. Each of its threads first sums a part of a label's products; then one thread a label
 * adds the parts, always in the same order.
 *
 * Form: DWK_NAME; DWK_C features, DWK_N labels; DWK_OUTPUTS DWK_THREADS.
 *
 * Weights: of each two features a word for each label (f16), then N biases (f32). */
#include "dwk_gpu_f16.h"

#define DWK_PARTS (DWK_THREADS / DWK_OUTPUTS)

DWK_KERNEL void DWK_NAME(const float *restrict in, float *restrict out, const dwk_float *restrict weights,
                         const dwk_float *restrict unused)
{
    (void)unused;
    DWK_SHARED_ARRAY(float, sums, DWK_THREADS);
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_x() * DWK_OUTPUTS + t % DWK_OUTPUTS;
        float sum = 0.0f;
        for (int32_t c = t / DWK_OUTPUTS; c < DWK_C / 2 && n < DWK_N; c += DWK_PARTS) {
            const dwk_halves factors = *(const dwk_halves *)(weights + c * DWK_N + n);
            sum += in[2 * c] * (float)factors[0];
            sum += in[2 * c + 1] * (float)factors[1];
        }
        sums[t] = sum;
    }
    DWK_MEET();
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_x() * DWK_OUTPUTS + t;
        if (t < DWK_OUTPUTS && n < DWK_N) {
            float sum = weights[DWK_C / 2 * DWK_N + n];
            for (int32_t part = 0; part < DWK_PARTS; part++) {
                sum += sums[part * DWK_OUTPUTS + t];
            }
            out[n] = sum;
        }
    }
}

#undef DWK_PARTS
