/* model.c: MobileNet V1 of width 0.25 in float32, 65x65x3 pixels to 3 labels.
 * Written by depthwise 0.1.0 for target golden; how to call it stands in depthwise.h.
 *
 * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values
 * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its
 * input and output; a row is the distance from one row to the next, in values. */

/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */
#define DWL_INT8 0
#define DWL_BF16 0

enum {
    DWL_HEIGHT = 65,
    DWL_WIDTH = 65,
    DWL_CHANNELS = 3,
    DWL_LABELS = 3,
    DWL_FEATURES = 256,
};

/* Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP. */
#define DWK_CHANNELS 3
#define DWK_RESIZE 74
#define DWK_CROP 65

/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */
enum {
    DWL_AT_PREPARE = 0, /* 63672 */
    DWL_AT_PIXELS = 63680, /* 12675 */
    DWL_AT_CONV_STEM = 78400, /* 39200 */
    DWL_AT_CONV_STEM_ROWS = 0, /* 29184 */
    DWL_AT_BLOCKS_0_0 = 0, /* 78400 */
    DWL_AT_BLOCKS_0_0_ROWS = 117632, /* 8448 */
    DWL_AT_BLOCKS_1_0 = 78400, /* 46208 */
    DWL_AT_BLOCKS_1_0_ROWS = 124608, /* 17408 */
    DWL_AT_BLOCKS_1_1 = 0, /* 46208 */
    DWL_AT_BLOCKS_1_1_ROWS = 124608, /* 34816 */
    DWL_AT_BLOCKS_2_0 = 46208, /* 30976 */
    DWL_AT_BLOCKS_2_0_ROWS = 77184, /* 10368 */
    DWL_AT_BLOCKS_2_1 = 77184, /* 30976 */
    DWL_AT_BLOCKS_2_1_ROWS = 0, /* 41472 */
    DWL_AT_BLOCKS_3_0 = 25600, /* 25088 */
    DWL_AT_BLOCKS_3_0_ROWS = 0, /* 12800 */
    DWL_AT_BLOCKS_3_1 = 50688, /* 25088 */
    DWL_AT_BLOCKS_3_1_ROWS = 0, /* 25600 */
    DWL_AT_BLOCKS_3_2 = 25600, /* 25088 */
    DWL_AT_BLOCKS_3_2_ROWS = 0, /* 25600 */
    DWL_AT_BLOCKS_3_3 = 50688, /* 25088 */
    DWL_AT_BLOCKS_3_3_ROWS = 0, /* 25600 */
    DWL_AT_BLOCKS_3_4 = 25600, /* 25088 */
    DWL_AT_BLOCKS_3_4_ROWS = 0, /* 25600 */
    DWL_AT_BLOCKS_3_5 = 50688, /* 25088 */
    DWL_AT_BLOCKS_3_5_ROWS = 0, /* 25600 */
    DWL_AT_BLOCKS_4_0 = 0, /* 25600 */
    DWL_AT_BLOCKS_4_0_ROWS = 25600, /* 4608 */
    DWL_AT_BLOCKS_4_1 = 25600, /* 9216 */
    DWL_AT_BLOCKS_4_1_ROWS = 34816, /* 9216 */
    DWL_AT_GLOBAL_POOL = 0, /* 1024 */
    DWL_AT_CLASSIFIER = 1024, /* 32 */
    DWL_AT_PROBABILITIES = 1088, /* 12 */
    DWL_ARENA_BYTES = 159424
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
    DWL_WEIGHTS_BLOCKS_3_0_CONV_DW = 12880,
    DWL_WEIGHTS_BLOCKS_3_0_CONV_PW = 13520,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_DW = 27984,
    DWL_WEIGHTS_BLOCKS_3_1_CONV_PW = 29264,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_DW = 58064,
    DWL_WEIGHTS_BLOCKS_3_2_CONV_PW = 59344,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_DW = 88144,
    DWL_WEIGHTS_BLOCKS_3_3_CONV_PW = 89424,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_DW = 118224,
    DWL_WEIGHTS_BLOCKS_3_4_CONV_PW = 119504,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_DW = 148304,
    DWL_WEIGHTS_BLOCKS_3_5_CONV_PW = 149584,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_DW = 178384,
    DWL_WEIGHTS_BLOCKS_4_0_CONV_PW = 179664,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_DW = 212688,
    DWL_WEIGHTS_BLOCKS_4_1_CONV_PW = 215248,
    DWL_WEIGHTS_CLASSIFIER = 281040,
    DWL_WEIGHTS_GOLDEN = 283104,
};

/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */
#include "dwk_image_f32.h"

/* dwk_product_f32_relu6_p11_c1x8 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 11
#define DWK_REST 0
#define DWK_VECTORS 1
#define DWK_LANES 8
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s1_f32_relu6_c8 */
#define DWK_ACTIVATION relu6
#define DWK_LANES 8
#include "dwk_depthwise3x3s1_f32.h"

/* dwk_product_f32_relu6_p11_c1x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 11
#define DWK_REST 0
#define DWK_VECTORS 1
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s2_f32_relu6_c16 */
#define DWK_ACTIVATION relu6
#define DWK_LANES 16
#include "dwk_depthwise3x3s2_f32.h"

/* dwk_product_f32_relu6_p6r5_c2x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 6
#define DWK_REST 5
#define DWK_VECTORS 2
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_depthwise3x3s1_f32_relu6_c16 */
#define DWK_ACTIVATION relu6
#define DWK_LANES 16
#include "dwk_depthwise3x3s1_f32.h"

/* dwk_product_f32_relu6_p5r4_c4x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 5
#define DWK_REST 4
#define DWK_VECTORS 4
#define DWK_LANES 16
#include "dwk_product_f32.h"

/* dwk_strassen_f32_relu6_p9_c2x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 9
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 16
#include "dwk_strassen_f32.h"

/* dwk_strassen_f32_relu6_p5_c2x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 5
#define DWK_REST 0
#define DWK_VECTORS 2
#define DWK_LANES 16
#include "dwk_strassen_f32.h"

/* dwk_product_f32_relu6_p3_c4x16 */
#define DWK_ACTIVATION relu6
#define DWK_PIXELS 3
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
#define DWL_THREADS 4
#include "dwk_threads.h"

/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */
extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));
#define dwl_constants ((const dwk_float *)dwl_weights)

#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))

/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   65x65x3 -> 33x33x8; 235,224 multiply-adds
 * 4 rows at a time
 * threads share blocks of rows
 * kernels dwk_product_f32_relu6_p11_c1x8 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 33,
        W = 33,
        C = 3,
        N = 8,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 201,
        OUTPUT_ROW = 280,
        SCRATCH = 1824,
    };
    static const dwk_product product = {
        .taps = 3,
        .depth = 3 * C,
        .tap = INPUT_ROW,
        .step = STRIDE * C,
        .row = STRIDE * INPUT_ROW,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image image = {.height = 65, .width = 65 * 3, .left = 1 * 3, .right = 1 * 3};
    static const dwk_image around = {.height = 33, .width = 33 * 8, .left = 1 * 8, .right = 1 * 8};
    while (dwk_takes(worker)) {
        dwk_float *between = dwl_at(arena, DWL_AT_CONV_STEM_ROWS) + worker->index * SCRATCH;
        dwk_float *output = dwl_at(arena, DWL_AT_CONV_STEM);
        const dwk_part own = dwk_own(worker, H, ROWS);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        for (int32_t y = own.first; y < own.end; y += ROWS) {
            int32_t rows = H - y < ROWS ? H - y : ROWS;
            dwk_pixels_u8f32(&image, y * STRIDE - 1, (rows - 1) * STRIDE + 3, pixels,
                dwl_constants + DWL_WEIGHTS_EDGE, between);
            dwk_product_f32_relu6_p11_c1x8(&product, 1, rows, between,
                dwl_constants + DWL_WEIGHTS_CONV_STEM, output + y * OUTPUT_ROW);
        }
    }
}

/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   33x33x8 -> 33x33x8; 78,408 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   33x33x8 -> 33x33x16; 139,392 multiply-adds
 * 2 rows at a time
 * threads share blocks of rows
 * kernels dwk_depthwise3x3s1_f32_relu6_c8, dwk_product_f32_relu6_p11_c1x16 */
static void dwl_blocks_0_0(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 33,
        W = 33,
        C = 8,
        N = 16,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 280,
        OUTPUT_ROW = 560,
        BETWEEN = 8,
        SCRATCH = 528,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 33, .width = 33 * 16, .left = 1 * 16, .right = 1 * 16};
    while (dwk_takes(worker)) {
        const dwk_float *input = dwl_at(arena, DWL_AT_CONV_STEM);
        dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_0_0_ROWS) + worker->index * SCRATCH;
        dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_0_0);
        const dwk_part own = dwk_own(worker, H, ROWS);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        for (int32_t y = own.first; y < own.end; y += ROWS) {
            int32_t rows = H - y < ROWS ? H - y : ROWS;
            dwk_depthwise3x3s1_f32_relu6_c8(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
                dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_DW, between, BETWEEN);
            dwk_product_f32_relu6_p11_c1x16(&product, 1, rows, between,
                dwl_constants + DWL_WEIGHTS_BLOCKS_0_0_CONV_PW, output + y * OUTPUT_ROW);
        }
    }
}

/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   33x33x16 -> 17x17x16; 41,616 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   17x17x16 -> 17x17x32; 147,968 multiply-adds
 * 4 rows at a time
 * threads share blocks of rows
 * kernels dwk_depthwise3x3s2_f32_relu6_c16, dwk_product_f32_relu6_p6r5_c2x16 */
static void dwl_blocks_1_0(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 17,
        W = 17,
        C = 16,
        N = 32,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 560,
        OUTPUT_ROW = 608,
        BETWEEN = 16,
        SCRATCH = 1088,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 17, .width = 17 * 32, .left = 1 * 32, .right = 1 * 32};
    while (dwk_takes(worker)) {
        const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_0_0);
        dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_0_ROWS) + worker->index * SCRATCH;
        dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_0);
        const dwk_part own = dwk_own(worker, H, ROWS);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        for (int32_t y = own.first; y < own.end; y += ROWS) {
            int32_t rows = H - y < ROWS ? H - y : ROWS;
            dwk_depthwise3x3s2_f32_relu6_c16(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
                dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_DW, between, BETWEEN);
            dwk_product_f32_relu6_p6r5_c2x16(&product, 1, rows, between,
                dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV_PW, output + y * OUTPUT_ROW);
        }
    }
}

/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   17x17x32 -> 17x17x32; 83,232 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu6
 *   17x17x32 -> 17x17x32; 295,936 multiply-adds
 * 4 rows at a time
 * threads share blocks of rows
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_product_f32_relu6_p6r5_c2x16 */
static void dwl_blocks_1_1(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 17,
        W = 17,
        C = 32,
        N = 32,
        STRIDE = 1,
        ROWS = 4,
        INPUT_ROW = 608,
        OUTPUT_ROW = 608,
        BETWEEN = 32,
        SCRATCH = 2176,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 17, .width = 17 * 32, .left = 1 * 32, .right = 1 * 32};
    while (dwk_takes(worker)) {
        const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_0);
        dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_1_1_ROWS) + worker->index * SCRATCH;
        dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_1);
        const dwk_part own = dwk_own(worker, H, ROWS);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        for (int32_t y = own.first; y < own.end; y += ROWS) {
            int32_t rows = H - y < ROWS ? H - y : ROWS;
            dwk_depthwise3x3s1_f32_relu6_c16(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
                dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_DW, between, BETWEEN);
            dwk_product_f32_relu6_p6r5_c2x16(&product, 1, rows, between,
                dwl_constants + DWL_WEIGHTS_BLOCKS_1_1_CONV_PW, output + y * OUTPUT_ROW);
        }
    }
}

/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   17x17x32 -> 9x9x32; 23,328 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   9x9x32 -> 9x9x64; 165,888 multiply-adds
 * whole map at once
 * threads share rows
 * kernels dwk_depthwise3x3s2_f32_relu6_c16, dwk_product_f32_relu6_p5r4_c4x16 */
static void dwl_blocks_2_0(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 9,
        W = 9,
        C = 32,
        N = 64,
        STRIDE = 2,
        ROWS = 9,
        INPUT_ROW = 608,
        OUTPUT_ROW = 704,
        BETWEEN = 32,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 9, .width = 9 * 64, .left = 1 * 64, .right = 1 * 64};
    while (dwk_takes(worker)) {
        const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_1_1);
        dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_0_ROWS);
        dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_0);
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        const int32_t y = own.first, rows = own.end - own.first;
        dwk_depthwise3x3s2_f32_relu6_c16(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
            dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_DW, between + y * W * BETWEEN, BETWEEN);
        dwk_product_f32_relu6_p5r4_c4x16(&product, 1, rows, between + y * W * BETWEEN,
            dwl_constants + DWL_WEIGHTS_BLOCKS_2_0_CONV_PW, output + y * OUTPUT_ROW);
    }
}

/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   9x9x64 -> 9x9x64; 46,656 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu6
 *   9x9x64 -> 9x9x64; 331,776 multiply-adds
 * whole map at once
 * threads share rows
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p9_c2x16 */
static void dwl_blocks_2_1(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 9,
        W = 9,
        C = 64,
        N = 64,
        STRIDE = 1,
        ROWS = 9,
        INPUT_ROW = 704,
        OUTPUT_ROW = 704,
        BETWEEN = 64,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 9, .width = 9 * 64, .left = 1 * 64, .right = 1 * 64};
    while (dwk_takes(worker)) {
        const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_0);
        dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_2_1_ROWS);
        dwk_float *sums = between + ROWS * W * BETWEEN;
        dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_2_1);
        const dwk_part own = dwk_own(worker, H, 2);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        output += 1 * OUTPUT_ROW + 1 * N;
        const int32_t y = own.first, rows = own.end - own.first;
        dwk_depthwise3x3s1_f32_relu6_c16(input + y * (STRIDE * INPUT_ROW), INPUT_ROW, rows, W, C, 0, C,
            dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_DW, between + y * W * BETWEEN, BETWEEN);
        dwk_strassen_f32_relu6_p9_c2x16(&product, 0, rows * W, 1, rows, between + y * W * BETWEEN, sums + y * W * C,
            dwl_constants + DWL_WEIGHTS_BLOCKS_2_1_CONV_PW, output + y * OUTPUT_ROW);
    }
}

/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   9x9x64 -> 5x5x64; 14,400 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   5x5x64 -> 5x5x128; 204,800 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s2_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_0(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 64,
        N = 128,
        STRIDE = 2,
        ROWS = 5,
        INPUT_ROW = 704,
        OUTPUT_ROW = 896,
        BETWEEN = 64,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_2_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_0_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s2_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_0_CONV_PW + panels.first * 64 * 113, output + panels.first * 64);
    }
}

/* blocks.3.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 5x5x128; 28,800 multiply-adds
 * blocks.3.1.conv_pw: pointwise convolution, relu6
 *   5x5x128 -> 5x5x128; 409,600 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_1(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 896,
        OUTPUT_ROW = 896,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_1_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_1_CONV_PW + panels.first * 64 * 225, output + panels.first * 64);
    }
}

/* blocks.3.2.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 5x5x128; 28,800 multiply-adds
 * blocks.3.2.conv_pw: pointwise convolution, relu6
 *   5x5x128 -> 5x5x128; 409,600 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_2(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 896,
        OUTPUT_ROW = 896,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_1);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_2_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_2_CONV_PW + panels.first * 64 * 225, output + panels.first * 64);
    }
}

/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 5x5x128; 28,800 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu6
 *   5x5x128 -> 5x5x128; 409,600 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_3(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 896,
        OUTPUT_ROW = 896,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_2);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_3_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_3_CONV_PW + panels.first * 64 * 225, output + panels.first * 64);
    }
}

/* blocks.3.4.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 5x5x128; 28,800 multiply-adds
 * blocks.3.4.conv_pw: pointwise convolution, relu6
 *   5x5x128 -> 5x5x128; 409,600 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_4(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 896,
        OUTPUT_ROW = 896,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_3);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_4_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_4_CONV_PW + panels.first * 64 * 225, output + panels.first * 64);
    }
}

/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 5x5x128; 28,800 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu6
 *   5x5x128 -> 5x5x128; 409,600 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_strassen_f32_relu6_p5_c2x16 */
static void dwl_blocks_3_5(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 5,
        W = 5,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 896,
        OUTPUT_ROW = 896,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 5, .width = 5 * 128, .left = 1 * 128, .right = 1 * 128};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_4);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_3_5_ROWS);
    dwk_float *sums = between + ROWS * W * BETWEEN;
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part tiles = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, tiles.first, tiles.end, 0, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW, output);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 2, 1);
        dwk_strassen_f32_relu6_p5_c2x16(&product, 0, 0, panels.end - panels.first, H, between, sums,
            dwl_constants + DWL_WEIGHTS_BLOCKS_3_5_CONV_PW + panels.first * 64 * 225, output + panels.first * 64);
    }
}

/* blocks.4.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   5x5x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.4.0.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x256; 294,912 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s2_f32_relu6_c16, dwk_product_f32_relu6_p3_c4x16 */
static void dwl_blocks_4_0(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 3,
        W = 3,
        C = 128,
        N = 256,
        STRIDE = 2,
        ROWS = 3,
        INPUT_ROW = 896,
        OUTPUT_ROW = 1280,
        BETWEEN = 128,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    static const dwk_image around = {.height = 3, .width = 3 * 256, .left = 1 * 256, .right = 1 * 256};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_5);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_0_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    while (dwk_takes(worker)) {
        const dwk_part own = dwk_own(worker, H, 1);
        dwk_border_f32(&around, 1, 1, own.first, own.end, output);
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s2_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_DW, between, BETWEEN);
    }
    output += 1 * OUTPUT_ROW + 1 * N;
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 4, 1);
        dwk_product_f32_relu6_p3_c4x16(&product, panels.end - panels.first, H, between,
            dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV_PW + panels.first * 64 * 129, output + panels.first * 64);
    }
}

/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x256 -> 3x3x256; 20,736 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   3x3x256 -> 3x3x256; 589,824 multiply-adds
 * whole map at once
 * threads share channels
 * kernels dwk_depthwise3x3s1_f32_relu6_c16, dwk_product_f32_relu6_p3_c4x16 */
static void dwl_blocks_4_1(uint8_t *arena, dwk_worker *worker)
{
    enum {
        H = 3,
        W = 3,
        C = 256,
        N = 256,
        STRIDE = 1,
        ROWS = 3,
        INPUT_ROW = 1280,
        OUTPUT_ROW = 768,
        BETWEEN = 256,
    };
    static const dwk_product product = {
        .taps = 1,
        .depth = C,
        .tap = 0,
        .step = BETWEEN,
        .row = W * BETWEEN,
        .width = W,
        .output_step = N,
        .output_row = OUTPUT_ROW,
    };
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_float *between = dwl_at(arena, DWL_AT_BLOCKS_4_1_ROWS);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_1);
    while (dwk_takes(worker)) {
        const dwk_part channels = dwk_own(worker, C, 16);
        dwk_depthwise3x3s1_f32_relu6_c16(input, INPUT_ROW, H, W, C, channels.first, channels.end,
            dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    }
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 4, 1);
        dwk_product_f32_relu6_p3_c4x16(&product, panels.end - panels.first, H, between,
            dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW + panels.first * 64 * 257, output + panels.first * 64);
    }
}

/* global_pool: mean of each channel
 *   3x3x256 -> 1x1x256; 0 multiply-adds
 * threads share channels
 * kernels dwk_pool_f32_c16 */
static void dwl_global_pool(uint8_t *arena, dwk_worker *worker)
{
    while (dwk_takes(worker)) {
        const dwk_part channels = dwk_own(worker, 256, 16);
        dwk_pool_f32_c16(dwl_at(arena, DWL_AT_BLOCKS_4_1), 3, 3, 256, channels.first, channels.end,
            dwl_at(arena, DWL_AT_GLOBAL_POOL));
    }
}

/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * threads share channels
 * kernels dwk_classifier_f32_c1x8 */
static void dwl_classifier(uint8_t *arena, dwk_worker *worker)
{
    while (dwk_takes(worker)) {
        const dwk_part panels = dwk_own(worker, 1, 1);
        dwk_classifier_f32_c1x8(dwl_at(arena, DWL_AT_GLOBAL_POOL), 256, panels.end - panels.first,
            dwl_constants + DWL_WEIGHTS_CLASSIFIER + panels.first * 8 * 257, dwl_at(arena, DWL_AT_CLASSIFIER) + panels.first * 8);
    }
}

/* Prepared pixels to the sums of the labels. */
static void dwl_network(const uint8_t *pixels, uint8_t *arena, dwk_worker *worker)
{
    dwl_conv_stem(pixels, arena, worker);
    dwl_blocks_0_0(arena, worker);
    dwl_blocks_1_0(arena, worker);
    dwl_blocks_1_1(arena, worker);
    dwl_blocks_2_0(arena, worker);
    dwl_blocks_2_1(arena, worker);
    dwl_blocks_3_0(arena, worker);
    dwl_blocks_3_1(arena, worker);
    dwl_blocks_3_2(arena, worker);
    dwl_blocks_3_3(arena, worker);
    dwl_blocks_3_4(arena, worker);
    dwl_blocks_3_5(arena, worker);
    dwl_blocks_4_0(arena, worker);
    dwl_blocks_4_1(arena, worker);
    dwl_global_pool(arena, worker);
    dwl_classifier(arena, worker);
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
    " \"threads\": 4,\012"
    " \"spec\": {\012"
    "  \"width\": 0.25,\012"
    "  \"resolution\": 65,\012"
    "  \"classes\": 3,\012"
    "  \"channels\": 3,\012"
    "  \"padding\": \"same\",\012"
    "  \"bn_epsilon\": 1e-05,\012"
    "  \"activation\": \"relu6\",\012"
    "  \"convolution\": \"separable\",\012"
    "  \"shallow\": false,\012"
    "  \"unit_strides\": []\012"
    " },\012"
    " \"preprocessing\": {\012"
    "  \"resize\": 74,\012"
    "  \"crop\": 65,\012"
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
    "  \"multiply_adds\": 4917232,\012"
    "  \"weight_bytes\": 1132416,\012"
    "  \"arena_bytes\": 159424\012"
    " },\012"
    " \"strassen\": [\012"
    "  \"blocks.2.1.conv_pw\",\012"
    "  \"blocks.3.0.conv_pw\",\012"
    "  \"blocks.3.1.conv_pw\",\012"
    "  \"blocks.3.2.conv_pw\",\012"
    "  \"blocks.3.3.conv_pw\",\012"
    "  \"blocks.3.4.conv_pw\",\012"
    "  \"blocks.3.5.conv_pw\"\012"
    " ],\012"
    " \"accuracy\": {},\012"
    " \"provenance\": {}\012"
    "}";

static const char *const dwl_labels[DWL_LABELS] = {
    "a",
    "b \"c\"",
    "\360\237\220\263",
};

#include "dwk_interface.h"
