/* model.c: MobileNet V1 of width 0.35 in bf16, 33x33x3 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 0
#define DWL_BF16 1

enum {
    DWL_HEIGHT = 33,
    DWL_WIDTH = 33,
    DWL_CHANNELS = 3,
    DWL_LABELS = 3,
    DWL_FEATURES = 360,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 3
#define DWK_RESIZE 38
#define DWK_CROP 33

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 59044 */
    DWL_AT_PIXELS = 59072, /* 3267 */
    DWL_AT_CONV_STEM = 17344, /* 11552 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 1892 */
    DWL_AT_BLOCKS_0_0 = 0, /* 17328 */
    DWL_AT_BLOCKS_0_0_ROWS = 28928, /* 2176 */
    DWL_AT_BLOCKS_1_0 = 17344, /* 11616 */
    DWL_AT_BLOCKS_1_0_ROWS = 28992, /* 3888 */
    DWL_AT_BLOCKS_1_1 = 0, /* 11616 */
    DWL_AT_BLOCKS_1_1_ROWS = 28992, /* 7776 */
    DWL_AT_BLOCKS_2_0 = 11648, /* 8624 */
    DWL_AT_BLOCKS_2_0_ROWS = 20288, /* 2400 */
    DWL_AT_BLOCKS_2_1 = 20288, /* 8624 */
    DWL_AT_BLOCKS_2_1_ROWS = 0, /* 4400 */
    DWL_AT_BLOCKS_3_0 = 0, /* 8800 */
    DWL_AT_BLOCKS_3_0_ROWS = 8832, /* 1584 */
    DWL_AT_BLOCKS_3_1 = 8832, /* 8800 */
    DWL_AT_BLOCKS_3_1_ROWS = 17664, /* 3168 */
    DWL_AT_BLOCKS_3_2 = 0, /* 8800 */
    DWL_AT_BLOCKS_3_2_ROWS = 17664, /* 3168 */
    DWL_AT_BLOCKS_3_3 = 8832, /* 8800 */
    DWL_AT_BLOCKS_3_3_ROWS = 17664, /* 3168 */
    DWL_AT_BLOCKS_3_4 = 0, /* 8800 */
    DWL_AT_BLOCKS_3_4_ROWS = 17664, /* 3168 */
    DWL_AT_BLOCKS_3_5 = 11520, /* 8800 */
    DWL_AT_BLOCKS_3_5_ROWS = 20352, /* 3168 */
    DWL_AT_BLOCKS_4_0 = 0, /* 11520 */
    DWL_AT_BLOCKS_4_0_ROWS = 20352, /* 1408 */
    DWL_AT_BLOCKS_4_1 = 11520, /* 2880 */
    DWL_AT_BLOCKS_4_1_ROWS = 14400, /* 2880 */
    DWL_AT_GLOBAL_POOL = 0, /* 1440 */
    DWL_AT_CLASSIFIER = 1472, /* 32 */
    DWL_AT_PROBABILITIES = 1536, /* 12 */
    DWL_ARENA_BYTES = 62400
};

/* Where each part of dwl_weights begins, in words. */
enum {
    DWL_WEIGHTS_EDGE = 0,
    DWL_WEIGHTS_CONV_STEM = 48,
    DWL_WEIGHTS_CONV_STEM_ZEROS = 320,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_DW = 336,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_PW = 784,
    DWL_WEIGHTS_BLOCKS_0_0_CONV_PW_ZEROS = 1024,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_DW = 1040,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_PW = 1296,
    DWL_WEIGHTS_BLOCKS_1_0_CONV_PW_ZEROS = 1968,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_DW = 2000,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_PW = 2896,
    DWL_WEIGHTS_BLOCKS_1_1_CONV_PW_ZEROS = 4144,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_DW = 4176,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_PW = 4688,
    DWL_WEIGHTS_BLOCKS_2_0_CONV_PW_ZEROS = 7184,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_DW = 7232,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_PW = 8576,
    DWL_WEIGHTS_BLOCKS_2_1_CONV_PW_ZEROS = 12992,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_DW = 13040,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW = 13808,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW_ZEROS = 21904,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_DW = 22000,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW = 24688,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW_ZEROS = 40528,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_DW = 40624,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW = 43312,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW_ZEROS = 59152,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_DW = 59248,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW = 61936,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW_ZEROS = 77776,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_DW = 77872,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW = 80560,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW_ZEROS = 96400,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_DW = 96496,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW = 99184,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW_ZEROS = 115024,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_DW = 115120,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW = 116656,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW_ZEROS = 149776,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_DW = 149968,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_PW = 155344,
    DWL_WEIGHTS_CLASSIFIER = 222320,
    DWL_WEIGHTS_GOLDEN = 223776,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_bf16.h"
#include "dwk_avx512bf16.h"
#include "dwk_avx512bf16vl.h"

/* dwk_product_bf16_p6r5_c1x16__avx512bf16 */
#define DWK_PIXELS 6
#define DWK_REST 5
#define DWK_VECTORS 1
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_depthwise3x3s1_bf16_c32__avx512bf16 */
#define DWK_SET avx512bf16
#include "dwk_depthwise3x3s1_bf16_x86.h"

/* dwk_product_bf16_p5r2_c3x8__avx512bf16vl */
#define DWK_PIXELS 5
#define DWK_REST 2
#define DWK_VECTORS 3
#define DWK_SOME 0
#define DWK_SET avx512bf16vl
#include "dwk_product_bf16_x86.h"

/* dwk_depthwise3x3s2_bf16_c32__avx512bf16 */
#define DWK_SET avx512bf16
#include "dwk_depthwise3x3s2_bf16_x86.h"

/* dwk_product_bf16_p5r4_c3x16__avx512bf16 */
#define DWK_PIXELS 5
#define DWK_REST 4
#define DWK_VECTORS 3
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p5_c3x16__avx512bf16 */
#define DWK_PIXELS 5
#define DWK_REST 0
#define DWK_VECTORS 3
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p5_c3x16n40__avx512bf16 */
#define DWK_PIXELS 5
#define DWK_REST 0
#define DWK_VECTORS 3
#define DWK_SOME 40
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p3_c4x16__avx512bf16 */
#define DWK_PIXELS 3
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p3_c3x16__avx512bf16 */
#define DWK_PIXELS 3
#define DWK_REST 0
#define DWK_VECTORS 3
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p2_c4x16__avx512bf16 */
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_SOME 0
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_product_bf16_p2_c3x16n40__avx512bf16 */
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 3
#define DWK_SOME 40
#define DWK_SET avx512bf16
#include "dwk_product_bf16_x86.h"

/* dwk_pool_bf16f32_c8 */
#define DWK_LANES 8
#include "dwk_pool_bf16f32.h"

/* dwk_classifier_bf16_c1x8 */
#define DWK_VECTORS 1
#define DWK_LANES 8
#include "dwk_classifier_bf16.h"

/* The most threads that a call may run on. */
#define DWL_THREADS 1

/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */
extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));
#define dwl_constants ((const dwk_float *)dwl_weights)

#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))
#define dwl_at_bf16(arena, offset) ((dwk_bf16 *)(void *)((arena) + (offset)))

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   33x33x3 -> 17x17x16; 124,848 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_bf16_p6r5_c1x16__avx512bf16 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 17, W = 17, C = 3, N = 16, STRIDE = 2, ROWS = 4, INPUT_ROW = 105, OUTPUT_ROW = 304
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image image = {.height = 33, .width = 33 * 3, .left = 1 * 3, .right = 1 * 3};
    static const dwk_image around = {.height = 17, .width = 17 * 16, .left = 1 * 16, .right = 1 * 16};
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_CONV_STEM_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_CONV_STEM);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_CONV_STEM_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_pixels_u8bf16(&image, y * STRIDE - 1, (rows - 1) * STRIDE + 3, pixels,
            dwl_constants + DWL_WEIGHTS_EDGE, between);
        dwk_product_bf16_p6r5_c1x16__avx512bf16(&product, 1, rows, between,
            dwl_weights + DWL_WEIGHTS_CONV_STEM, output + y * OUTPUT_ROW);
    }
}

/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   17x17x16 -> 17x17x16; 41,616 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   17x17x16 -> 17x17x24; 110,976 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p5r2_c3x8__avx512bf16vl */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 17, W = 17, C = 16, N = 24, STRIDE = 1, ROWS = 4, INPUT_ROW = 304, OUTPUT_ROW = 456, BETWEEN = 16
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 17, .width = 17 * 24, .left = 1 * 24, .right = 1 * 24};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_CONV_STEM);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_0_0_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_0_0);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        int32_t rows = H - y < ROWS ? H - y : ROWS;
        dwk_depthwise3x3s1_bf16_c32__avx512bf16(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
            dwl_weights + DWL_WEIGHTS_BLOCKS_0_0_CONV_DW, between, BETWEEN);
        dwk_product_bf16_p5r2_c3x8__avx512bf16vl(&product, 1, rows, between,
            dwl_weights + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW, output + y * OUTPUT_ROW);
    }
}

/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   17x17x24 -> 9x9x24; 17,496 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   9x9x24 -> 9x9x48; 93,312 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p5r4_c3x16__avx512bf16 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 9, W = 9, C = 24, N = 48, STRIDE = 2, ROWS = 9, INPUT_ROW = 456, OUTPUT_ROW = 528, BETWEEN = 24
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 9, .width = 9 * 48, .left = 1 * 48, .right = 1 * 48};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_0_0);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_0_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_0);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_0_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p5r4_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW, output);
}

/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   9x9x48 -> 9x9x48; 34,992 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu6
 *   9x9x48 -> 9x9x48; 186,624 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p5r4_c3x16__avx512bf16 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 9, W = 9, C = 48, N = 48, STRIDE = 1, ROWS = 9, INPUT_ROW = 528, OUTPUT_ROW = 528, BETWEEN = 48
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 9, .width = 9 * 48, .left = 1 * 48, .right = 1 * 48};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_0);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_1_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_1);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_1_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p5r4_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW, output);
}

/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   9x9x48 -> 5x5x48; 10,800 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   5x5x48 -> 5x5x88; 105,600 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p5_c3x16__avx512bf16, dwk_product_bf16_p5_c3x16n40__avx512bf16 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 48, N = 88, STRIDE = 2, ROWS = 5, INPUT_ROW = 528, OUTPUT_ROW = 616, BETWEEN = 48
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 88, .left = 1 * 88, .right = 1 * 88};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_1_1);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_0_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_0);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p5_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW, output);
    dwk_product_bf16_p5_c3x16n40__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW + 48 * 26, output + 48);
}

/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x88 -> 5x5x88; 19,800 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu6
 *   5x5x88 -> 5x5x88; 193,600 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p5_c3x16__avx512bf16, dwk_product_bf16_p5_c3x16n40__avx512bf16 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 88, N = 88, STRIDE = 1, ROWS = 5, INPUT_ROW = 616, OUTPUT_ROW = 616, BETWEEN = 88
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 88, .left = 1 * 88, .right = 1 * 88};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_0);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_1_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_1);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p5_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW, output);
    dwk_product_bf16_p5_c3x16n40__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW + 48 * 46, output + 48);
}

/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   5x5x88 -> 3x3x88; 7,128 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   3x3x88 -> 3x3x176; 139,392 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 88, N = 176, STRIDE = 2, ROWS = 3, INPUT_ROW = 616, OUTPUT_ROW = 880, BETWEEN = 88
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_2_1);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_0_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_0);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW + 128 * 46, output + 128);
}

/* blocks.3.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 3x3x176; 14,256 multiply-adds
 * blocks.3.1.conv_pw: pointwise convolution, relu6
 *   3x3x176 -> 3x3x176; 278,784 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_1(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 176, N = 176, STRIDE = 1, ROWS = 3, INPUT_ROW = 880, OUTPUT_ROW = 880, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_0);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_1_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_1);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW + 128 * 90, output + 128);
}

/* blocks.3.2.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 3x3x176; 14,256 multiply-adds
 * blocks.3.2.conv_pw: pointwise convolution, relu6
 *   3x3x176 -> 3x3x176; 278,784 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_2(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 176, N = 176, STRIDE = 1, ROWS = 3, INPUT_ROW = 880, OUTPUT_ROW = 880, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_1);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_2_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_2);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW + 128 * 90, output + 128);
}

/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 3x3x176; 14,256 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu6
 *   3x3x176 -> 3x3x176; 278,784 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_3(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 176, N = 176, STRIDE = 1, ROWS = 3, INPUT_ROW = 880, OUTPUT_ROW = 880, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_2);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_3_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_3);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW + 128 * 90, output + 128);
}

/* blocks.3.4.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 3x3x176; 14,256 multiply-adds
 * blocks.3.4.conv_pw: pointwise convolution, relu6
 *   3x3x176 -> 3x3x176; 278,784 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_4(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 176, N = 176, STRIDE = 1, ROWS = 3, INPUT_ROW = 880, OUTPUT_ROW = 880, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_3);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_4_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_4);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW + 128 * 90, output + 128);
}

/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 3x3x176; 14,256 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu6
 *   3x3x176 -> 3x3x176; 278,784 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_5(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 176, N = 176, STRIDE = 1, ROWS = 3, INPUT_ROW = 880, OUTPUT_ROW = 880, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 176, .left = 1 * 176, .right = 1 * 176};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_4);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_5_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_5);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p3_c4x16__avx512bf16(&product, 2, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW, output);
    dwk_product_bf16_p3_c3x16__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW + 128 * 90, output + 128);
}

/* blocks.4.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   3x3x176 -> 2x2x176; 6,336 multiply-adds
 * blocks.4.0.conv_pw: pointwise convolution, relu6
 *   2x2x176 -> 2x2x360; 253,440 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p2_c4x16__avx512bf16, dwk_product_bf16_p2_c3x16n40__avx512bf16 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 176, N = 360, STRIDE = 2, ROWS = 2, INPUT_ROW = 880, OUTPUT_ROW = 1440, BETWEEN = 176
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 360, .left = 1 * 360, .right = 1 * 360};
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_3_5);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_4_0_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_4_0);
    dwk_border_bf16(&around, 1, 1, 0, H, (const dwk_bf16 *)(dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW_ZEROS), N, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_depthwise3x3s2_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p2_c4x16__avx512bf16(&product, 5, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW, output);
    dwk_product_bf16_p2_c3x16n40__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW + 320 * 90, output + 320);
}

/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x360 -> 2x2x360; 12,960 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   2x2x360 -> 2x2x360; 518,400 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p2_c4x16__avx512bf16, dwk_product_bf16_p2_c3x16n40__avx512bf16 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 360, N = 360, STRIDE = 1, ROWS = 2, INPUT_ROW = 1440, OUTPUT_ROW = 720, BETWEEN = 360
    };
    static const dwk_product product = {
        .taps = 1, .depth = C, .tap = 0, .step = BETWEEN, .row = W * BETWEEN, .width = W, .output_step = N,
        .output_row = OUTPUT_ROW
    };
    const dwk_bf16 *input = dwl_at_bf16(arena, DWL_AT_BLOCKS_4_0);
    dwk_bf16 *between = dwl_at_bf16(arena, DWL_AT_BLOCKS_4_1_ROWS);
    dwk_bf16 *output = dwl_at_bf16(arena, DWL_AT_BLOCKS_4_1);
    dwk_depthwise3x3s1_bf16_c32__avx512bf16(input, INPUT_ROW, H, W, C, 0, C,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    dwk_product_bf16_p2_c4x16__avx512bf16(&product, 5, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, output);
    dwk_product_bf16_p2_c3x16n40__avx512bf16(&product, 1, H, between,
        dwl_weights + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW + 320 * 182, output + 320);
}

/* global_pool: mean of each channel
 *   2x2x360 -> 1x1x360; 0 multiply-adds
 * kernels dwk_pool_bf16f32_c8 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_bf16f32_c8(dwl_at_bf16(arena, DWL_AT_BLOCKS_4_1), 2, 2, 360, 0, 360,
        dwl_at(arena, DWL_AT_GLOBAL_POOL));
}

/* classifier: classifier
 *   1x1x360 -> 1x1x3; 1,080 multiply-adds
 * kernels dwk_classifier_bf16_c1x8 */
static void dwl_classifier(uint8_t *arena)
{
    dwk_classifier_bf16_c1x8(dwl_at(arena, DWL_AT_GLOBAL_POOL), 360, 1,
        dwl_weights + DWL_WEIGHTS_CLASSIFIER, dwl_at(arena, DWL_AT_CLASSIFIER));
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
    " \"precision\": \"bf16\",\012"
    " \"target\": \"golden\",\012"
    " \"levels\": [\012"
    "  \"golden\"\012"
    " ],\012"
    " \"spec\": {\012"
    "  \"width\": 0.35,\012"
    "  \"resolution\": 33,\012"
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
    "  \"resize\": 38,\012"
    "  \"crop\": 33,\012"
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
    "  \"multiply_adds\": 3343600,\012"
    "  \"weight_bytes\": 895104,\012"
    "  \"arena_bytes\": 62400\012"
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
