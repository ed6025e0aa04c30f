/* dwk_wide_i8.h: single output channels whose factors do not fit into signed bytes: weights with a zero point have
 * factors of -255 to 255 (docs/int8.md Q4).
 *
 * The kernel that computes all channels of a layer has factors of 0 for these; what it wrote for them is replaced here,
 * before anybody reads it. A network has one or two of them in most layers.
 *
 * Weights, for each such channel: its number, the bias (s32), the multiplier and the scale (f32), then its factors. Of
 * a depthwise convolution they are nine (s32). Of others they are s16, those of each tap filled up with zeros to a
 * multiple of DWK_WIDE_DEPTH. Where bytes lie signed, the bias has 128 times the sum of the factors added. */
#ifndef DWK_WIDE_I8_H
#define DWK_WIDE_I8_H

#include "dwk_shapes.h"
#include "dwk_vector_i8.h"

/* Words before the factors. */
#define DWK_WIDE_WORDS 4
/* Sums that are rounded together. */
#define DWK_WIDE_SUMS 4
/* Factors that are multiplied together; compiler/lower/wide.py fills up to it. */
#define DWK_WIDE_DEPTH 16

/* How bytes lie: plain; less by 128; and what a depthwise convolution hands on, in the pairs of pixels that
 * dwk_pairs_arm.h describes. */
enum { DWK_WIDE_PLAIN = 0, DWK_WIDE_SIGNED = 1, DWK_WIDE_IN_PAIRS = 2 };

/* 8 or 16 bytes at any address, and factors. */
typedef uint8_t dwk_near_bytes8 __attribute__((vector_size(8), may_alias, aligned(1)));
typedef uint8_t dwk_near_bytes16 __attribute__((vector_size(16), may_alias, aligned(1)));
typedef int16_t dwk_h8 __attribute__((vector_size(16), may_alias));
typedef int16_t dwk_h16 __attribute__((vector_size(32), may_alias));
typedef int16_t dwk_near_h16 __attribute__((vector_size(32), may_alias, aligned(2)));

/* The distance of a pixel from the first one of some rows, in bytes. depth: of a pixel. */
DWK_INLINE int32_t dwk_wide_place(int lies, int32_t rows, int32_t width, int32_t depth, int32_t y, int32_t x)
{
    if (!(lies & DWK_WIDE_IN_PAIRS)) {
        return (y * width + x) * depth;
    }
    /* Eight channels of one pixel, then of the one below it, or of its right neighbour in a last row without one. */
    return (y | 1) < rows ? (y / 2 * width + x) * 2 * depth + y % 2 * 8 : (y * width + x / 2 * 2) * depth + x % 2 * 8;
}

/* R1 to R4 of some sums of one channel, to bytes at some addresses. */
DWK_INLINE void dwk_wide_store(const dwk_rounding *to, const uint32_t *weights, int lies, int32_t count,
                               const dwk_i4 *sums, uint8_t *const *output)
{
    const uint32_t multiplier[DWK_WIDE_SUMS] = {weights[2], weights[2], weights[2], weights[2]};
    dwk_i4 rounded = *sums;
    dwk_rounded_v4(to, multiplier, &rounded);
    for (int32_t i = 0; i < count; i++) {
        *output[i] = (uint8_t)(lies & DWK_WIDE_SIGNED ? rounded[i] ^ 128 : rounded[i]);
    }
}

/* Adds eight sums, which together are that of sixteen products. */
DWK_INLINE void dwk_wide_products(dwk_i8 *sums, dwk_h16 bytes, dwk_h16 factors)
{
#if defined(__AVX2__)
    /* Compilers do not find it: they widen both to 32 bits, and take an instruction of ten cycles. */
    *sums += (dwk_i8)__builtin_ia32_pmaddwd256(bytes, factors);
#else
    dwk_h8 byte[2], factor[2];
    __builtin_memcpy(byte, &bytes, sizeof(bytes));
    __builtin_memcpy(factor, &factors, sizeof(factors));
    *sums += __builtin_convertvector(byte[0], dwk_i8) * __builtin_convertvector(factor[0], dwk_i8);
    *sums += __builtin_convertvector(byte[1], dwk_i8) * __builtin_convertvector(factor[1], dwk_i8);
#endif
}

/* `count` values of up to 16, with zeros behind them. Nothing is read beyond them, as they may be the arena's last. */
DWK_INLINE dwk_h16 dwk_wide_values(const uint8_t *from, int lies, int32_t count)
{
    dwk_near_bytes16 bytes = {0};
    if (lies & DWK_WIDE_IN_PAIRS) {
        dwk_near_bytes8 eights[2] = {*(const dwk_near_bytes8 *)from};
        if (count > 8) {
            eights[1] = *(const dwk_near_bytes8 *)(from + 16);
        }
        __builtin_memcpy(&bytes, eights, sizeof(bytes));
    } else if (count >= DWK_WIDE_DEPTH) {
        bytes = *(const dwk_near_bytes16 *)from;
    } else {
        uint8_t some[DWK_WIDE_DEPTH] = {0};
        for (int32_t i = 0; i < count; i++) {
            some[i] = from[i];
        }
        bytes = *(const dwk_near_bytes16 *)some;
    }
    return lies & DWK_WIDE_SIGNED ? __builtin_convertvector((dwk_s16)bytes, dwk_h16)
                                  : __builtin_convertvector(bytes, dwk_h16);
}

/* Adds the products of the pixels at some addresses. */
DWK_INLINE void dwk_wide_dots(const dwk_product *shape, int lies, int pixels, const uint8_t *const *from,
                              const int16_t *factors, dwk_i8 *sums)
{
    /* Bytes from one value of a pixel to the sixteenth behind it. */
    const int32_t step = lies & DWK_WIDE_IN_PAIRS ? 2 * DWK_WIDE_DEPTH : DWK_WIDE_DEPTH;
    for (int32_t tap = 0; tap < shape->taps; tap++) {
        for (int32_t k = 0; k < shape->depth; k += DWK_WIDE_DEPTH, factors += DWK_WIDE_DEPTH) {
            const int32_t at = tap * shape->tap + k / DWK_WIDE_DEPTH * step;
            const dwk_h16 factor = *(const dwk_near_h16 *)factors;
            DWK_UNROLL
            for (int p = 0; p < pixels; p++) {
                dwk_wide_products(sums + p, dwk_wide_values(from[p] + at, lies, shape->depth - k), factor);
            }
        }
    }
}

/* Four sums, each of eight. */
DWK_INLINE dwk_i4 dwk_wide_total(const dwk_i8 *sums)
{
#if defined(__AVX2__)
    const dwk_i8 low = (dwk_i8)__builtin_ia32_phaddd256(sums[0], sums[1]);
    const dwk_i8 high = (dwk_i8)__builtin_ia32_phaddd256(sums[2], sums[3]);
    const dwk_i8 both = (dwk_i8)__builtin_ia32_phaddd256(low, high);
    dwk_i4 half[2];
    __builtin_memcpy(half, &both, sizeof(half));
    return half[0] + half[1];
#else
    dwk_i4 half[2 * DWK_WIDE_SUMS], total;
    __builtin_memcpy(half, sums, sizeof(half));
    DWK_UNROLL
    for (int i = 0; i < DWK_WIDE_SUMS; i++) {
        const dwk_i4 four = half[2 * i] + half[2 * i + 1];
        total[i] = four[0] + four[1] + four[2] + four[3];
    }
    return total;
#endif
}

/* Words that the factors of one channel of a product take. */
DWK_INLINE int32_t dwk_wide_words(const dwk_product *shape)
{
    return shape->taps * ((shape->depth + DWK_WIDE_DEPTH - 1) / DWK_WIDE_DEPTH * DWK_WIDE_DEPTH / 2);
}

/* `rows` rows of outputs of those of the `wide` channels that are within `first` to `end`. */
DWK_INLINE void dwk_wide_product_i8(const dwk_product *shape, int lies, int32_t wide, int32_t first, int32_t end,
                                    int32_t rows, const uint8_t *restrict input, const uint32_t *restrict weights,
                                    const dwk_rounding *to, uint8_t *restrict output)
{
    const int32_t size = DWK_WIDE_WORDS + dwk_wide_words(shape);
    for (int32_t i = 0; i < wide; i++, weights += size) {
        const int32_t channel = (int32_t)weights[0], bias = (int32_t)weights[1];
        if (channel < first || channel >= end) {
            continue;
        }
        for (int32_t y = 0; y < rows; y++) {
            for (int32_t x = 0; x < shape->width; x += DWK_WIDE_SUMS) {
                const int32_t count = shape->width - x < DWK_WIDE_SUMS ? shape->width - x : DWK_WIDE_SUMS;
                const uint8_t *from[DWK_WIDE_SUMS];
                uint8_t *target[DWK_WIDE_SUMS];
                dwk_i8 sums[DWK_WIDE_SUMS] = {{0}};
                DWK_UNROLL
                for (int p = 0; p < DWK_WIDE_SUMS; p++) {
                    /* Behind the last pixel stands that pixel again. */
                    const int32_t at = x + (p < count ? p : count - 1);
                    from[p] = lies & DWK_WIDE_IN_PAIRS
                                  ? input + dwk_wide_place(lies, rows, shape->width, shape->depth, y, at)
                                  : input + y * shape->row + at * shape->step;
                    target[p] = output + y * shape->output_row + at * shape->output_step + channel;
                }
                dwk_wide_dots(shape, lies, DWK_WIDE_SUMS, from, (const int16_t *)(weights + DWK_WIDE_WORDS), sums);
                const dwk_i4 total = dwk_wide_total(sums) + bias;
                dwk_wide_store(to, weights, lies, count, &total, target);
            }
        }
    }
}

/* The same of a depthwise convolution 3x3. Input and output are those of dwk_depthwise3x3s1_i8.h, but that the output
 * may lie in pairs. */
DWK_INLINE void dwk_wide_depthwise3x3_i8(const uint8_t *restrict input, int32_t input_row, int lies, int32_t rows,
                                         int32_t width, int32_t channels, int32_t stride, int32_t wide, int32_t first,
                                         int32_t end, const uint32_t *restrict weights, const dwk_rounding *to,
                                         uint8_t *restrict output, int32_t output_step)
{
    const int32_t size = DWK_WIDE_WORDS + 9;
    for (int32_t i = 0; i < wide; i++, weights += size) {
        const int32_t channel = (int32_t)weights[0], bias = (int32_t)weights[1];
        if (channel < first || channel >= end) {
            continue;
        }
        const int32_t *factors = (const int32_t *)(weights + DWK_WIDE_WORDS);
        const int32_t place = lies & DWK_WIDE_IN_PAIRS ? channel / 8 * 16 + channel % 8 : channel;
        for (int32_t y = 0; y < rows; y++) {
            const uint8_t *from = input + y * stride * input_row + channel;
            for (int32_t x = 0; x < width; x += DWK_WIDE_SUMS) {
                const int32_t count = width - x < DWK_WIDE_SUMS ? width - x : DWK_WIDE_SUMS;
                uint8_t *target[DWK_WIDE_SUMS];
                dwk_i4 sums = {bias, bias, bias, bias};
                for (int32_t p = 0; p < count; p++) {
                    const uint8_t *at = from + (x + p) * stride * channels;
                    target[p] = output + dwk_wide_place(lies, rows, width, output_step, y, x + p) + place;
                    DWK_UNROLL
                    for (int tap = 0; tap < 9; tap++) {
                        const uint8_t byte = at[tap / 3 * input_row + tap % 3 * channels];
                        sums[p] += (lies & DWK_WIDE_SIGNED ? (int8_t)byte : byte) * factors[tap];
                    }
                }
                dwk_wide_store(to, weights, lies, count, &sums, target);
            }
        }
    }
}

/* The logits of the labels of a classifier that are wide and within `first` to `end`. */
#define DWK_DEFINE_WIDE_CLASSIFIER(LOGITS)                                                                             \
    DWK_INLINE void dwk_wide_classifier_i8_##LOGITS(const uint8_t *features, int32_t count, int lies, int32_t wide,    \
                                                    int32_t first, int32_t end, const uint32_t *restrict weights,      \
                                                    const dwk_rounding *to, dwk_float *restrict output)                \
    {                                                                                                                  \
        const dwk_product shape = {.taps = 1, .depth = count};                                                         \
        const int32_t size = DWK_WIDE_WORDS + dwk_wide_words(&shape);                                                  \
        for (int32_t i = 0; i < wide; i++, weights += size) {                                                          \
            const int32_t label = (int32_t)weights[0];                                                                 \
            if (label >= first && label < end) {                                                                       \
                const uint32_t multiplier[DWK_WIDE_SUMS] = {weights[2]}, scale[DWK_WIDE_SUMS] = {weights[3]};          \
                dwk_i8 sums[DWK_WIDE_SUMS] = {{0}};                                                                    \
                dwk_wide_dots(&shape, lies, 1, &features, (const int16_t *)(weights + DWK_WIDE_WORDS), sums);          \
                dwk_i4 sum = dwk_wide_total(sums) + (int32_t)weights[1];                                               \
                dwk_v4 logits;                                                                                         \
                dwk_logits_##LOGITS##_v4(to, multiplier, scale, &sum, &logits);                                        \
                output[label] = logits[0];                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }
DWK_DEFINE_WIDE_CLASSIFIER(products)
DWK_DEFINE_WIDE_CLASSIFIER(bytes)

#endif
