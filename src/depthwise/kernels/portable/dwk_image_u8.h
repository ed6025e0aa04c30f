/* dwk_image_u8.h: rows of bytes with the bytes of real 0 around them (docs/int8.md Q3). */
#ifndef DWK_IMAGE_U8_H
#define DWK_IMAGE_U8_H

#include "dwk_shapes.h"
#include "dwk_vector.h"

/* The border of an image, repeated to this many values: 16 pixels of 3 channels, or 48 of one. */
#define DWK_BORDER 48

DWK_INLINE void dwk_fill_u8(uint8_t *restrict output, int32_t count, uint8_t value)
{
    for (int32_t i = 0; i < count; i++) {
        output[i] = value;
    }
}

DWK_INLINE void dwk_repeat_u8(const uint8_t *restrict border, int32_t count, uint8_t *restrict output)
{
    for (int32_t at = 0; at < count; at += DWK_BORDER) {
        int32_t some = count - at < DWK_BORDER ? count - at : DWK_BORDER;
        for (int32_t i = 0; i < some; i++) {
            output[at + i] = border[i];
        }
    }
}

/* dwk_pixels_u8: `rows` rows of an image from row `first` on, with the padding on each side. Rows outside of the image
 * are border. border: DWK_BORDER bytes, the channels' in turn. */
static inline void dwk_pixels_u8(const dwk_image *image, int32_t first, int32_t rows, const uint8_t *restrict pixels,
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
        __builtin_memcpy(output, row, (size_t)image->width);
        output += image->width;
        dwk_repeat_u8(border, image->right, output);
        output += image->right;
    }
}

/* dwk_border_u8: one byte all around an activation. output: its first value, which is padding where there is any.
 * above, below: rows of it. Only what is beside rows `first` to before `end` is written, and above or below these. */
static inline void dwk_border_u8(const dwk_image *image, int32_t above, int32_t below, int32_t first, int32_t end,
                                 uint8_t value, uint8_t *restrict output)
{
    int32_t row = image->left + image->width + image->right;
    dwk_fill_u8(output, ((first == 0) & (end > 0)) * above * row, value);
    output += (above + first) * row;
    for (int32_t y = first; y < end; y++) {
        dwk_fill_u8(output, image->left, value);
        dwk_fill_u8(output + image->left + image->width, image->right, value);
        output += row;
    }
    dwk_fill_u8(output, ((first < end) & (end == image->height)) * below * row, value);
}

#endif
