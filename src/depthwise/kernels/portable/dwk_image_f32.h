/* dwk_image_f32.h: bytes to floats, and borders of zeros. */
#ifndef DWK_IMAGE_F32_H
#define DWK_IMAGE_F32_H

#include "dwk_shapes.h"
#include "dwk_vector.h"

/* Means are taken off in blocks of this many values: 16 pixels of 3 channels, or 48 of one. */
#define DWK_MEANS 48

DWK_INLINE void dwk_zeros_f32(dwk_float *restrict output, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        output[i] = 0.0f;
    }
}

/* dwk_pixels_u8f32: `rows` rows of an image from row `first` on, as byte - mean, with the padding on each side.
 * Rows outside of the image are zeros. means: DWK_MEANS values, the channels' means in turn. */
static inline void dwk_pixels_u8f32(const dwk_image *image, int32_t first, int32_t rows, const uint8_t *restrict pixels,
                                    const dwk_float *restrict means, dwk_float *restrict output)
{
    for (int32_t y = first; y < first + rows; y++) {
        if (y < 0 || y >= image->height) {
            dwk_zeros_f32(output, image->left + image->width + image->right);
            output += image->left + image->width + image->right;
            continue;
        }
        dwk_zeros_f32(output, image->left);
        output += image->left;
        const uint8_t *row = pixels + (ptrdiff_t)y * image->width;
        for (int32_t at = 0; at < image->width; at += DWK_MEANS) {
            int32_t count = image->width - at < DWK_MEANS ? image->width - at : DWK_MEANS;
            for (int32_t i = 0; i < count; i++) {
                output[at + i] = (float)row[at + i] - means[i];
            }
        }
        output += image->width;
        dwk_zeros_f32(output, image->right);
        output += image->right;
    }
}

/* dwk_border_f32: zeros all around an activation. output: its first value, which is padding where there is any.
 * above, below: rows of zeros. Only what is beside rows `first` to before `end` is written, and above or below these.
 */
static inline void dwk_border_f32(const dwk_image *image, int32_t above, int32_t below, int32_t first, int32_t end,
                                  dwk_float *restrict output)
{
    int32_t row = image->left + image->width + image->right;
    dwk_zeros_f32(output, ((first == 0) & (end > 0)) * above * row);
    output += (above + first) * row;
    for (int32_t y = first; y < end; y++) {
        dwk_zeros_f32(output, image->left);
        dwk_zeros_f32(output + image->left + image->width, image->right);
        output += row;
    }
    dwk_zeros_f32(output, ((first < end) & (end == image->height)) * below * row);
}

#endif
