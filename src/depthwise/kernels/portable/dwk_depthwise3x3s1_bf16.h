/* dwk_depthwise3x3s1_bf16.h: 3x3 depthwise convolution of bfloat16, of stride 1, with bias and bounds.
 *
 * dwk_depthwise3x3s1_bf16_c<L>: L channels at a time. Sums are of float32 and rounded once.
 *
 * Form: DWK_LANES (L).
 *
 * Weights, in float32: for each L channels the bias, then the nine factors from the top left to the bottom right, the
 * lower and the upper bounds; all but the bias are numbers of bfloat16. */
#include "dwk_vector_bf16.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_CLAMP DWK_JOIN(dwk_clamp_v, DWK_LANES, )
#define DWK_WIDENED DWK_JOIN(dwk_widened_v, DWK_LANES, )
#define DWK_ROUNDED DWK_JOIN(dwk_rounded_v, DWK_LANES, )
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_bf16_c, DWK_LANES, )

/* input: the top left value under the kernel of the first output, padding included; input_row values from row to row.
 * first, end: the channels to compute, from a multiple of L to before a multiple of L.
 * output: pixels of output_step values, without gaps between the rows. */
DWK_FUNCTION void DWK_NAME(const dwk_bf16 *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const uint32_t *restrict weights,
                           dwk_bf16 *restrict output, int32_t output_step)
{
    weights += first * 12;
    for (int32_t c = first; c < end; c += DWK_LANES) {
        DWK_V w[12];
        DWK_UNROLL
        for (int i = 0; i < 12; i++) {
            w[i] = *(const DWK_V *)(weights + i * DWK_LANES);
        }
        weights += 12 * DWK_LANES;
        dwk_bf16 *to = output + c;
        for (int32_t y = 0; y < rows; y++) {
            const dwk_bf16 *at = input + c + y * input_row;
            for (int32_t x = 0; x < width; x++) {
                DWK_V sum = w[0];
                DWK_UNROLL
                for (int i = 0; i < 9; i++) {
                    DWK_V value;
                    DWK_WIDENED(at + i / 3 * input_row + i % 3 * channels, &value);
                    sum += w[1 + i] * value;
                }
                DWK_CLAMP(&sum, &w[10], &w[11]);
                DWK_ROUNDED(&sum, to);
                at += channels;
                to += output_step;
            }
        }
    }
}

#undef DWK_NAME
#undef DWK_ROUNDED
#undef DWK_WIDENED
#undef DWK_CLAMP
#undef DWK_V
#undef DWK_LANES
