/* dwk_pool_i8.h: the sum of each channel's bytes over the whole image, rounded to a byte (docs/int8.md Q7).
 *
 * dwk_pool_i8_c<L>: L channels at a time.
 *
 * Form: DWK_LANES (L).
 *
 * Weights: for each L channels the biases (s32), then the multipliers (f32). */
#include "dwk_vector_i8.h"

#define DWK_I DWK_JOIN(dwk_i, DWK_LANES, )
#define DWK_NEAR_I DWK_JOIN(dwk_near_i, DWK_LANES, )
#define DWK_U DWK_JOIN(DWK_WIDE_U, DWK_LANES, )
#define DWK_STORE DWK_JOIN(dwk_store_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_pool_i8_c, DWK_LANES, )

/* input: height x width x channels without padding. output: channels; of these `first` to before `end`, in whole
 * vectors, are computed. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t height, int32_t width, int32_t channels,
                           int32_t first, int32_t end, const uint32_t *restrict weights, const dwk_rounding *to,
                           uint8_t *restrict output)
{
    weights += 2 * first;
    for (int32_t c = first; c < end; c += DWK_LANES) {
        DWK_I sum = *(const DWK_NEAR_I *)weights;
        for (int32_t i = 0; i < height * width; i++) {
            sum += DWK_U(input + c + i * channels);
        }
        DWK_STORE(to, weights + DWK_LANES, &sum, output + c);
        weights += 2 * DWK_LANES;
    }
}

#undef DWK_NAME
#undef DWK_STORE
#undef DWK_U
#undef DWK_NEAR_I
#undef DWK_I
#undef DWK_LANES
