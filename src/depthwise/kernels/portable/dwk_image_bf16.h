/* dwk_image_bf16.h: bytes to bfloat16, and borders. */
#ifndef DWK_IMAGE_BF16_H
#define DWK_IMAGE_BF16_H

#include "dwk_shapes.h"
#include "dwk_vector_bf16.h"

/* Means are taken off in blocks of this many values: 16 pixels of 3 channels, or 48 of one. */
#define DWK_MEANS 48

DWK_INLINE void dwk_zeros_bf16(dwk_bf16 *restrict output, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        output[i] = 0;
    }
}

/* dwk_pixels_u8bf16: `rows` rows of an image from row `first` on, as byte - mean, with the padding on each side. Where
 * the mean is a whole number, that is exact. Rows outside of the image are zeros; behind the last row stands one zero
 * more, which a product of pairs reads. means: DWK_MEANS values, the channels' means in turn. */
static inline void dwk_pixels_u8bf16(const dwk_image *image, int32_t first, int32_t rows,
                                     const uint8_t *restrict pixels, const dwk_float *restrict means,
                                     dwk_bf16 *restrict output)
{
    for (int32_t y = first; y < first + rows; y++) {
        if (y < 0 || y >= image->height) {
            dwk_zeros_bf16(output, image->left + image->width + image->right);
            output += image->left + image->width + image->right;
            continue;
        }
        dwk_zeros_bf16(output, image->left);
        output += image->left;
        const uint8_t *row = pixels + (ptrdiff_t)y * image->width;
        for (int32_t at = 0; at < image->width; at += DWK_MEANS) {
            int32_t count = image->width - at < DWK_MEANS ? image->width - at : DWK_MEANS;
            for (int32_t i = 0; i < count; i++) {
                output[at + i] = dwk_rounded_bf16((float)row[at + i] - means[i]);
            }
        }
        output += image->width;
        dwk_zeros_bf16(output, image->right);
        output += image->right;
    }
    *output = 0;
}

/* `count` values: those of `channels` in turn. */
DWK_INLINE void dwk_repeat_bf16(const dwk_bf16 *restrict values, int32_t channels, int32_t count,
                                dwk_bf16 *restrict output)
{
    for (; count > 0; count -= channels) {
        for (int32_t i = 0; i < (count < channels ? count : channels); i++) {
            output[i] = values[i];
        }
        output += channels;
    }
}

/* dwk_border_bf16: what stands for 0 all around an activation. output: its first value, which is padding where there is
 * any. zeros: what stands for 0 in each channel. above, below: rows of them. Only what is beside rows `first` to before
 * `end` is written, and above or below these. */
static inline void dwk_border_bf16(const dwk_image *image, int32_t above, int32_t below, int32_t first, int32_t end,
                                   const dwk_bf16 *restrict zeros, int32_t channels, dwk_bf16 *restrict output)
{
    int32_t row = image->left + image->width + image->right;
    for (int32_t y = 0; y < ((first == 0) & (end > 0)) * above; y++) {
        dwk_repeat_bf16(zeros, channels, row, output + y * row);
    }
    output += (above + first) * row;
    for (int32_t y = first; y < end; y++) {
        dwk_repeat_bf16(zeros, channels, image->left, output);
        dwk_repeat_bf16(zeros, channels, image->right, output + image->left + image->width);
        output += row;
    }
    for (int32_t y = 0; y < ((first < end) & (end == image->height)) * below; y++) {
        dwk_repeat_bf16(zeros, channels, row, output + y * row);
    }
}

#endif
