/* dwk_image_s8.h: rows of bytes less by 128, as the kernels for ARM take them, with those of real 0 around them. */
#ifndef DWK_IMAGE_S8_H
#define DWK_IMAGE_S8_H

#include "dwk_image_u8.h"

/* dwk_pixels_s8: what dwk_pixels_u8 does, each byte less by 128; so are those of `border` already. */
static inline void dwk_pixels_s8(const dwk_image *image, int32_t first, int32_t rows, const uint8_t *restrict pixels,
                                 const uint8_t *restrict border, uint8_t *restrict output)
{
    for (int32_t y = first; y < first + rows; y++) {
        if (y < 0 || y >= image->height) {
            dwk_repeat_u8(border, image->left + image->width + image->right, output);
            output += image->left + image->width + image->right;
            continue;
        }
        dwk_repeat_u8(border, image->left, output);
        output += image->left;
        const uint8_t *row = pixels + (ptrdiff_t)y * image->width;
        for (int32_t i = 0; i < image->width; i++) {
            output[i] = row[i] ^ 128;
        }
        output += image->width;
        dwk_repeat_u8(border, image->right, output);
        output += image->right;
    }
}

#endif
