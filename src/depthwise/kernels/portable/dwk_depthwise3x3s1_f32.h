/* dwk_depthwise3x3s1_f32.h: 3x3 depthwise convolution of stride 1 with bias and activation.
 *
 * dwk_depthwise3x3s1_f32_<activation>_c[<V>x]<L>: V vectors (or one) of L channels at a time, two rows of outputs at
 * once where there are two, as they share half of the values that are read.
 *
 * Form: DWK_ACTIVATION, DWK_VECTORS (V, or not there), DWK_LANES (L).
 *
 * Weights: for each L channels the bias, then the nine factors from the top left to the bottom right. */
#include "dwk_vector.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, DWK_JOIN(_v, DWK_LANES, ))
#ifdef DWK_VECTORS
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, )))
#else
#define DWK_VECTORS 1
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s1_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_LANES, ))
#endif
#define DWK_LOAD(address) (*(const DWK_V *)(address))

/* input: the top left value under the kernel of the first output, padding included; input_row floats from row to row.
 * first, end: the channels to compute, from a multiple of L to before a multiple of L.
 * output: pixels of output_step floats, without gaps between the rows. */
DWK_FUNCTION void DWK_NAME(const dwk_float *restrict input, int32_t input_row, int32_t rows, int32_t width,
                           int32_t channels, int32_t first, int32_t end, const dwk_float *restrict weights,
                           dwk_float *restrict output, int32_t output_step)
{
    weights += first * 10;
    for (int32_t c = first; c < end; c += DWK_VECTORS * DWK_LANES) {
        DWK_V bias[DWK_VECTORS], w[DWK_VECTORS][9];
        DWK_UNROLL
        for (int v = 0; v < DWK_VECTORS; v++) {
            bias[v] = DWK_LOAD(weights);
            DWK_UNROLL
            for (int i = 0; i < 9; i++) {
                w[v][i] = DWK_LOAD(weights + (1 + i) * DWK_LANES);
            }
            weights += 10 * DWK_LANES;
        }
        const dwk_float *top = input + c;
        dwk_float *to = output + c;
        for (int32_t pair = 0; pair < rows / 2; pair++) {
            for (int32_t x = 0; x < width; x++) {
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    const dwk_float *at = top + x * channels + v * DWK_LANES;
                    DWK_V upper = bias[v], lower = bias[v];
                    DWK_UNROLL
                    for (int i = 0; i < 3; i++) {
                        const dwk_float *column = at + i * channels;
                        DWK_V second = DWK_LOAD(column + input_row);
                        DWK_V third = DWK_LOAD(column + 2 * input_row);
                        upper += w[v][i] * DWK_LOAD(column);
                        lower += w[v][i] * second;
                        upper += w[v][3 + i] * second;
                        lower += w[v][3 + i] * third;
                        upper += w[v][6 + i] * third;
                        lower += w[v][6 + i] * DWK_LOAD(column + 3 * input_row);
                    }
                    DWK_ACTIVATE(&upper);
                    DWK_ACTIVATE(&lower);
                    *(DWK_V *)(to + x * output_step + v * DWK_LANES) = upper;
                    *(DWK_V *)(to + (width + x) * output_step + v * DWK_LANES) = lower;
                }
            }
            top += 2 * input_row;
            to += 2 * width * output_step;
        }
        for (int32_t x = 0; x < (rows % 2) * width; x++) {
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                const dwk_float *at = top + x * channels + v * DWK_LANES;
                DWK_V sum = bias[v];
                /* Column by column as above: how rows are paired then changes no bit. */
                DWK_UNROLL
                for (int i = 0; i < 9; i++) {
                    sum += w[v][i % 3 * 3 + i / 3] * DWK_LOAD(at + i % 3 * input_row + i / 3 * channels);
                }
                DWK_ACTIVATE(&sum);
                *(DWK_V *)(to + x * output_step + v * DWK_LANES) = sum;
            }
        }
    }
}

#undef DWK_LOAD
#undef DWK_NAME
#undef DWK_ACTIVATE
#undef DWK_V
#undef DWK_LANES
#undef DWK_VECTORS
#undef DWK_ACTIVATION
