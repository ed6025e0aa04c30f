/* dwk_depthwise3x3s2_f32.h: 3x3 depthwise convolution of stride 2 with bias and activation.
 *
 * dwk_depthwise3x3s2_f32_<activation>_c[<V>x]<L>: V vectors (or one) of L channels at a time; the right column under
 * the kernel is kept as the left one of the next output.
 *
 * Form: DWK_ACTIVATION, DWK_VECTORS (V, or not there), DWK_LANES (L).
 *
 * Weights: for each L channels the bias, then the nine factors from the top left to the bottom right. */
#include "dwk_vector.h"

#define DWK_V DWK_JOIN(dwk_v, DWK_LANES, )
#define DWK_ACTIVATE DWK_JOIN(dwk_, DWK_ACTIVATION, DWK_JOIN(_v, DWK_LANES, ))
#ifdef DWK_VECTORS
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_VECTORS, DWK_JOIN(x, DWK_LANES, )))
#else
#define DWK_VECTORS 1
#define DWK_NAME DWK_JOIN(dwk_depthwise3x3s2_f32_, DWK_ACTIVATION, DWK_JOIN(_c, DWK_LANES, ))
#endif
#define DWK_LOAD(address) (*(const DWK_V *)(address))

/* Arguments as in dwk_depthwise3x3s1_f32.h. */
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
        dwk_float *to = output + c;
        for (int32_t y = 0; y < rows; y++) {
            const dwk_float *at = input + c + 2 * y * input_row;
            DWK_V left[DWK_VECTORS][3];
            DWK_UNROLL
            for (int v = 0; v < DWK_VECTORS; v++) {
                DWK_UNROLL
                for (int i = 0; i < 3; i++) {
                    left[v][i] = DWK_LOAD(at + i * input_row + v * DWK_LANES);
                }
            }
            for (int32_t x = 0; x < width; x++) {
                DWK_UNROLL
                for (int v = 0; v < DWK_VECTORS; v++) {
                    DWK_V sum = bias[v];
                    DWK_UNROLL
                    for (int i = 0; i < 3; i++) {
                        const dwk_float *row = at + i * input_row + v * DWK_LANES;
                        sum += w[v][3 * i] * left[v][i];
                        sum += w[v][3 * i + 1] * DWK_LOAD(row + channels);
                        left[v][i] = DWK_LOAD(row + 2 * channels);
                        sum += w[v][3 * i + 2] * left[v][i];
                    }
                    DWK_ACTIVATE(&sum);
                    *(DWK_V *)(to + v * DWK_LANES) = sum;
                }
                at += 2 * channels;
                to += output_step;
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
