/* dwk_pool_i8_arm.h: the sum of each channel's bytes over the whole image, rounded to a byte (docs/int8.md Q7).
 *
 * dwk_pool_i8_c8__neon: eight channels at a time, in sums of 16 bits for as many pixels as these hold.
 *
 * Weights: for each eight channels the biases (s32), then the multipliers (f32). */
#include "dwk_arm.h"

/* So many signed bytes fit into 16 bits. */
#define DWK_SIXTEENS 256

/* input: height x width x channels without padding. output: channels; of these `first` to before `end`, by eights, are
 * computed. */
DWK_FUNCTION void dwk_pool_i8_c8__neon(const uint8_t *restrict input, int32_t height, int32_t width, int32_t channels,
                                       int32_t first, int32_t end, const uint32_t *restrict weights,
                                       const dwk_rounding *to, uint8_t *restrict output)
{
    weights += 2 * first;
    for (int32_t c = first; c < end; c += 8, weights += 16) {
        const int32x4_t less = vdupq_n_s32(DWK_LESS * height * width);
        int32x4_t sum[4] = {vaddq_s32(less, dwk_sums_at(weights)), vaddq_s32(less, dwk_sums_at(weights + 4))};
        int32x4_t multiplier[4] = {dwk_sums_at(weights + 8), dwk_sums_at(weights + 12)};
        const int8_t *at = (const int8_t *)input + c;
        for (int32_t left = height * width; left > 0; left -= DWK_SIXTEENS) {
            int16x8_t some = vdupq_n_s16(0);
            for (int32_t i = 0; i < (left < DWK_SIXTEENS ? left : DWK_SIXTEENS); i++, at += channels) {
                some = vaddw_s8(some, vld1_s8(at));
            }
            sum[0] = vaddw_s16(sum[0], vget_low_s16(some));
            sum[1] = DWK_ADD_HIGH(sum[1], some);
        }
        sum[2] = sum[0], sum[3] = sum[1], multiplier[2] = multiplier[0], multiplier[3] = multiplier[1];
        vst1_s8((int8_t *)output + c, vget_low_s8(dwk_bytes_converted(to, sum, multiplier)));
    }
}

#undef DWK_SIXTEENS
