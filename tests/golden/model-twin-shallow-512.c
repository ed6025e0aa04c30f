/* model.c: MobileNet V1 of width 0.25 in float32, 40x40x3 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 0
#define DWL_BF16 0

enum {
    DWL_HEIGHT = 40,
    DWL_WIDTH = 40,
    DWL_CHANNELS = 3,
    DWL_LABELS = 3,
    DWL_FEATURES = 256,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 3
#define DWK_RESIZE 46
#define DWK_CROP 40

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 56588 */
    DWL_AT_PIXELS = 56640, /* 4800 */
    DWL_AT_CONV_STEM = 28224, /* 15488 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 4428 */
    DWL_AT_BLOCKS_0_0 = 0, /* 28224 */
    DWL_AT_BLOCKS_1_0 = 28224, /* 18432 */
    DWL_AT_BLOCKS_1_1 = 0, /* 15488 */
    DWL_AT_BLOCKS_2_0 = 15488, /* 12544 */
    DWL_AT_BLOCKS_2_1 = 0, /* 12544 */
    DWL_AT_BLOCKS_3_0 = 16640, /* 12800 */
    DWL_AT_BLOCKS_4_0 = 0, /* 16640 */
    DWL_AT_BLOCKS_4_1 = 16640, /* 4096 */
    DWL_AT_GLOBAL_POOL = 0, /* 1024 */
    DWL_AT_CLASSIFIER = 1024, /* 32 */
    DWL_AT_PROBABILITIES = 1088, /* 12 */
    DWL_ARENA_BYTES = 61440
};

/* Where each part of dwl_weights begins, in words. */
enum {
    DWL_WEIGHTS_EDGE = 0,
    DWL_WEIGHTS_CONV_STEM = 48,
    DWL_WEIGHTS_BLOCKS_0_0_CONV = 272,
    DWL_WEIGHTS_BLOCKS_1_0_CONV = 1440,
    DWL_WEIGHTS_BLOCKS_1_1_CONV = 6080,
    DWL_WEIGHTS_BLOCKS_2_0_CONV = 15328,
    DWL_WEIGHTS_BLOCKS_2_1_CONV = 33824,
    DWL_WEIGHTS_BLOCKS_3_0_CONV = 70752,
    DWL_WEIGHTS_BLOCKS_4_0_CONV = 144608,
    DWL_WEIGHTS_BLOCKS_4_1_CONV = 439776,
    DWL_WEIGHTS_CLASSIFIER = 1029856,
    DWL_WEIGHTS_GOLDEN = 1031920,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_f32.h"

/* dwk_product_f32_relu6_p10_c1x8 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 10
#define DWK_REST 0
#define DWK_VECTORS 1
#define DWK_LANES 8
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p10_c1x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 10
#define DWK_REST 0
#define DWK_VECTORS 1
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p10_c2x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 10
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p5_c4x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 5
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p3_c4x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 3
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_product_f32_relu6_p2_c4x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 2
#define DWK_REST 0
#define DWK_VECTORS 4
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_pool_f32_c16 */
#define DWK_LANES 16
#include "dwk_pool_f32.h"

/* dwk_classifier_f32_c1x8 */
#define DWK_VECTORS 1
#define DWK_LANES 8
#include "dwk_classifier_f32.h"

/* The most threads that a call may run on. */
#define DWL_THREADS 1

/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */
extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));
#define dwl_constants ((const dwk_float *)dwl_weights)

#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   40x40x3 -> 20x20x8; 86,400 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_f32_relu6_p10_c1x8 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 20, W = 20, C = 3, N = 8, STRIDE = 2, ROWS = 4, INPUT_ROW = 123, OUTPUT_ROW = 176
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image image = {.height = 40, .width = 40 * 3, .left = 1 * 3, .right = 0 * 3};
    static const dwk_image around = {.height = 20, .width = 20 * 8, .left = 1 * 8, .right = 1 * 8};
    dwk_float *between = dwl_at(arena, DWL_AT_CONV_STEM_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        dwk_pixels_u8f32(&image, y * STRIDE - 1, (ROWS - 1) * STRIDE + 3, pixels,
            dwl_constants + DWL_WEIGHTS_EDGE, between);
        dwk_product_f32_relu6_p10_c1x8(&product, 1, ROWS, between,
            dwl_constants + DWL_WEIGHTS_CONV_STEM, output + y * OUTPUT_ROW);
    }
}

/* blocks.0.0.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   20x20x8 -> 20x20x16; 460,800 multiply-adds
 * 2 rows at a time
 * kernels dwk_product_f32_relu6_p10_c1x16 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 20, W = 20, C = 8, N = 16, STRIDE = 1, ROWS = 2, INPUT_ROW = 176, OUTPUT_ROW = 336
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 20, .width = 20 * 16, .left = 1 * 16, .right = 0 * 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_CONV_STEM);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    for (int32_t y = 0; y < H; y += ROWS) {
        dwk_product_f32_relu6_p10_c1x16(&product, 1, ROWS, input + y * (STRIDE * INPUT_ROW),
            dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV, output + y * OUTPUT_ROW);
    }
}

/* blocks.1.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   20x20x16 -> 10x10x32; 460,800 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p10_c2x16 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 10, W = 10, C = 16, N = 32, STRIDE = 2, ROWS = 10, INPUT_ROW = 336, OUTPUT_ROW = 384
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 10, .width = 10 * 32, .left = 1 * 32, .right = 1 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p10_c2x16(&product, 1, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV, output);
}

/* blocks.1.1.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   10x10x32 -> 10x10x32; 921,600 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p10_c2x16 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 10, W = 10, C = 32, N = 32, STRIDE = 1, ROWS = 10, INPUT_ROW = 384, OUTPUT_ROW = 352
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 10, .width = 10 * 32, .left = 1 * 32, .right = 0 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_border_f32(&around, 1, 0, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p10_c2x16(&product, 1, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV, output);
}

/* blocks.2.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   10x10x32 -> 5x5x64; 460,800 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p5_c4x16 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 32, N = 64, STRIDE = 2, ROWS = 5, INPUT_ROW = 352, OUTPUT_ROW = 448
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 64, .left = 1 * 64, .right = 1 * 64};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_1);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p5_c4x16(&product, 1, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV, output);
}

/* blocks.2.1.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x64 -> 5x5x64; 921,600 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p5_c4x16 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 5, W = 5, C = 64, N = 64, STRIDE = 1, ROWS = 5, INPUT_ROW = 448, OUTPUT_ROW = 448
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 5, .width = 5 * 64, .left = 1 * 64, .right = 1 * 64};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p5_c4x16(&product, 1, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV, output);
}

/* blocks.3.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   5x5x64 -> 3x3x128; 663,552 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p3_c4x16 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 3, W = 3, C = 64, N = 128, STRIDE = 2, ROWS = 3, INPUT_ROW = 448, OUTPUT_ROW = 640
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 3, .width = 3 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p3_c4x16(&product, 2, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV, output);
}

/* blocks.4.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 2x2x256; 1,179,648 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p2_c4x16 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 128, N = 256, STRIDE = 2, ROWS = 2, INPUT_ROW = 640, OUTPUT_ROW = 1040
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    static const dwk_image around = {.height = 2, .width = 2 * 256, .left = 1 * 256, .right = 1 * 256 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p2_c4x16(&product, 4, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV, output);
}

/* blocks.4.1.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x256 -> 2x2x256; 2,359,296 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p2_c4x16 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2, W = 2, C = 256, N = 256, STRIDE = 1, ROWS = 2, INPUT_ROW = 1040, OUTPUT_ROW = 512
    };
    static const dwk_product product = {
        .taps = 3, .depth = 3 * C, .tap = INPUT_ROW, .step = STRIDE * C, .row = STRIDE * INPUT_ROW, .width = W,
        .output_step = N, .output_row = OUTPUT_ROW
    };
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_1);
    dwk_product_f32_relu6_p2_c4x16(&product, 4, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV, output);
}

/* global_pool: mean of each channel
 *   2x2x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_f32_c16 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_f32_c16(dwl_at(arena, DWL_AT_BLOCKS_4_1), 2, 2, 256, 0, 256,
        dwl_at(arena, DWL_AT_GLOBAL_POOL));
}

/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * kernels dwk_classifier_f32_c1x8 */
static void dwl_classifier(uint8_t *arena)
{
    dwk_classifier_f32_c1x8(dwl_at(arena, DWL_AT_GLOBAL_POOL), 256, 1,
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
    "  \"resolution\": 40,\012"
    "  \"classes\": 3,\012"
    "  \"channels\": 3,\012"
    "  \"padding\": \"symmetric\",\012"
    "  \"bn_epsilon\": 1e-05,\012"
    "  \"activation\": \"relu6\",\012"
    "  \"convolution\": \"standard\",\012"
    "  \"shallow\": true,\012"
    "  \"unit_strides\": []\012"
    " },\012"
    " \"preprocessing\": {\012"
    "  \"resize\": 46,\012"
    "  \"crop\": 40,\012"
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
    "  \"multiply_adds\": 7515264,\012"
    "  \"weight_bytes\": 4127680,\012"
    "  \"arena_bytes\": 61440\012"
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
