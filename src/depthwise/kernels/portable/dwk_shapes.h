/* dwk_shapes.h: what kernels of every precision run over; distances are in values, floats or bytes. */
#ifndef DWK_SHAPES_H
#define DWK_SHAPES_H

#include <stdint.h>

/* What a product runs over. */
typedef struct {
    int32_t taps;  /* kernel rows: 1 or 3 */
    int32_t depth; /* values in a kernel row, which lie side by side: columns x channels */
    int32_t tap;   /* input, from a kernel row to the next */
    int32_t step;  /* input, from a pixel's first value to that of the next pixel */
    int32_t row;   /* input, from a row of outputs to the next */
    int32_t width; /* outputs in a row */
    int32_t output_step;
    int32_t output_row;
} dwk_product;

/* Rows of an image and the padding around it. */
typedef struct {
    int32_t height; /* of the image, without padding */
    int32_t width;  /* values in a row: columns x channels */
    int32_t left;   /* padding before each row */
    int32_t right;  /* padding after each row */
} dwk_image;

#endif
