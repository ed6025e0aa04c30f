/* model.c: MobileNet V1 of width 0.25 in int8, 33x33x1 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 1
#define DWL_BF16 0

enum {
    DWL_HEIGHT = 33,
    DWL_WIDTH = 33,
    DWL_CHANNELS = 1,
    DWL_LABELS = 3,
    DWL_FEATURES = 256,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 1
#define DWK_RESIZE 38
#define DWK_CROP 33

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 59044 */
    DWL_AT_PIXELS = 59072, /* 1089 */
    DWL_AT_CONV_STEM = 5824, /* 2888 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 315 */
    DWL_AT_BLOCKS_0_0 = 0, /* 5776 */
    DWL_AT_BLOCKS_0_0_ROWS = 8768, /* 544 */
    DWL_AT_BLOCKS_1_0 = 5824, /* 3872 */
    DWL_AT_BLOCKS_1_0_ROWS = 9728, /* 1296 */
    DWL_AT_BLOCKS_1_1 = 0, /* 3872 */
    DWL_AT_BLOCKS_1_1_ROWS = 9728, /* 2592 */
    DWL_AT_BLOCKS_2_0 = 3904, /* 3136 */
    DWL_AT_BLOCKS_2_0_ROWS = 7040, /* 800 */
    DWL_AT_BLOCKS_2_1 = 7040, /* 3136 */
    DWL_AT_BLOCKS_2_1_ROWS = 0, /* 1600 */
    DWL_AT_BLOCKS_3_0 = 0, /* 3200 */
    DWL_AT_BLOCKS_3_0_ROWS = 3200, /* 576 */
    DWL_AT_BLOCKS_3_1 = 3200, /* 3200 */
    DWL_AT_BLOCKS_3_1_ROWS = 6400, /* 1152 */
    DWL_AT_BLOCKS_3_2 = 0, /* 3200 */
    DWL_AT_BLOCKS_3_2_ROWS = 6400, /* 1152 */
    DWL_AT_BLOCKS_3_3 = 3200, /* 3200 */
    DWL_AT_BLOCKS_3_3_ROWS = 6400, /* 1152 */
    DWL_AT_BLOCKS_3_4 = 0, /* 3200 */
    DWL_AT_BLOCKS_3_4_ROWS = 6400, /* 1152 */
    DWL_AT_BLOCKS_3_5 = 4096, /* 3200 */
    DWL_AT_BLOCKS_3_5_ROWS = 7296, /* 1152 */
    DWL_AT_BLOCKS_4_0 = 0, /* 4096 */
    DWL_AT_BLOCKS_4_0_ROWS = 7296, /* 512 */
    DWL_AT_BLOCKS_4_1 = 4096, /* 1024 */
    DWL_AT_BLOCKS_4_1_ROWS = 5120, /* 1024 */
    DWL_AT_GLOBAL_POOL = 0, /* 256 */
    DWL_AT_CLASSIFIER = 256, /* 16 */
    DWL_AT_PROBABILITIES = 320, /* 12 */
    DWL_ARENA_BYTES = 60224
};

/* Where each part of dwl_weights begins, in words. */
enum {
    DWL_WEIGHTS_EDGE = 0,
    DWL_WEIGHTS_CONV_STEM = 16,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_DW = 64,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_PW = 112,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_DW = 176,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_PW = 256,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_DW = 448,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_PW = 592,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_DW = 912,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_PW = 1056,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_DW = 1696,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_PW = 1968,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_DW = 3120,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW = 3392,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_DW = 5696,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW = 6240,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_DW = 10592,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW = 11136,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_DW = 15488,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW = 16032,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_DW = 20384,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW = 20928,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_DW = 25280,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW = 25824,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_DW = 30176,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW = 30720,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_DW = 39424,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_PW = 40512,
    DWL_WEIGHTS_GLOBAL_POOL = 57408,
    DWL_WEIGHTS_CLASSIFIER = 57920,
    DWL_WEIGHTS_FEATURES = 58192,
    DWL_WEIGHTS_GOLDEN = 58448,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_u8.h"

/* dwk_product_i8_p4r1_c2x4 */
#define DWK_PIXELS 4
#define DWK_REST 1
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_i8.h"

/* dwk_depthwise3x3s1_i8_c4 */
#define DWK_LANES 4
#include "dwk_depthwise3x3s1_i8.h"

/* dwk_depthwise3x3s2_i8_c4 */
#define DWK_LANES 4
#include "dwk_depthwise3x3s2_i8.h"

/* dwk_product_i8_p5r4_c2x4 */
#define DWK_PIXELS 5
#define DWK_REST 4
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_i8.h"

/* dwk_product_i8_p5_c2x4 */
#define DWK_PIXELS 5
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_i8.h"

/* dwk_product_i8_p3_c2x4 */
#define DWK_PIXELS 3
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_i8.h"

/* dwk_product_i8_p2_c2x4 */
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 4
#include "dwk_product_i8.h"

/* dwk_pool_i8_c4 */
#define DWK_LANES 4
#include "dwk_pool_i8.h"

/* dwk_classifier_i8_bytes_c1x4 */
#define DWK_LOGITS bytes
#define DWK_VECTORS 1
#define DWK_LANES 4
#include "dwk_classifier_i8.h"

/* The most threads that a call may run on. */
#define DWL_THREADS 1

/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */
extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));
#define dwl_constants ((const dwk_float *)dwl_weights)

#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   33x33x1 -> 17x17x8; 20,808 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_i8_p4r1_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 17, W = 17, C = 1, N = 8, STRIDE = 2, ROWS = 4, INPUT_ROW = 35, OUTPUT_ROW = 152
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image image = {.height = 33, .width = 33 * 1, .left = 1 * 1, .right = 1 * 1};
    static const dwk_image around = {.height = 17, .width = 17 * 8, .left = 1 * 8, .right = 1 * 8};
    static const dwk_rounding rounding = {.low = -197, .high = 23, .zero_point = 217};
    uint8_t *between = arena + DWL_AT_CONV_STEM_ROWS;
    uint8_t *output = arena + DWL_AT_CONV_STEM;
    dwk_border_u8(&around, 1, 1, 0, H, 217, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_pixels_u8(&image, y * STRIDE - 1, (rows - 1) * STRIDE + 3, pixels,
            (const uint8_t *)(dwl_weights + DWL_WEIGHTS_EDGE), between);
        dwk_product_i8_p4r1_c2x4(&product, 1, rows, between,
            dwl_weights + DWL_WEIGHTS_CONV_STEM, &rounding, output + y * OUTPUT_ROW);
    }
}

/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   17x17x8 -> 17x17x8; 20,808 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   17x17x8 -> 17x17x16; 36,992 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p4r1_c2x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 17, W = 17, C = 8, N = 16, STRIDE = 1, ROWS = 4, INPUT_ROW = 152, OUTPUT_ROW = 304, BETWEEN = 8
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 17, .width = 17 * 16, .left = 1 * 16, .right = 1 * 16};
    static const dwk_rounding middle = {.low = -197, .high = -1, .zero_point = 227};
    static const dwk_rounding rounding = {.low = -19, .high = 212, .zero_point = 36};
    const uint8_t *input = arena + DWL_AT_CONV_STEM;
    uint8_t *between = arena + DWL_AT_BLOCKS_0_0_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_0_0;
    dwk_border_u8(&around, 1, 1, 0, H, 36, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_depthwise3x3s1_i8_c4(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
            dwl_weights + DWL_WEIGHTS_BLOCKS_0_0_CONV_DW, &middle, between, BETWEEN);
        dwk_product_i8_p4r1_c2x4(&product, 2, rows, between,
            dwl_weights + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW, &rounding, output + y * OUTPUT_ROW);
    }
}

/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   17x17x16 -> 9x9x16; 11,664 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   9x9x16 -> 9x9x32; 41,472 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p5r4_c2x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 9, W = 9, C = 16, N = 32, STRIDE = 2, ROWS = 9, INPUT_ROW = 304, OUTPUT_ROW = 352, BETWEEN = 16
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 9, .width = 9 * 32, .left = 1 * 32, .right = 1 * 32};
    static const dwk_rounding middle = {.low = -131, .high = 108, .zero_point = 147};
    static const dwk_rounding rounding = {.low = -189, .high = 18, .zero_point = 215};
    const uint8_t *input = arena + DWL_AT_BLOCKS_0_0;
    uint8_t *between = arena + DWL_AT_BLOCKS_1_0_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_1_0;
    dwk_border_u8(&around, 1, 1, 0, H, 215, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_0_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p5r4_c2x4(&product, 4, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW, &rounding, output);
}

/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   9x9x32 -> 9x9x32; 23,328 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu6
 *   9x9x32 -> 9x9x32; 82,944 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p5r4_c2x4 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 9, W = 9, C = 32, N = 32, STRIDE = 1, ROWS = 9, INPUT_ROW = 352, OUTPUT_ROW = 352, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 9, .width = 9 * 32, .left = 1 * 32, .right = 1 * 32};
    static const dwk_rounding middle = {.low = -88, .high = 158, .zero_point = 96};
    static const dwk_rounding rounding = {.low = 20, .high = 253, .zero_point = 1};
    const uint8_t *input = arena + DWL_AT_BLOCKS_1_0;
    uint8_t *between = arena + DWL_AT_BLOCKS_1_1_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_1_1;
    dwk_border_u8(&around, 1, 1, 0, H, 1, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_1_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p5r4_c2x4(&product, 4, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW, &rounding, output);
}

/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   9x9x32 -> 5x5x32; 7,200 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   5x5x32 -> 5x5x64; 51,200 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p5_c2x4 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 32, N = 64, STRIDE = 2, ROWS = 5, INPUT_ROW = 352, OUTPUT_ROW = 448, BETWEEN = 32
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 64, .left = 1 * 64, .right = 1 * 64};
    static const dwk_rounding middle = {.low = 18, .high = 240, .zero_point = 12};
    static const dwk_rounding rounding = {.low = -192, .high = 30, .zero_point = 194};
    const uint8_t *input = arena + DWL_AT_BLOCKS_1_1;
    uint8_t *between = arena + DWL_AT_BLOCKS_2_0_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_2_0;
    dwk_border_u8(&around, 1, 1, 0, H, 194, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p5_c2x4(&product, 8, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW, &rounding, output);
}

/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x64 -> 5x5x64; 14,400 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu6
 *   5x5x64 -> 5x5x64; 102,400 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p5_c2x4 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 64, N = 64, STRIDE = 1, ROWS = 5, INPUT_ROW = 448, OUTPUT_ROW = 448, BETWEEN = 64
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 64, .left = 1 * 64, .right = 1 * 64};
    static const dwk_rounding middle = {.low = -96, .high = 110, .zero_point = 120};
    static const dwk_rounding rounding = {.low = -199, .high = 35, .zero_point = 208};
    const uint8_t *input = arena + DWL_AT_BLOCKS_2_0;
    uint8_t *between = arena + DWL_AT_BLOCKS_2_1_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_2_1;
    dwk_border_u8(&around, 1, 1, 0, H, 208, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p5_c2x4(&product, 8, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW, &rounding, output);
}

/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   5x5x64 -> 3x3x64; 5,184 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   3x3x64 -> 3x3x128; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -76, .high = 159, .zero_point = 79};
    static const dwk_rounding rounding = {.low = -77, .high = 161, .zero_point = 94};
    const uint8_t *input = arena + DWL_AT_BLOCKS_2_1;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_0_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_0;
    dwk_border_u8(&around, 1, 1, 0, H, 94, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW, &rounding, output);
}

/* blocks.3.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.1.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -148, .high = 52, .zero_point = 174};
    static const dwk_rounding rounding = {.low = -10, .high = 214, .zero_point = 38};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_0;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_1_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_1;
    dwk_border_u8(&around, 1, 1, 0, H, 38, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW, &rounding, output);
}

/* blocks.3.2.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.2.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -162, .high = 54, .zero_point = 186};
    static const dwk_rounding rounding = {.low = -218, .high = 20, .zero_point = 224};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_1;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_2_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_2;
    dwk_border_u8(&around, 1, 1, 0, H, 224, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW, &rounding, output);
}

/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -91, .high = 164, .zero_point = 91};
    static const dwk_rounding rounding = {.low = 1, .high = 203, .zero_point = 21};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_2;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_3_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_3;
    dwk_border_u8(&around, 1, 1, 0, H, 21, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW, &rounding, output);
}

/* blocks.3.4.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.4.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -143, .high = 57, .zero_point = 168};
    static const dwk_rounding rounding = {.low = -215, .high = 16, .zero_point = 225};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_3;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_4_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_4;
    dwk_border_u8(&around, 1, 1, 0, H, 225, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW, &rounding, output);
}

/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
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
    static const dwk_rounding middle = {.low = -221, .high = -1, .zero_point = 237};
    static const dwk_rounding rounding = {.low = -173, .high = 78, .zero_point = 175};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_4;
    uint8_t *between = arena + DWL_AT_BLOCKS_3_5_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_3_5;
    dwk_border_u8(&around, 1, 1, 0, H, 175, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p3_c2x4(&product, 16, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW, &rounding, output);
}

/* blocks.4.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 2x2x128; 4,608 multiply-adds
 * blocks.4.0.conv_pw: pointwise convolution, relu6
 *   2x2x128 -> 2x2x256; 131,072 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p2_c2x4 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 256, STRIDE = 2, ROWS = 2, INPUT_ROW = 640, OUTPUT_ROW = 1024, BETWEEN = 128
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 256, .left = 1 * 256, .right = 1 * 256};
    static const dwk_rounding middle = {.low = -20, .high = 176, .zero_point = 51};
    static const dwk_rounding rounding = {.low = -78, .high = 174, .zero_point = 80};
    const uint8_t *input = arena + DWL_AT_BLOCKS_3_5;
    uint8_t *between = arena + DWL_AT_BLOCKS_4_0_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_4_0;
    dwk_border_u8(&around, 1, 1, 0, H, 80, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p2_c2x4(&product, 32, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW, &rounding, output);
}

/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x256 -> 2x2x256; 9,216 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   2x2x256 -> 2x2x256; 262,144 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p2_c2x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 256, N = 256, STRIDE = 1, ROWS = 2, INPUT_ROW = 1024, OUTPUT_ROW = 512, BETWEEN = 256
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_rounding middle = {.low = -6, .high = 194, .zero_point = 31};
    static const dwk_rounding rounding = {.low = 0, .high = 233, .zero_point = 4};
    const uint8_t *input = arena + DWL_AT_BLOCKS_4_0;
    uint8_t *between = arena + DWL_AT_BLOCKS_4_1_ROWS;
    uint8_t *output = arena + DWL_AT_BLOCKS_4_1;
    dwk_depthwise3x3s1_i8_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, &middle, between, BETWEEN);
    dwk_product_i8_p2_c2x4(&product, 32, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, &rounding, output);
}

/* global_pool: mean of each channel
 *   2x2x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_i8_c4 */
static void dwl_global_pool(uint8_t *arena)
{
    static const dwk_rounding rounding = {.low = -152, .high = 59, .zero_point = 173};
    dwk_pool_i8_c4(arena + DWL_AT_BLOCKS_4_1, 2, 2, 256, 0, 256,
        dwl_weights + DWL_WEIGHTS_GLOBAL_POOL, &rounding, arena + DWL_AT_GLOBAL_POOL);
}

/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * kernels dwk_classifier_i8_bytes_c1x4 */
static void dwl_classifier(uint8_t *arena)
{
    static const dwk_rounding rounding = {.low = -214, .high = -1, .zero_point = 234};
    dwk_classifier_i8_bytes_c1x4(arena + DWL_AT_GLOBAL_POOL, 256, 1,
        dwl_weights + DWL_WEIGHTS_CLASSIFIER, &rounding, dwl_at(arena, DWL_AT_CLASSIFIER));
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
        features[i] = (float)(arena[DWL_AT_GLOBAL_POOL + i] - 173) * dwl_constants[DWL_WEIGHTS_FEATURES + i];
    }
}

#include "dwk_as_level.h"

static const dwk_level dwl_level = DWK_LEVEL("golden");
static const dwk_level *const dwl_levels[] = {&dwl_level};

static const char dwl_record[] =
    "{\012"
    " \"schema\": 1,\012"
    " \"depthwise\": \"0.1.0\",\012"
    " \"precision\": \"int8\",\012"
    " \"target\": \"golden\",\012"
    " \"levels\": [\012"
    "  \"golden\"\012"
    " ],\012"
    " \"spec\": {\012"
    "  \"width\": 0.25,\012"
    "  \"resolution\": 33,\012"
    "  \"classes\": 3,\012"
    "  \"channels\": 1,\012"
    "  \"padding\": \"symmetric\",\012"
    "  \"bn_epsilon\": 1e-05,\012"
    "  \"activation\": \"relu6\",\012"
    "  \"convolution\": \"separable\",\012"
    "  \"shallow\": false,\012"
    "  \"unit_strides\": []\012"
    " },\012"
    " \"preprocessing\": {\012"
    "  \"resize\": 38,\012"
    "  \"crop\": 33,\012"
    "  \"mean\": [\012"
    "   128.0\012"
    "  ],\012"
    "  \"scale\": [\012"
    "   0.015625\012"
    "  ]\012"
    " },\012"
    " \"cost\": {\012"
    "  \"multiply_adds\": 1689056,\012"
    "  \"weight_bytes\": 233792,\012"
    "  \"arena_bytes\": 60224\012"
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
