/* dwk_classifier_i8_cuda.h: the logits of the last layer, floats out of bytes (docs/int8.md Q8).
 *
 * A block has DWK_OUTPUTS labels. Each of its threads first sums a part of a label's products; then one thread a label
 * adds the parts.
 *
 * Form: DWK_NAME; DWK_C features, DWK_N labels; DWK_ROUNDED (whether logits are bytes), DWK_ZERO DWK_LOW DWK_HIGH;
 * DWK_OUTPUTS DWK_THREADS; DWK_PLANES.
 *
 * Weights: as those of a pointwise layer (dwk_separable_i8_cuda.h), then N scales (f32). */
#include "dwk_gpu_i8.h"

#define DWK_WORDS (DWK_C / 4)
#define DWK_PARTS (DWK_THREADS / DWK_OUTPUTS)

DWK_KERNEL void DWK_NAME(const uint32_t *restrict in, float *restrict out, const uint32_t *restrict weights,
                         const uint32_t *restrict unused)
{
    (void)unused;
    DWK_SHARED_ARRAY(uint32_t, sums, DWK_THREADS);
    const uint32_t *bias = weights + DWK_PLANES * DWK_WORDS * DWK_N;
    const dwk_layer_i8 to = {bias, bias + DWK_N, DWK_ZERO, DWK_LOW, DWK_HIGH};
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_x() * DWK_OUTPUTS + t % DWK_OUTPUTS;
        uint32_t sum = 0;
        for (int32_t plane = 0; plane < DWK_PLANES && n < DWK_N; plane++) {
            const uint32_t *factors = weights + plane * DWK_WORDS * DWK_N + n;
            sum *= 2u;
            for (int32_t c = t / DWK_OUTPUTS; c < DWK_WORDS; c += DWK_PARTS) {
                sum = dwk_dot(in[c], factors[c * DWK_N], sum);
            }
        }
        sums[t] = sum;
    }
    DWK_MEET();
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_x() * DWK_OUTPUTS + t;
        if (t < DWK_OUTPUTS && n < DWK_N) {
            uint32_t sum = bias[n];
            for (int32_t part = 0; part < DWK_PARTS; part++) {
                sum += sums[part * DWK_OUTPUTS + t];
            }
            const float product = dwk_scaled(sum, to.multiplier + n);
#if DWK_ROUNDED
            const int32_t step = (int32_t)dwk_rounded(product, &to) - to.zero;
            out[n] = (float)step * ((const dwk_float *)to.multiplier)[DWK_N + n];
#else
            out[n] = product;
#endif
        }
    }
}

#undef DWK_PARTS
#undef DWK_WORDS
