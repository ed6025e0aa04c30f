/* dwk_depthwise3x3s1_i8.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes.
 *
 * dwk_depthwise3x3s1_i8_c<L>: L channels at a time, two rows of outputs at once where there are two, as they share half
 * of the values that are read.
 *
 * Form: DWK_LANES (L).
 *
 * Weights: for each L channels the biases (s32), the multipliers (f32), then the nine factors (s8) from the top left to
 * the bottom right. */
#include "dwk_vector_i8.h"

#define DWK_I DWK_JOIN(dwk_i, DWK_LANES, )
#define DWK_NEAR_I DWK_JOIN(dwk_near_i, DWK_LANES, )
#define DWK_STORE DWK_JOIN(dwk_store_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_i8_c, DWK_LANES, )
#define DWK_U DWK_JOIN(DWK_WIDE_U, DWK_LANES, )
#define DWK_S DWK_JOIN(DWK_WIDE_S, DWK_LANES, )
#define DWK_TIMES DWK_JOIN(DWK_TIMES_, DWK_LANES, )

/* input: the top left value under the kernel of the first output, padding included; input_row bytes from row to row.
 * first, end: the channels to compute, from a multiple of L to before a multiple of L.
 * output: pixels of output_step bytes, without gaps between the rows. */
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
        const uint8_t *top = input + c;
        uint8_t *target = output + c;
        for (int32_t pair = 0; pair < rows / 2; pair++) {
            for (int32_t x = 0; x < width; x++) {
                const uint8_t *at = top + x * channels;
                DWK_I upper = bias, lower = bias;
                DWK_UNROLL
                for (int i = 0; i < 3; i++) {
                    const uint8_t *column = at + i * channels;
                    DWK_I second = DWK_U(column + input_row);
                    DWK_I third = DWK_U(column + 2 * input_row);
                    upper += DWK_TIMES(DWK_U(column), w[i]);
                    lower += DWK_TIMES(second, w[i]);
                    upper += DWK_TIMES(second, w[3 + i]);
                    lower += DWK_TIMES(third, w[3 + i]);
                    upper += DWK_TIMES(third, w[6 + i]);
                    lower += DWK_TIMES(DWK_U(column + 3 * input_row), w[6 + i]);
                }
                DWK_STORE(to, multiplier, &upper, target + x * output_step);
                DWK_STORE(to, multiplier, &lower, target + (width + x) * output_step);
            }
            top += 2 * input_row;
            target += 2 * width * output_step;
        }
        for (int32_t x = 0; x < (rows % 2) * width; x++) {
            const uint8_t *at = top + x * channels;
            DWK_I sum = bias;
            DWK_UNROLL
            for (int i = 0; i < 9; i++) {
                sum += DWK_TIMES(DWK_U(at + i / 3 * input_row + i % 3 * channels), w[i]);
            }
            DWK_STORE(to, multiplier, &sum, target + x * output_step);
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
