/* network portable */
/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   32x32x3 -> 16x16x8; 55,296 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_f32_relu6_p4_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 16,
        W = 16,
        C = 3,
        N = 8,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 99,
        OUTPUT_ROW = 144,
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

/* network portable */
/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   16x16x8 -> 16x16x8; 18,432 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   16x16x8 -> 16x16x16; 32,768 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 16,
        W = 16,
        C = 8,
        N = 16,
        STRIDE = 1,
        ROWS = 4,
        INPUT_ROW = 144,
        OUTPUT_ROW = 272,
        BETWEEN = 8,
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

/* network portable */
/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   16x16x16 -> 8x8x16; 9,216 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   8x8x16 -> 8x8x32; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p4_c2x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 8,
        W = 8,
        C = 16,
        N = 32,
        STRIDE = 2,
        ROWS = 8,
        INPUT_ROW = 272,
        OUTPUT_ROW = 320,
        BETWEEN = 16,
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

/* network portable */
/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   4x4x64 -> 2x2x64; 2,304 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   2x2x64 -> 2x2x128; 32,768 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu6_c4, dwk_product_f32_relu6_p2_c2x4 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 64,
        N = 128,
        STRIDE = 2,
        ROWS = 2,
        INPUT_ROW = 320,
        OUTPUT_ROW = 528,
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

/* network portable */
/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   1x1x256 -> 1x1x256; 2,304 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   1x1x256 -> 1x1x256; 65,536 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu6_c4, dwk_product_f32_relu6_p1_c2x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 1,
        W = 1,
        C = 256,
        N = 256,
        STRIDE = 1,
        ROWS = 1,
        INPUT_ROW = 768,
        OUTPUT_ROW = 256,
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
    dwk_depthwise3x3s1_f32_relu6_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu6_p1_c2x4(&product, 32, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, output);
}

/* network portable */
/* global_pool: mean of each channel
 *   1x1x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_f32_c4 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_f32_c4(dwl_at(arena, DWL_AT_BLOCKS_4_1), 1, 1, 256, 0, 256,
        dwl_at(arena, DWL_AT_GLOBAL_POOL));
}

/* network portable */
/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * kernels dwk_classifier_f32_c1x4 */
static void dwl_classifier(uint8_t *arena)
{
    dwk_classifier_f32_c1x4(dwl_at(arena, DWL_AT_GLOBAL_POOL), 256, 1,
        dwl_constants + DWL_WEIGHTS_CLASSIFIER, dwl_at(arena, DWL_AT_CLASSIFIER));
}

/* network portable */
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

/* network portable */
/* What the classifier reads, in real numbers. */
static void dwl_features(const uint8_t *arena, dwk_float *features)
{
    for (int32_t i = 0; i < DWL_FEATURES; i++) {
        features[i] = ((const dwk_float *)(const void *)(arena + DWL_AT_GLOBAL_POOL))[i];
    }
}

/* network odd-grey-same */
/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu
 *   45x45x1 -> 23x23x8; 38,088 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_f32_relu_p8r7_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 23,
        W = 23,
        C = 1,
        N = 8,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 47,
        OUTPUT_ROW = 200,
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

/* network odd-grey-same */
/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   23x23x8 -> 23x23x8; 38,088 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu
 *   23x23x8 -> 23x23x16; 67,712 multiply-adds
 * 2 rows at a time
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p4r3_c4x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 23,
        W = 23,
        C = 8,
        N = 16,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 200,
        OUTPUT_ROW = 400,
        BETWEEN = 8,
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

/* network odd-grey-same */
/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu
 *   23x23x16 -> 12x12x16; 20,736 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu
 *   12x12x16 -> 12x12x32; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 12,
        W = 12,
        C = 16,
        N = 32,
        STRIDE = 2,
        ROWS = 12,
        INPUT_ROW = 400,
        OUTPUT_ROW = 448,
        BETWEEN = 16,
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

/* network odd-grey-same */
/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 0 1 0 1 (t b l r), relu
 *   12x12x32 -> 6x6x32; 10,368 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu
 *   6x6x32 -> 6x6x64; 73,728 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_f32_relu_c4, dwk_product_f32_relu_p6_c4x4 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 6,
        W = 6,
        C = 32,
        N = 64,
        STRIDE = 2,
        ROWS = 6,
        INPUT_ROW = 416,
        OUTPUT_ROW = 528,
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

/* network odd-grey-same */
/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu
 *   2x2x256 -> 2x2x256; 9,216 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu
 *   2x2x256 -> 2x2x256; 262,144 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_f32_relu_c4, dwk_product_f32_relu_p2_c4x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 256,
        N = 256,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 1040,
        OUTPUT_ROW = 512,
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
    dwk_depthwise3x3s1_f32_relu_c4(input, INPUT_ROW, H, W, C, 0, C,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_DW, between, BETWEEN);
    dwk_product_f32_relu_p2_c4x4(&product, 16, H, between,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV_PW, output);
}

/* network int8 */
/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   33x33x1 -> 17x17x8; 20,808 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_i8_p4r1_c2x4 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 17,
        W = 17,
        C = 1,
        N = 8,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 35,
        OUTPUT_ROW = 152,
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

/* network int8 */
/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   17x17x8 -> 17x17x8; 20,808 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   17x17x8 -> 17x17x16; 36,992 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p4r1_c2x4 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 17,
        W = 17,
        C = 8,
        N = 16,
        STRIDE = 1,
        ROWS = 4,
        INPUT_ROW = 152,
        OUTPUT_ROW = 304,
        BETWEEN = 8,
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

/* network int8 */
/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   17x17x16 -> 9x9x16; 11,664 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   9x9x16 -> 9x9x32; 41,472 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p5r4_c2x4 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 9,
        W = 9,
        C = 16,
        N = 32,
        STRIDE = 2,
        ROWS = 9,
        INPUT_ROW = 304,
        OUTPUT_ROW = 352,
        BETWEEN = 16,
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

/* network int8 */
/* blocks.1.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   9x9x32 -> 9x9x32; 23,328 multiply-adds
 * blocks.1.1.conv_pw: pointwise convolution, relu6
 *   9x9x32 -> 9x9x32; 82,944 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p5r4_c2x4 */
static void dwl_blocks_1_1(uint8_t *arena)
{
    enum {
        H = 9,
        W = 9,
        C = 32,
        N = 32,
        STRIDE = 1,
        ROWS = 9,
        INPUT_ROW = 352,
        OUTPUT_ROW = 352,
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

/* network int8 */
/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   9x9x32 -> 5x5x32; 7,200 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   5x5x32 -> 5x5x64; 51,200 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_i8_c4, dwk_product_i8_p5_c2x4 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 5,
        W = 5,
        C = 32,
        N = 64,
        STRIDE = 2,
        ROWS = 5,
        INPUT_ROW = 352,
        OUTPUT_ROW = 448,
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

/* network int8 */
/* blocks.2.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   5x5x64 -> 5x5x64; 14,400 multiply-adds
 * blocks.2.1.conv_pw: pointwise convolution, relu6
 *   5x5x64 -> 5x5x64; 102,400 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p5_c2x4 */
static void dwl_blocks_2_1(uint8_t *arena)
{
    enum {
        H = 5,
        W = 5,
        C = 64,
        N = 64,
        STRIDE = 1,
        ROWS = 5,
        INPUT_ROW = 448,
        OUTPUT_ROW = 448,
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

/* network int8 */
/* blocks.3.3.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.3.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
static void dwl_blocks_3_3(uint8_t *arena)
{
    enum {
        H = 3,
        W = 3,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 3,
        INPUT_ROW = 640,
        OUTPUT_ROW = 640,
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

/* network int8 */
/* blocks.3.5.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 3x3x128; 10,368 multiply-adds
 * blocks.3.5.conv_pw: pointwise convolution, relu6
 *   3x3x128 -> 3x3x128; 147,456 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p3_c2x4 */
static void dwl_blocks_3_5(uint8_t *arena)
{
    enum {
        H = 3,
        W = 3,
        C = 128,
        N = 128,
        STRIDE = 1,
        ROWS = 3,
        INPUT_ROW = 640,
        OUTPUT_ROW = 640,
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

/* network int8 */
/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x256 -> 2x2x256; 9,216 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   2x2x256 -> 2x2x256; 262,144 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_i8_c4, dwk_product_i8_p2_c2x4 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 256,
        N = 256,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 1024,
        OUTPUT_ROW = 512,
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

/* network int8 */
/* global_pool: mean of each channel
 *   2x2x256 -> 1x1x256; 0 multiply-adds
 * kernels dwk_pool_i8_c4 */
static void dwl_global_pool(uint8_t *arena)
{
    static const dwk_rounding rounding = {.low = -152, .high = 59, .zero_point = 173};
    dwk_pool_i8_c4(arena + DWL_AT_BLOCKS_4_1, 2, 2, 256, 0, 256,
        dwl_weights + DWL_WEIGHTS_GLOBAL_POOL, &rounding, arena + DWL_AT_GLOBAL_POOL);
}

/* network int8 */
/* classifier: classifier
 *   1x1x256 -> 1x1x3; 768 multiply-adds
 * kernels dwk_classifier_i8_bytes_c1x4 */
static void dwl_classifier(uint8_t *arena)
{
    static const dwk_rounding rounding = {.low = -214, .high = -1, .zero_point = 234};
    dwk_classifier_i8_bytes_c1x4(arena + DWL_AT_GLOBAL_POOL, 256, 1,
        dwl_weights + DWL_WEIGHTS_CLASSIFIER, &rounding, dwl_at(arena, DWL_AT_CLASSIFIER));
}

/* network int8 */
/* What the classifier reads, in real numbers. */
static void dwl_features(const uint8_t *arena, dwk_float *features)
{
    for (int32_t i = 0; i < DWL_FEATURES; i++) {
        features[i] = (float)(arena[DWL_AT_GLOBAL_POOL + i] - 173) * dwl_constants[DWL_WEIGHTS_FEATURES + i];
    }
}

/* network bf16 */
/* conv_stem: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   33x33x3 -> 17x17x16; 124,848 multiply-adds
 * 4 rows at a time
 * kernels dwk_product_bf16_p6r5_c1x16__avx512bf16 */
static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)
{
    enum {
        H = 17,
        W = 17,
        C = 3,
        N = 16,
        STRIDE = 2,
        ROWS = 4,
        INPUT_ROW = 105,
        OUTPUT_ROW = 304,
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

/* network bf16 */
/* blocks.0.0.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   17x17x16 -> 17x17x16; 41,616 multiply-adds
 * blocks.0.0.conv_pw: pointwise convolution, relu6
 *   17x17x16 -> 17x17x24; 110,976 multiply-adds
 * 4 rows at a time
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p5r2_c3x8__avx512bf16vl */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 17,
        W = 17,
        C = 16,
        N = 24,
        STRIDE = 1,
        ROWS = 4,
        INPUT_ROW = 304,
        OUTPUT_ROW = 456,
        BETWEEN = 16,
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

/* network bf16 */
/* blocks.1.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   17x17x24 -> 9x9x24; 17,496 multiply-adds
 * blocks.1.0.conv_pw: pointwise convolution, relu6
 *   9x9x24 -> 9x9x48; 93,312 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p5r4_c3x16__avx512bf16 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 9,
        W = 9,
        C = 24,
        N = 48,
        STRIDE = 2,
        ROWS = 9,
        INPUT_ROW = 456,
        OUTPUT_ROW = 528,
        BETWEEN = 24,
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

/* network bf16 */
/* blocks.2.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   9x9x48 -> 5x5x48; 10,800 multiply-adds
 * blocks.2.0.conv_pw: pointwise convolution, relu6
 *   5x5x48 -> 5x5x88; 105,600 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p5_c3x16__avx512bf16, dwk_product_bf16_p5_c3x16n40__avx512bf16 */
static void dwl_blocks_2_0(uint8_t *arena)
{
    enum {
        H = 5,
        W = 5,
        C = 48,
        N = 88,
        STRIDE = 2,
        ROWS = 5,
        INPUT_ROW = 528,
        OUTPUT_ROW = 616,
        BETWEEN = 48,
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

/* network bf16 */
/* blocks.3.0.conv_dw: depthwise convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   5x5x88 -> 3x3x88; 7,128 multiply-adds
 * blocks.3.0.conv_pw: pointwise convolution, relu6
 *   3x3x88 -> 3x3x176; 139,392 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s2_bf16_c32__avx512bf16, dwk_product_bf16_p3_c4x16__avx512bf16, dwk_product_bf16_p3_c3x16__avx512bf16 */
static void dwl_blocks_3_0(uint8_t *arena)
{
    enum {
        H = 3,
        W = 3,
        C = 88,
        N = 176,
        STRIDE = 2,
        ROWS = 3,
        INPUT_ROW = 616,
        OUTPUT_ROW = 880,
        BETWEEN = 88,
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

/* network bf16 */
/* blocks.4.1.conv_dw: depthwise convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x360 -> 2x2x360; 12,960 multiply-adds
 * blocks.4.1.conv_pw: pointwise convolution, relu6
 *   2x2x360 -> 2x2x360; 518,400 multiply-adds
 * whole map at once
 * kernels dwk_depthwise3x3s1_bf16_c32__avx512bf16, dwk_product_bf16_p2_c4x16__avx512bf16, dwk_product_bf16_p2_c3x16n40__avx512bf16 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 360,
        N = 360,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 1440,
        OUTPUT_ROW = 720,
        BETWEEN = 360,
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

/* network bf16 */
/* global_pool: mean of each channel
 *   2x2x360 -> 1x1x360; 0 multiply-adds
 * kernels dwk_pool_bf16f32_c8 */
static void dwl_global_pool(uint8_t *arena)
{
    dwk_pool_bf16f32_c8(dwl_at_bf16(arena, DWL_AT_BLOCKS_4_1), 2, 2, 360, 0, 360,
        dwl_at(arena, DWL_AT_GLOBAL_POOL));
}

/* network bf16 */
/* classifier: classifier
 *   1x1x360 -> 1x1x3; 1,080 multiply-adds
 * kernels dwk_classifier_bf16_c1x8 */
static void dwl_classifier(uint8_t *arena)
{
    dwk_classifier_bf16_c1x8(dwl_at(arena, DWL_AT_GLOBAL_POOL), 360, 1,
        dwl_weights + DWL_WEIGHTS_CLASSIFIER, dwl_at(arena, DWL_AT_CLASSIFIER));
}

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network threads */
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

/* network twin-shallow-512 */
/* blocks.0.0.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   20x20x8 -> 20x20x16; 460,800 multiply-adds
 * 2 rows at a time
 * kernels dwk_product_f32_relu6_p10_c1x16 */
static void dwl_blocks_0_0(uint8_t *arena)
{
    enum {
        H = 20,
        W = 20,
        C = 8,
        N = 16,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 176,
        OUTPUT_ROW = 336,
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

/* network twin-shallow-512 */
/* blocks.1.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   20x20x16 -> 10x10x32; 460,800 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p10_c2x16 */
static void dwl_blocks_1_0(uint8_t *arena)
{
    enum {
        H = 10,
        W = 10,
        C = 16,
        N = 32,
        STRIDE = 2,
        ROWS = 10,
        INPUT_ROW = 336,
        OUTPUT_ROW = 384,
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
    static const dwk_image around = {.height = 10, .width = 10 * 32, .left = 1 * 32, .right = 1 * 32};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_0_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_1_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p10_c2x16(&product, 1, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_1_0_CONV, output);
}

/* network twin-shallow-512 */
/* blocks.4.0.conv: convolution 3x3, stride 2, padding 1 1 1 1 (t b l r), relu6
 *   3x3x128 -> 2x2x256; 1,179,648 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p2_c4x16 */
static void dwl_blocks_4_0(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 128,
        N = 256,
        STRIDE = 2,
        ROWS = 2,
        INPUT_ROW = 640,
        OUTPUT_ROW = 1040,
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
    static const dwk_image around = {.height = 2, .width = 2 * 256, .left = 1 * 256, .right = 1 * 256 + 16};
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_3_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_border_f32(&around, 1, 1, 0, H, output);
    output += 1 * OUTPUT_ROW + 1 * N;
    dwk_product_f32_relu6_p2_c4x16(&product, 4, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_0_CONV, output);
}

/* network twin-shallow-512 */
/* blocks.4.1.conv: convolution 3x3, stride 1, padding 1 1 1 1 (t b l r), relu6
 *   2x2x256 -> 2x2x256; 2,359,296 multiply-adds
 * whole map at once
 * kernels dwk_product_f32_relu6_p2_c4x16 */
static void dwl_blocks_4_1(uint8_t *arena)
{
    enum {
        H = 2,
        W = 2,
        C = 256,
        N = 256,
        STRIDE = 1,
        ROWS = 2,
        INPUT_ROW = 1040,
        OUTPUT_ROW = 512,
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
    const dwk_float *input = dwl_at(arena, DWL_AT_BLOCKS_4_0);
    dwk_float *output = dwl_at(arena, DWL_AT_BLOCKS_4_1);
    dwk_product_f32_relu6_p2_c4x16(&product, 4, H, input,
        dwl_constants + DWL_WEIGHTS_BLOCKS_4_1_CONV, output);
}

/* network twin-shallow-512 */
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
