/* dwk_wide_i8.h: single output channels whose factors do not fit into signed bytes: weights with a zero point have
 * factors of -255 to 255 (docs/int8.md Q4).
 *
 * The kernel that computes all channels of a layer has factors of 0 for these; what it wrote for them is replaced here,
 * before anybody reads it. A network has one or two of them in most layers.
 *
 * Weights, for each such channel: its number, the bias (s32), the multiplier and the scale (f32), then its factors
 * (s32) in the order in which they are read. */
#ifndef DWK_WIDE_I8_H
#define DWK_WIDE_I8_H

#include "dwk_shapes.h"
#include "dwk_vector_i8.h"

/* Words before the factors. */
#define DWK_WIDE_WORDS 4
/* Sums that are rounded together. */
#define DWK_WIDE_SUMS 4

/* Eight bytes at any address. */
typedef uint8_t dwk_near_u8 __attribute__((vector_size(8), may_alias, aligned(1)));

/* R1 to R4 of some sums of one channel, to bytes that are `apart` from each other. */
DWK_INLINE void dwk_wide_store(const dwk_rounding *to, const uint32_t *weights, int32_t count, const int32_t *sums,
                               uint8_t *output, int32_t apart)
{
    const uint32_t multiplier[DWK_WIDE_SUMS] = {weights[2], weights[2], weights[2], weights[2]};
    dwk_i4 rounded = *(const dwk_near_i4 *)sums;
    dwk_rounded_v4(to, multiplier, &rounded);
    for (int32_t i = 0; i < count; i++) {
        output[i * apart] = (uint8_t)rounded[i];
    }
}

/* The sum of a product for one pixel. */
DWK_INLINE int32_t dwk_wide_dot(const dwk_product *shape, const uint8_t *restrict input,
                                const int32_t *restrict factors)
{
    dwk_i8 eights = {0};
    int32_t sum = 0;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        int32_t k = 0;
        for (; k + 8 <= shape->depth; k += 8) {
            const dwk_i8 bytes = __builtin_convertvector(*(const dwk_near_u8 *)(input + k), dwk_i8);
            eights += bytes * *(const dwk_near_i8 *)(factors + k);
        }
        for (; k < shape->depth; k++) {
            sum += input[k] * factors[k];
        }
        input += shape->tap;
        factors += shape->depth;
    }
    DWK_UNROLL
    for (int i = 0; i < 8; i++) {
        sum += eights[i];
    }
    return sum;
}

/* `rows` rows of outputs of those of the `wide` channels that are within `first` to `end`. */
DWK_INLINE void dwk_wide_product_i8(const dwk_product *shape, int32_t wide, int32_t first, int32_t end, int32_t rows,
                                    const uint8_t *restrict input, const uint32_t *restrict weights,
                                    const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t size = DWK_WIDE_WORDS + shape->taps * shape->depth;
    for (int32_t i = 0; i < wide; i++, weights += size) {
        const int32_t channel = (int32_t)weights[0], bias = (int32_t)weights[1];
        if (channel < first || channel >= end) {
            continue;
        }
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * shape->row;
            uint8_t *target = output + y * shape->output_row + channel;
            for (int32_t x = 0; x < shape->width; x += DWK_WIDE_SUMS) {
                const int32_t count = shape->width - x < DWK_WIDE_SUMS ? shape->width - x : DWK_WIDE_SUMS;
                int32_t sums[DWK_WIDE_SUMS] = {bias, bias, bias, bias};
                for (int32_t p = 0; p < count; p++) {
                    sums[p] +=
                        dwk_wide_dot(shape, from + (x + p) * shape->step, (const int32_t *)(weights + DWK_WIDE_WORDS));
                }
                dwk_wide_store(to, weights, count, sums, target + x * shape->output_step, shape->output_step);
            }
        }
    }
}

/* The same of a depthwise convolution 3x3. Input and output are those of dwk_depthwise3x3s1_i8.h. */
DWK_INLINE void dwk_wide_depthwise3x3_i8(const uint8_t *restrict input, int32_t input_row, int32_t rows, int32_t width,
                                         int32_t channels, int32_t stride, int32_t wide, int32_t first, int32_t end,
                                         const uint32_t *restrict weights, const dwk_rounding *to,
                                         uint8_t *restrict output, int32_t output_step)
{
    const int32_t size = DWK_WIDE_WORDS + 9;
    for (int32_t i = 0; i < wide; i++, weights += size) {
        const int32_t channel = (int32_t)weights[0], bias = (int32_t)weights[1];
        if (channel < first || channel >= end) {
            continue;
        }
        const int32_t *factors = (const int32_t *)(weights + DWK_WIDE_WORDS);
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * stride * input_row + channel;
            uint8_t *target = output + y * width * output_step + channel;
            for (int32_t x = 0; x < width; x += DWK_WIDE_SUMS) {
                const int32_t count = width - x < DWK_WIDE_SUMS ? width - x : DWK_WIDE_SUMS;
                int32_t sums[DWK_WIDE_SUMS] = {bias, bias, bias, bias};
                for (int32_t p = 0; p < count; p++) {
                    const uint8_t *at = from + (x + p) * stride * channels;
                    DWK_UNROLL
                    for (int tap = 0; tap < 9; tap++) {
                        sums[p] += at[tap / 3 * input_row + tap % 3 * channels] * factors[tap];
                    }
                }
                dwk_wide_store(to, weights, count, sums, target + x * output_step, output_step);
            }
        }
    }
}

/* The logits of the labels of a classifier that are wide and within `first` to `end`. */
#define DWK_DEFINE_WIDE_CLASSIFIER(LOGITS)                                                                             \
    DWK_INLINE void dwk_wide_classifier_i8_##LOGITS(const uint8_t *restrict features, int32_t count, int32_t wide,     \
                                                    int32_t first, int32_t end, const uint32_t *restrict weights,      \
                                                    const dwk_rounding *to, dwk_float *restrict output)                \
    {                                                                                                                  \
        const dwk_product shape = {.taps = 1, .depth = count};                                                         \
        for (int32_t i = 0; i < wide; i++, weights += DWK_WIDE_WORDS + count) {                                        \
            const int32_t label = (int32_t)weights[0];                                                                 \
            if (label >= first && label < end) {                                                                       \
                const uint32_t multiplier[DWK_WIDE_SUMS] = {weights[2]}, scale[DWK_WIDE_SUMS] = {weights[3]};          \
                dwk_i4 sum = {(int32_t)weights[1] +                                                                    \
                              dwk_wide_dot(&shape, features, (const int32_t *)(weights + DWK_WIDE_WORDS))};            \
                dwk_v4 logits;                                                                                         \
                dwk_logits_##LOGITS##_v4(to, multiplier, scale, &sum, &logits);                                        \
                output[label] = logits[0];                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }
DWK_DEFINE_WIDE_CLASSIFIER(products)
DWK_DEFINE_WIDE_CLASSIFIER(bytes)

#endif
