/* dwk_separable_i8_cuda.h: a depthwise 3x3 convolution and the pointwise one behind it, bytes out of bytes
 * (docs/int8.md). What lies between the two stays in the memory that a block shares.
 *
 * A block has DWK_PIXELS pixels and DWK_OUTPUTS channels of the output. Its threads first make the depthwise bytes of
 * those pixels, four channels at a time; then each has one output channel of DWK_ABREAST pixels.
 *
 * Form: DWK_NAME; sizes DWK_H DWK_W DWK_C, DWK_OUT_H DWK_OUT_W DWK_N; DWK_STRIDE, DWK_TOP and DWK_LEFT (rows and
 * columns of border); DWK_EDGE (the border's byte); DWK_MIDDLE_ZERO, _LOW and _HIGH of what lies between; DWK_ZERO
 * DWK_LOW DWK_HIGH of the output; DWK_PIXELS DWK_OUTPUTS DWK_ABREAST DWK_THREADS; DWK_PLANES.
 *
 * Weights of the depthwise layer: 3 x 3 x C factors (s16), C biases (s32), C multipliers (f32). Of the pointwise one:
 * for each plane, of each four input channels a word for each output (s8), then N biases, N multipliers. Factors that
 * fit into a signed byte have one plane; others are twice those of the first plane and once those of the second. */
#include "dwk_gpu_i8.h"

#define DWK_WORDS (DWK_C / 4)
#define DWK_SEVERAL DWK_JOINED(DWK_NAME, _depthwise)
#define DWK_JOINED(a, b) DWK_JOINED_(a, b)
#define DWK_JOINED_(a, b) a##b

/* Four depthwise bytes of pixel p, from word c of the channels on. */
DWK_INLINE uint32_t DWK_SEVERAL(const uint32_t *in, const uint32_t *weights, int32_t p, int32_t c)
{
    const uint32_t *bias = weights + 9 * DWK_C / 2;
    const dwk_layer_i8 to = {bias, bias + DWK_C, DWK_MIDDLE_ZERO, DWK_MIDDLE_LOW, DWK_MIDDLE_HIGH};
    uint32_t sums[4] = {0};
    DWK_UNROLL
    for (int tap = 0; tap < 9; tap++) {
        const int32_t y = p / DWK_OUT_W * DWK_STRIDE + tap / 3 - DWK_TOP;
        const int32_t x = p % DWK_OUT_W * DWK_STRIDE + tap % 3 - DWK_LEFT;
        const int is_inside = y >= 0 && y < DWK_H && x >= 0 && x < DWK_W;
        const uint32_t bytes = is_inside ? in[(y * DWK_W + x) * DWK_WORDS + c] : DWK_EDGE * 0x01010101u;
        const uint32_t *factors = weights + (tap * DWK_WORDS + c) * 2;
        DWK_UNROLL
        for (int k = 0; k < 4; k++) {
            sums[k] += (uint32_t)(dwk_byte(bytes, k) * dwk_short(factors, k));
        }
    }
    return dwk_to_bytes(sums, 4 * c, &to);
}

DWK_KERNEL void DWK_NAME(const uint32_t *restrict in, uint8_t *restrict out, const uint32_t *restrict depthwise,
                         const uint32_t *restrict pointwise)
{
    DWK_SHARED_ARRAY(uint32_t, middle, DWK_PIXELS *DWK_WORDS);
    const uint32_t *bias = pointwise + DWK_PLANES * DWK_WORDS * DWK_N;
    const dwk_layer_i8 to = {bias, bias + DWK_N, DWK_ZERO, DWK_LOW, DWK_HIGH};
    const int32_t first = dwk_block_x() * DWK_PIXELS, end = DWK_OUT_H * DWK_OUT_W;
    DWK_EACH_THREAD(t)
    {
        for (int32_t i = t; i < DWK_PIXELS * DWK_WORDS; i += DWK_THREADS) {
            const int32_t p = first + i / DWK_WORDS;
            middle[i] = p < end ? DWK_SEVERAL(in, depthwise, p, i % DWK_WORDS) : 0u;
        }
    }
    DWK_MEET();
    DWK_EACH_THREAD(t)
    {
        const int32_t n = dwk_block_y() * DWK_OUTPUTS + t % DWK_OUTPUTS, own = t / DWK_OUTPUTS * DWK_ABREAST;
        uint32_t sums[DWK_ABREAST] = {0};
        if (n < DWK_N) {
            for (int32_t plane = 0; plane < DWK_PLANES; plane++) {
                const uint32_t *factors = pointwise + plane * DWK_WORDS * DWK_N + n;
                DWK_UNROLL
                for (int e = 0; e < DWK_ABREAST; e++) {
                    sums[e] *= 2u;
                }
                for (int32_t c = 0; c < DWK_WORDS; c += 2) {
                    const uint32_t one = factors[c * DWK_N], two = factors[(c + 1) * DWK_N];
                    DWK_UNROLL
                    for (int e = 0; e < DWK_ABREAST; e++) {
                        const DWK_SHARED uint32_t *x = middle + (own + e) * DWK_WORDS + c;
                        sums[e] = dwk_dot(x[1], two, dwk_dot(x[0], one, sums[e]));
                    }
                }
            }
            DWK_UNROLL
            for (int e = 0; e < DWK_ABREAST; e++) {
                if (first + own + e < end) {
                    out[(first + own + e) * DWK_N + n] = (uint8_t)dwk_to_byte(sums[e], n, &to);
                }
            }
        }
    }
}

#undef DWK_JOINED_
#undef DWK_JOINED
#undef DWK_SEVERAL
#undef DWK_WORDS
