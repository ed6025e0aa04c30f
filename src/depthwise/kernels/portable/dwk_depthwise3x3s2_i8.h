/* dwk_depthwise3x3s2_i8.h: 3x3 depthwise convolution of bytes, of stride 2, rounded to bytes.
 *
 * dwk_depthwise3x3s2_i8_c<L>: L channels at a time; the right column under the kernel is kept as the left one of the
 * next output.
 *
 * Form: DWK_LANES (L).
 *
 * Weights: for each L channels the biases (s32), the multipliers (f32), then the nine factors (s8) from the top left to
 * the bottom right. */
#include "dwk_vector_i8.h"

#define DWK_I DWK_JOIN(dwk_i, DWK_LANES, )
#define DWK_NEAR_I DWK_JOIN(dwk_near_i, DWK_LANES, )
#define DWK_STORE DWK_JOIN(dwk_store_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_i8_c, DWK_LANES, )
#define DWK_U DWK_JOIN(DWK_WIDE_U, DWK_LANES, )
#define DWK_S DWK_JOIN(DWK_WIDE_S, DWK_LANES, )
#define DWK_TIMES DWK_JOIN(DWK_TIMES_, DWK_LANES, )

/* Arguments as in dwk_depthwise3x3s1_i8.h. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                           const dwk_rounding *to, uint8_t *restrict output, int32_t output_step)
{
    weights += first * 17 / 4;
    for (int32_t c = first; c < end; c += DWK_LANES) {
        const DWK_I bias = *(const DWK_NEAR_I *)weights;
        const uint32_t *multiplier = weights + DWK_LANES;
        DWK_I w[9];
        DWK_UNROLL
        for (int i = 0; i < 9; i++) {
            w[i] = DWK_S((const int8_t *)(weights + 2 * DWK_LANES) + i * DWK_LANES);
        }
        weights += 17 * DWK_LANES / 4;
        uint8_t *target = output + c;
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *at = input + c + 2 * y * input_row;
            DWK_I left[3];
            DWK_UNROLL
            for (int i = 0; i < 3; i++) {
                left[i] = DWK_U(at + i * input_row);
            }
            for (int32_t x = 0; x < width; x++) {
                DWK_I sum = bias;
                DWK_UNROLL
                for (int i = 0; i < 3; i++) {
                    const uint8_t *row = at + i * input_row;
                    sum += DWK_TIMES(left[i], w[3 * i]);
                    sum += DWK_TIMES(DWK_U(row + channels), w[3 * i + 1]);
                    left[i] = DWK_U(row + 2 * channels);
                    sum += DWK_TIMES(left[i], w[3 * i + 2]);
                }
                DWK_STORE(to, multiplier, &sum, target);
                at += 2 * channels;
                target += output_step;
            }
        }
    }
}

#undef DWK_TIMES
#undef DWK_S
#undef DWK_U
#undef DWK_NAME
#undef DWK_STORE
#undef DWK_NEAR_I
#undef DWK_I
#undef DWK_LANES
