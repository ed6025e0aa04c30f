/* model.c: MobileNet V1 of width 0.25 in float32, 32x32x3 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 0
#define DWL_BF16 0

enum {
    DWL_HEIGHT = 32,
    DWL_WIDTH = 32,
    DWL_CHANNELS = 3,
    DWL_LABELS = 3,
    DWL_FEATURES = 256,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 3
#define DWK_RESIZE 37
#define DWK_CROP 32

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 59428 */
    DWL_AT_PIXELS = 59456, /* 3072 */
    DWL_AT_CONV_STEM = 18496, /* 10368 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 3564 */
    DWL_AT_BLOCKS_0_0 = 0, /* 18496 */
    DWL_AT_BLOCKS_0_0_ROWS = 28864, /* 2048 */
    DWL_AT_BLOCKS_1_0 = 18496, /* 12800 */
    DWL_AT_BLOCKS_1_0_ROWS = 31296, /* 4096 */
    DWL_AT_BLOCKS_1_1 = 0, /* 10368 */
    DWL_AT_BLOCKS_1_1_ROWS = 31296, /* 8192 */
    DWL_AT_BLOCKS_2_0 = 10368, /* 9216 */
    DWL_AT_BLOCKS_2_0_ROWS = 19584, /* 2048 */
    DWL_AT_BLOCKS_2_1 = 19584, /* 6400 */
    DWL_AT_BLOCKS_2_1_ROWS = 0, /* 4096 */
    DWL_AT_BLOCKS_3_0 = 0, /* 8448 */
    DWL_AT_BLOCKS_3_0_ROWS = 8448, /* 1024 */
    DWL_AT_BLOCKS_3_1 = 8448, /* 8448 */
    DWL_AT_BLOCKS_3_1_ROWS = 16896, /* 2048 */
    DWL_AT_BLOCKS_3_2 = 0, /* 8448 */
    DWL_AT_BLOCKS_3_2_ROWS = 16896, /* 2048 */
    DWL_AT_BLOCKS_3_3 = 8448, /* 8448 */
    DWL_AT_BLOCKS_3_3_ROWS = 16896, /* 2048 */
    DWL_AT_BLOCKS_3_4 = 0, /* 8448 */
    DWL_AT_BLOCKS_3_4_ROWS = 16896, /* 2048 */
    DWL_AT_BLOCKS_3_5 = 9216, /* 4608 */
    DWL_AT_BLOCKS_3_5_ROWS = 13824, /* 2048 */
    DWL_AT_BLOCKS_4_0 = 0, /* 9216 */
    DWL_AT_BLOCKS_4_0_ROWS = 13824, /* 512 */
    DWL_AT_BLOCKS_4_1 = 9216, /* 1024 */
    DWL_AT_BLOCKS_4_1_ROWS = 10240, /* 1024 */
    DWL_AT_GLOBAL_POOL = 0, /* 1024 */
    DWL_AT_CLASSIFIER = 1024, /* 16 */
    DWL_AT_PROBABILITIES = 1088, /* 12 */
    DWL_ARENA_BYTES = 62528
};

/* Where each part of dwl_weights begins, in words. */
enum {
    DWL_WEIGHTS_EDGE = 0,
    DWL_WEIGHTS_CONV_STEM = 48,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_DW = 272,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_PW = 352,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_DW = 496,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_PW = 656,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_DW = 1200,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_PW = 1520,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_DW = 2576,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_PW = 2896,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_DW = 5008,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_PW = 5648,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_DW = 9808,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW = 10448,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_DW = 18768,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW = 20048,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_DW = 36560,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW = 37840,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_DW = 54352,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW = 55632,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_DW = 72144,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW = 73424,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_DW = 89936,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW = 91216,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_DW = 107728,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW = 109008,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_DW = 142032,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_PW = 144592,
    DWL_WEIGHTS_CLASSIFIER = 210384,
    DWL_WEIGHTS_GOLDEN = 211424,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_f32.h"

/* dwk_product_f32_relu6_p4_c2x4 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 4
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s1_f32_relu6_c4 */
#define DWK_ACTIVATION relu6
#define DWK_LANES 4
#include "dwk_depthwise3x3s1_f32.h"

/* dwk_depthwise3x3s2_f32_relu6_c4 */
#define DWK_ACTIVATION relu6
#define DWK_LANES 4
#include "dwk_depthwise3x3s2_f32.h"

/* dwk_product_f32_relu6_p2_c2x4 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p1_c2x4 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 1
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_pool_f32_c4 */
#define DWK_LANES 4
#include "dwk_pool_f32.h"

/* dwk_classifier_f32_c1x4 */
#define DWK_VECTORS 1
#define DWK_LANES 4
#include "dwk_classifier_f32.h"

/* The most threads that a call may run on. */
#define DWL_THREADS 1

/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */
extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));
#define dwl_constants ((const dwk_float *)dwl_weights)

#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   32x32x3 -> 16x16x8; 55,296 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_f32_relu6_p4_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 16, W = 16, C = 3, N = 8, STRIDE = 2, ROWS = 4, INPUT_ROW = 99, OUTPUT_ROW = 144
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image image = {.height = 32, .width = 32 * 3, .left = 1 * 3, .right = 0 * 3};
    static const dwk_image around = {.height = 16, .width = 16 * 8, .left = 1 * 8, .right = 1 * 8};
    dwk_float *between = dwl_at(arena, DWL_AT_CONV_STEM_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        dwk_pixels_u8f32(&image, y * STRIDE - 1, (ROWS - 1) * STRIDE + 3, pixels,
            dwl_constants + DWL_WEIGHTS_EDGE, between);
        dwk_product_f32_relu6_p4_c2x4(&product, 1, ROWS, between,
            dwl_constants + DWL_WEIGHTS_CONV_STEM, output + y * OUTPUT_ROW);
    }
}

/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   16x16x8 -> 16x16x8; 18,432 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   16x16x8 -> 16x16x16; 32,768 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 16, W = 16, C = 8, N = 16, STRIDE = 1, ROWS = 4, INPUT_ROW = 144, OUTPUT_ROW = 272, BETWEEN = 8
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 16, .width = 16 * 16, .left = 1 * 16, .right = 0 * 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_0_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        dwk_depthwise3x3s1_f32_relu6_c4(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, ROWS, W, C, 0, C,
            dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_DW, between, BETWEEN);
        dwk_product_f32_relu6_p4_c2x4(&product, 2, ROWS, between,
            dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW, output + y * OUTPUT_ROW);
    }
}

/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   16x16x16 -> 8x8x16; 9,216 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   8x8x16 -> 8x8x32; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 8, W = 8, C = 16, N = 32, STRIDE = 2, ROWS = 8, INPUT_ROW = 272, OUTPUT_ROW = 320, BETWEEN = 16
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 8, .width = 8 * 32, .left = 1 * 32, .right = 1 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p4_c2x4(&product, 4, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW, output);
}

/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   8x8x32 -> 8x8x32; 18,432 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu6
 *   8x8x32 -> 8x8x32; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 8, W = 8, C = 32, N = 32, STRIDE = 1, ROWS = 8, INPUT_ROW = 320, OUTPUT_ROW = 288, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 8, .width = 8 * 32, .left = 1 * 32, .right = 0 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p4_c2x4(&product, 4, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW, output);
}

/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   8x8x32 -> 4x4x32; 4,608 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   4x4x32 -> 4x4x64; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 4, W = 4, C = 32, N = 64, STRIDE = 2, ROWS = 4, INPUT_ROW = 288, OUTPUT_ROW = 384, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 4, .width = 4 * 64, .left = 1 * 64, .right = 1 * 64};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p4_c2x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW, output);
}

/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   4x4x64 -> 4x4x64; 9,216 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu6
 *   4x4x64 -> 4x4x64; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 4, W = 4, C = 64, N = 64, STRIDE = 1, ROWS = 4, INPUT_ROW = 384, OUTPUT_ROW = 320, BETWEEN = 64
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 4, .width = 4 * 64, .left = 1 * 64, .right = 0 * 64};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p4_c2x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW, output);
}

/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   4x4x64 -> 2x2x64; 2,304 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   2x2x64 -> 2x2x128; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 64, N = 128, STRIDE = 2, ROWS = 2, INPUT_ROW = 320, OUTPUT_ROW = 528, BETWEEN = 64
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 1 * 128 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW, output);
}

/* blocks.3.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.3.1.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x128; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_1(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 128, STRIDE = 1, ROWS = 2, INPUT_ROW = 528, OUTPUT_ROW = 528, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 1 * 128 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW, output);
}

/* blocks.3.2.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.3.2.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x128; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_2(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 128, STRIDE = 1, ROWS = 2, INPUT_ROW = 528, OUTPUT_ROW = 528, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 1 * 128 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_2_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW, output);
}

/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x128; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_3(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 128, STRIDE = 1, ROWS = 2, INPUT_ROW = 528, OUTPUT_ROW = 528, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 1 * 128 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_3_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW, output);
}

/* blocks.3.4.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.3.4.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x128; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_4(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 128, STRIDE = 1, ROWS = 2, INPUT_ROW = 528, OUTPUT_ROW = 528, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 1 * 128 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_4_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW, output);
}

/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x128; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_5(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 128, STRIDE = 1, ROWS = 2, INPUT_ROW = 528, OUTPUT_ROW = 384, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 128, .left = 1 * 128, .right = 0 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_5_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p2_c2x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW, output);
}

/* blocks.4.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   2x2x128 -> 1x1x128; 1,152 multiply-adds
 * blocks.4.0.conv_pw: pointwise convolution, relu6
 *   1x1x128 -> 1x1x256; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p1_c2x4 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 1, W = 1, C = 128, N = 256, STRIDE = 2, ROWS = 1, INPUT_ROW = 384, OUTPUT_ROW = 768, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 1, .width = 1 * 256, .left = 1 * 256, .right = 1 * 256};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p1_c2x4(&product, 32, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW, output);
}

/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   1x1x256 -> 1x1x256; 2,304 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   1x1x256 -> 1x1x256; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p1_c2x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 1, W = 1, C = 256, N = 256, STRIDE = 1, ROWS = 1, INPUT_ROW = 768, OUTPUT_ROW = 256, BETWEEN = 256
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_1);
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p1_c2x4(&product, 32, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, output);
}

/* global_pool: mean of each channel
 *   1x1x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_f32_c4 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_f32_c4(dwl_at(arena, DWL_AT_BLOCKS_4_1), 1, 1, 256, 0, 256,
        dwl_at(arena, DWL_AT_GLOBAL_POOL));
}

/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * kernels dwk_classifier_f32_c1x4 */
static void dwl_classifier(uint8_t *arena)
{
    dwk_classifier_f32_c1x4(dwl_at(arena, DWL_AT_GLOBAL_POOL), 256, 1,
        dwl_constants + DWL_WEIGHTS_CLASSIFIER, dwl_at(arena, DWL_AT_CLASSIFIER));
}

/* Prepared pixels to the sums of the labels. */
static void dwl_network(const uint8_t *pixels, uint8_t *arena)
{
    dwl_conv_stem(pixels, arena);
    dwl_blocks_0_0(arena);
    dwl_blocks_1_0(arena);
    dwl_blocks_1_1(arena);
    dwl_blocks_2_0(arena);
    dwl_blocks_2_1(arena);
    dwl_blocks_3_0(arena);
    dwl_blocks_3_1(arena);
    dwl_blocks_3_2(arena);
    dwl_blocks_3_3(arena);
    dwl_blocks_3_4(arena);
    dwl_blocks_3_5(arena);
    dwl_blocks_4_0(arena);
    dwl_blocks_4_1(arena);
    dwl_global_pool(arena);
    dwl_classifier(arena);
}

/* What the classifier reads, in real numbers. */
static void dwl_features(const uint8_t *arena, dwk_float *features)
{
    for (int32_t i = 0; i < DWL_FEATURES; i++) {
        features[i] = ((const dwk_float *)(const void *)(arena + DWL_AT_GLOBAL_POOL))[i];
    }
}

#include "dwk_as_level.h"

static const dwk_level dwl_level = DWK_LEVEL("golden");
static const dwk_level *const dwl_levels[] = {&dwl_level};

static const char dwl_record[] =
    "{\012"
    " \"schema\": 1,\012"
    " \"depthwise\": \"0.1.0\",\012"
    " \"precision\": \"float32\",\012"
    " \"target\": \"golden\",\012"
    " \"levels\": [\012"
    "  \"golden\"\012"
    " ],\012"
    " \"spec\": {\012"
    "  \"width\": 0.25,\012"
    "  \"resolution\": 32,\012"
    "  \"classes\": 3,\012"
    "  \"channels\": 3,\012"
    "  \"padding\": \"symmetric\",\012"
    "  \"bn_epsilon\": 1e-05,\012"
    "  \"activation\": \"relu6\",\012"
    "  \"convolution\": \"separable\",\012"
    "  \"shallow\": false,\012"
    "  \"unit_strides\": []\012"
    " },\012"
    " \"preprocessing\": {\012"
    "  \"resize\": 37,\012"
    "  \"crop\": 32,\012"
    "  \"mean\": [\012"
    "   128.0,\012"
    "   128.0,\012"
    "   128.0\012"
    "  ],\012"
    "  \"scale\": [\012"
    "   0.015625,\012"
    "   0.015625,\012"
    "   0.015625\012"
    "  ]\012"
    " },\012"
    " \"cost\": {\012"
    "  \"multiply_adds\": 832896,\012"
    "  \"weight_bytes\": 845696,\012"
    "  \"arena_bytes\": 62528\012"
    " },\012"
    " \"accuracy\": {},\012"
    " \"provenance\": {}\012"
    "}";

static const char *const dwl_labels[DWL_LABELS] = {
    "a",
    "b \"c\"",
    "\360\237\220\263",
};

#include "dwk_interface.h"
