/* dwk_pool_f32.h: the mean of each channel over the whole image.
 *
 * dwk_pool_f32_c<L>: L channels at a time. Each row is summed for itself, so that rounding stays small on large maps.
 *
 * Form: DWK_LANES (L). */
#include "dwk_vector.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_pool_f32_c, DWK_LANES, )

/* input: height x width x channels without padding. output: channels; of these `first` to before `end`, in whole
 * vectors, are computed. */
DWK_FUNCTION void DWK_NAME(const dwk_float *restrict input, int32_t height, int32_t width, int32_t channels,
                           int32_t first, int32_t end, dwk_float *restrict output)
{
    for (int32_t c = first; c < end; c += DWK_LANES) {
        const dwk_float *from = input + c;
        DWK_V total = {0};
        for (int32_t y = 0; y < height; y++) {
            DWK_V sum = {0};
            for (int32_t x = 0; x < width; x++) {
                sum += *(const DWK_V *)from;
                from += channels;
            }
            total += sum;
        }
        *(DWK_V *)(output + c) = total / (float)(height * width);
    }
}

#undef DWK_NAME
#undef DWK_V
#undef DWK_LANES
