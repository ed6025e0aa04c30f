/* dwk_gpu_f16.h: what kernels of float16 have in common. Values in memory are float16; sums are float32. */
#ifndef DWK_GPU_F16_H
#define DWK_GPU_F16_H

#include "dwk_gpu.h"

/* The activation. Its end is at most the largest float16, so that a sum beyond becomes that and not infinity. */
DWK_INLINE float dwk_active(float sum, float most)
{
    const float some = sum > 0.0f ? sum : 0.0f;
    return some < most ? some : most;
}

/* Two numbers in a word; the first lies in the lower half. */
typedef dwk_half dwk_halves __attribute__((vector_size(4), may_alias));

#endif
