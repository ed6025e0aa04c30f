/* model.c: MobileNet V1 of width 0.25 in float32, 45x45x1 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 0
#define DWL_BF16 0

enum {
    DWL_HEIGHT = 45,
    DWL_WIDTH = 45,
    DWL_CHANNELS = 1,
    DWL_LABELS = 3,
    DWL_FEATURES = 256,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 1
#define DWK_RESIZE 51
#define DWK_CROP 45

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 55444 */
    DWL_AT_PIXELS = 60032, /* 2025 */
    DWL_AT_CONV_STEM = 40000, /* 20000 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 1692 */
    DWL_AT_BLOCKS_0_0 = 0, /* 40000 */
    DWL_AT_BLOCKS_0_0_ROWS = 60032, /* 1472 */
    DWL_AT_BLOCKS_1_0 = 40000, /* 25088 */
    DWL_AT_BLOCKS_1_0_ROWS = 65088, /* 9216 */
    DWL_AT_BLOCKS_1_1 = 0, /* 21632 */
    DWL_AT_BLOCKS_1_1_ROWS = 65088, /* 18432 */
    DWL_AT_BLOCKS_2_0 = 21632, /* 16896 */
    DWL_AT_BLOCKS_2_0_ROWS = 38528, /* 4608 */
    DWL_AT_BLOCKS_2_1 = 38528, /* 12544 */
    DWL_AT_BLOCKS_2_1_ROWS = 0, /* 9216 */
    DWL_AT_BLOCKS_3_0 = 0, /* 12800 */
    DWL_AT_BLOCKS_3_0_ROWS = 12800, /* 2304 */
    DWL_AT_BLOCKS_3_1 = 12800, /* 12800 */
    DWL_AT_BLOCKS_3_1_ROWS = 25600, /* 4608 */
    DWL_AT_BLOCKS_3_2 = 0, /* 12800 */
    DWL_AT_BLOCKS_3_2_ROWS = 25600, /* 4608 */
    DWL_AT_BLOCKS_3_3 = 12800, /* 12800 */
    DWL_AT_BLOCKS_3_3_ROWS = 25600, /* 4608 */
    DWL_AT_BLOCKS_3_4 = 0, /* 12800 */
    DWL_AT_BLOCKS_3_4_ROWS = 25600, /* 4608 */
    DWL_AT_BLOCKS_3_5 = 16640, /* 12800 */
    DWL_AT_BLOCKS_3_5_ROWS = 29440, /* 4608 */
    DWL_AT_BLOCKS_4_0 = 0, /* 16640 */
    DWL_AT_BLOCKS_4_0_ROWS = 29440, /* 2048 */
    DWL_AT_BLOCKS_4_1 = 16640, /* 4096 */
    DWL_AT_BLOCKS_4_1_ROWS = 20736, /* 4096 */
    DWL_AT_GLOBAL_POOL = 0, /* 1024 */
    DWL_AT_CLASSIFIER = 1024, /* 16 */
    DWL_AT_PROBABILITIES = 1088, /* 12 */
    DWL_ARENA_BYTES = 83520
};

/* Where each part of dwl_weights begins, in words. */
enum {
    DWL_WEIGHTS_EDGE = 0,
    DWL_WEIGHTS_CONV_STEM = 48,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_DW = 128,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_PW = 208,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_DW = 352,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_PW = 512,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_DW = 1056,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_PW = 1376,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_DW = 2432,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_PW = 2752,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_DW = 4864,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_PW = 5504,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_DW = 9664,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW = 10304,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_DW = 18624,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW = 19904,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_DW = 36416,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW = 37696,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_DW = 54208,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW = 55488,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_DW = 72000,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW = 73280,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_DW = 89792,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW = 91072,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_DW = 107584,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW = 108864,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_DW = 141888,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_PW = 144448,
    DWL_WEIGHTS_CLASSIFIER = 210240,
    DWL_WEIGHTS_GOLDEN = 211280,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_f32.h"

/* dwk_product_f32_relu_p8r7_c2x4 */
#define DWK_ACTIVATION relu
#define DWK_PIXELS 8
#define DWK_REST 7
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s1_f32_relu_c4 */
#define DWK_ACTIVATION relu
#define DWK_LANES 4
#include "dwk_depthwise3x3s1_f32.h"

/* dwk_product_f32_relu_p4r3_c4x4 */
#define DWK_ACTIVATION relu
#define DWK_PIXELS 4
#define DWK_REST 3
#define DWK_VECTORS 4
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s2_f32_relu_c4 */
#define DWK_ACTIVATION relu
#define DWK_LANES 4
#include "dwk_depthwise3x3s2_f32.h"

/* dwk_product_f32_relu_p6_c4x4 */
#define DWK_ACTIVATION relu
#define DWK_PIXELS 6
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_product_f32_relu_p3_c4x4 */
#define DWK_ACTIVATION relu
#define DWK_PIXELS 3
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_LANES 4
#include "dwk_product_f32.h"

/* dwk_product_f32_relu_p2_c4x4 */
#define DWK_ACTIVATION relu
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 4
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

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu
 *   45x45x1 -> 23x23x8; 38,088 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_f32_relu_p8r7_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 23, W = 23, C = 1, N = 8, STRIDE = 2, ROWS = 4, INPUT_ROW = 47, OUTPUT_ROW = 200
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image image = {.height = 45, .width = 45 * 1, .left = 1 * 1, .right = 1 * 1};
    static const dwk_image around = {.height = 23, .width = 23 * 8, .left = 1 * 8, .right = 1 * 8};
    dwk_float *between = dwl_at(arena, DWL_AT_CONV_STEM_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_pixels_u8f32(&image, y * STRIDE - 1, (rows - 1) * STRIDE + 3, pixels,
            dwl_constants + DWL_WEIGHTS_EDGE, between);
        dwk_product_f32_relu_p8r7_c2x4(&product, 1, rows, between,
            dwl_constants + DWL_WEIGHTS_CONV_STEM, output + y * OUTPUT_ROW);
    }
}

/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   23x23x8 -> 23x23x8; 38,088 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu
 *   23x23x8 -> 23x23x16; 67,712 multiply-adds
 * 2 rows at a time
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p4r3_c4x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 23, W = 23, C = 8, N = 16, STRIDE = 1, ROWS = 2, INPUT_ROW = 200, OUTPUT_ROW = 400, BETWEEN = 8
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 23, .width = 23 * 16, .left = 1 * 16, .right = 1 * 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_0_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_depthwise3x3s1_f32_relu_c4(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
            dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_DW, between, BETWEEN);
        dwk_product_f32_relu_p4r3_c4x4(&product, 1, rows, between,
            dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW, output + y * OUTPUT_ROW);
    }
}

/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu
 *   23x23x16 -> 12x12x16; 20,736 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu
 *   12x12x16 -> 12x12x32; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 12, W = 12, C = 16, N = 32, STRIDE = 2, ROWS = 12, INPUT_ROW = 400, OUTPUT_ROW = 448, BETWEEN = 16
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 12, .width = 12 * 32, .left = 1 * 32, .right = 1 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p6_c4x4(&product, 2, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW, output);
}

/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   12x12x32 -> 12x12x32; 41,472 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu
 *   12x12x32 -> 12x12x32; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 12, W = 12, C = 32, N = 32, STRIDE = 1, ROWS = 12, INPUT_ROW = 448, OUTPUT_ROW = 416, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 12, .width = 12 * 32, .left = 0 * 32, .right = 1 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_border_f32(&around, 0, 1, 0, H, output);
    output += 0 * OUTPUT_ROW + 0 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p6_c4x4(&product, 2, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW, output);
}

/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 0 1 0 1 (t b l r), relu
 *   12x12x32 -> 6x6x32; 10,368 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu
 *   6x6x32 -> 6x6x64; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 6, W = 6, C = 32, N = 64, STRIDE = 2, ROWS = 6, INPUT_ROW = 416, OUTPUT_ROW = 528, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 6, .width = 6 * 64, .left = 1 * 64, .right = 1 * 64 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p6_c4x4(&product, 4, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW, output);
}

/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   6x6x64 -> 6x6x64; 20,736 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu
 *   6x6x64 -> 6x6x64; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 6, W = 6, C = 64, N = 64, STRIDE = 1, ROWS = 6, INPUT_ROW = 528, OUTPUT_ROW = 448, BETWEEN = 64
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 6, .width = 6 * 64, .left = 0 * 64, .right = 1 * 64};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_border_f32(&around, 0, 1, 0, H, output);
    output += 0 * OUTPUT_ROW + 0 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p6_c4x4(&product, 4, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW, output);
}

/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 0 1 0 1 (t b l r), relu
 *   6x6x64 -> 3x3x64; 5,184 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu
 *   3x3x64 -> 3x3x128; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 64, N = 128, STRIDE = 2, ROWS = 3, INPUT_ROW = 448, OUTPUT_ROW = 640, BETWEEN = 64
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW, output);
}

/* blocks.3.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.1.conv_pw: pointwise convolution, relu
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_1(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 128, N = 128, STRIDE = 1, ROWS = 3, INPUT_ROW = 640, OUTPUT_ROW = 640, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW, output);
}

/* blocks.3.2.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.2.conv_pw: pointwise convolution, relu
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_2(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 128, N = 128, STRIDE = 1, ROWS = 3, INPUT_ROW = 640, OUTPUT_ROW = 640, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_2_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW, output);
}

/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_3(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 128, N = 128, STRIDE = 1, ROWS = 3, INPUT_ROW = 640, OUTPUT_ROW = 640, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_3_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW, output);
}

/* blocks.3.4.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.4.conv_pw: pointwise convolution, relu
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_4(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 128, N = 128, STRIDE = 1, ROWS = 3, INPUT_ROW = 640, OUTPUT_ROW = 640, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_4_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW, output);
}

/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p3_c4x4 */
static void dwl_blocks_3_5(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 128, N = 128, STRIDE = 1, ROWS = 3, INPUT_ROW = 640, OUTPUT_ROW = 640, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_5_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p3_c4x4(&product, 8, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW, output);
}

/* blocks.4.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu
 *   3x3x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.4.0.conv_pw: pointwise convolution, relu
 *   2x2x128 -> 2x2x256; 131,072 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p2_c4x4 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 256, STRIDE = 2, ROWS = 2, INPUT_ROW = 640, OUTPUT_ROW = 1040, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 256, .left = 1 * 256, .right = 1 * 256 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p2_c4x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW, output);
}

/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   2x2x256 -> 2x2x256; 9,216 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu
 *   2x2x256 -> 2x2x256; 262,144 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p2_c4x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 256, N = 256, STRIDE = 1, ROWS = 2, INPUT_ROW = 1040, OUTPUT_ROW = 512, BETWEEN = 256
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_1);
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p2_c4x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, output);
}

/* global_pool: mean of each channel
 *   2x2x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_f32_c4 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_f32_c4(dwl_at(arena, DWL_AT_BLOCKS_4_1), 2, 2, 256, 0, 256,
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
    "  \"resolution\": 45,\012"
    "  \"classes\": 3,\012"
    "  \"channels\": 1,\012"
    "  \"padding\": \"same\",\012"
    "  \"bn_epsilon\": 1e-05,\012"
    "  \"activation\": \"relu\",\012"
    "  \"convolution\": \"separable\",\012"
    "  \"shallow\": false,\012"
    "  \"unit_strides\": []\012"
    " },\012"
    " \"preprocessing\": {\012"
    "  \"resize\": 51,\012"
    "  \"crop\": 45,\012"
    "  \"mean\": [\012"
    "   128.0\012"
    "  ],\012"
    "  \"scale\": [\012"
    "   0.015625\012"
    "  ]\012"
    " },\012"
    " \"cost\": {\012"
    "  \"multiply_adds\": 1955408,\012"
    "  \"weight_bytes\": 845120,\012"
    "  \"arena_bytes\": 83520\012"
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
