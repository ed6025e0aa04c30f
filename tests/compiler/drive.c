/* drive.c: calls every function of an artifact, rightly and wrongly, on memory of exactly the right sizes.
 *
 * Built with sanitizers, or with counters on every branch. Prints nothing and ends with 0 when all is as it should be.
 * Holds the network, for its constants' names; spoil.c holds weights.c, so that the golden cases can be made to fail.
 */
#include "model.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "drive.c:%d: %s\n", __LINE__, #what);                                                      \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

void spoil(int32_t word, uint32_t value);

static void *room(size_t bytes)
{
    void *memory = malloc(bytes);
    CHECK(memory != NULL);
    memset(memory, 0xFF, bytes);
    return memory;
}

static void frames(float *probabilities, uint8_t *pixels, uint8_t *arena)
{
    static const int32_t sides[][2] = {{1, 1},   {1, 7},     {7, 1},    {2, 2},    {31, 33},  {33, 33}, {64, 40},
                                       {40, 64}, {300, 200}, {500, 60}, {60, 500}, {9, 3000}, {3000, 9}};
    int32_t channels = dw_input_channels();
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        int32_t height = sides[i][0], width = sides[i][1];
        int64_t pitch = (int64_t)width * channels + (int64_t)(i % 3);
        /* The last row ends with its last pixel. */
        size_t bytes = (size_t)(pitch * (height - 1) + (int64_t)width * channels);
        uint8_t *frame = room(bytes);
        for (size_t at = 0; at < bytes; at++) {
            frame[at] = (uint8_t)(at * 2654435761u >> 13);
        }
        CHECK(dw_classify(frame, height, width, pitch, probabilities, arena) == DW_OK);
        CHECK(dw_prepare(frame, height, width, pitch, pixels, arena) == DW_OK);
        CHECK(dw_run(pixels, probabilities, NULL) == DW_OK);
        free(frame);
    }
}

/* Every layout of the same memory; dw_prepare_yuv reads all of it and nothing else. */
static void yuv_frames(float *probabilities, uint8_t *pixels, uint8_t *arena)
{
    static const int32_t sides[][2] = {{1, 1}, {2, 2}, {31, 33}, {40, 65}, {9, 3000}};
    for (size_t i = 0; i < 8 * (sizeof sides / sizeof sides[0]); i++) {
        int32_t height = sides[i / 8][0], width = sides[i / 8][1], down = 1 + (int32_t)(i & 1);
        int32_t across = 1 + (int32_t)(i >> 1 & 1), rows = (height + down - 1) / down;
        int64_t uv_pitch = (width + across - 1) / across;
        uint8_t *y = room((size_t)(height * width)), *u = room((size_t)(rows * uv_pitch));
        dw_yuv frame = {.y = y,
                        .u = u,
                        .v = u,
                        .y_pitch = width,
                        .uv_pitch = uv_pitch,
                        .y_step = 1,
                        .uv_step = 1,
                        .height = height,
                        .width = width,
                        .down = down,
                        .across = across,
                        .matrix = (int32_t)(i >> 2 & 1),
                        .range = (int32_t)(i & 1)};
        for (int32_t at = 0; at < height * width; at++) {
            y[at] = (uint8_t)(at * 77);
        }
        CHECK(dw_prepare_yuv(&frame, pixels, arena) == DW_OK);
        /* The same frame upside down. */
        frame.y += (height - 1) * frame.y_pitch;
        frame.y_pitch = -frame.y_pitch;
        frame.u = frame.v = NULL;
        CHECK(dw_classify_yuv(&frame, probabilities, NULL) == DW_OK);
        free(y);
        free(u);
    }
    /* So wide that what its columns are made from does not fit into the scratch; all of it is one byte. */
    dw_yuv grey = {.y = pixels, .height = 2100, .width = 2100, .down = 1, .across = 1};
    CHECK(dw_classify_yuv(&grey, probabilities, arena) == DW_OK);
}

/* Whole steps of the layouts of cameras and decoders, and of one that nobody has, in memory that ends with the last
 * sample. */
static void yuv_steps(float *probabilities, uint8_t *arena)
{
    /* Bytes from sample to sample of Y and of the colours, and pixels that share these. */
    static const int32_t steps[][3] = {{1, 1, 1}, {1, 1, 2}, {1, 2, 2}, {2, 4, 2}, {5, 5, 1}};
    const int32_t height = 100, width = 200;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int64_t y_step = steps[i][0], uv_step = steps[i][1], shared = width / steps[i][2];
        uint8_t *y = room((size_t)((height * width - 1) * y_step + 1));
        uint8_t *u = room((size_t)((height * shared - 1) * uv_step + 1));
        const dw_yuv frame = {.y = y,
                              .u = u,
                              .v = u,
                              .y_pitch = width * y_step,
                              .uv_pitch = shared * uv_step,
                              .y_step = y_step,
                              .uv_step = uv_step,
                              .height = height,
                              .width = width,
                              .down = 1,
                              .across = steps[i][2]};
        CHECK(dw_classify_yuv(&frame, probabilities, arena) == DW_OK);
        free(y);
        free(u);
    }
}

static void yuv_refusals(float *probabilities, uint8_t *pixels, uint8_t *arena)
{
    const dw_yuv sound = {.y = pixels, .u = pixels, .v = pixels, .height = 1, .width = 1, .down = 2, .across = 2};
    dw_yuv frame = sound;
    CHECK(dw_classify_yuv(&frame, probabilities, arena + 1) == DW_ARENA_ALIGNMENT);
    CHECK(dw_prepare_yuv(&frame, pixels, arena + 1) == DW_ARENA_ALIGNMENT);
    CHECK(dw_classify_yuv(&frame, NULL, arena) == DW_NO_POINTER);
    CHECK(dw_classify_yuv(NULL, probabilities, arena) == DW_NO_POINTER);
    frame.y = NULL;
    CHECK(dw_classify_yuv(&frame, probabilities, arena) == DW_NO_POINTER);
    frame = sound;
    frame.v = NULL;
    CHECK(dw_classify_yuv(&frame, probabilities, arena) == DW_NO_POINTER);
    frame = sound;
    frame.width = 65536;
    CHECK(dw_classify_yuv(&frame, probabilities, arena) == DW_FRAME_SIZE);
    for (int32_t i = 0; i < 4; i++) {
        frame = sound;
        *(i == 0 ? &frame.down : i == 1 ? &frame.across : i == 2 ? &frame.matrix : &frame.range) = i < 2 ? 0 : 2;
        CHECK(dw_classify_yuv(&frame, probabilities, arena) == DW_LAYOUT);
    }
}

static void refusals(float *probabilities, uint8_t *pixels, uint8_t *arena)
{
    uint8_t *odd = arena + 1;
    CHECK(dw_run(pixels, probabilities, odd) == DW_ARENA_ALIGNMENT);
    CHECK(dw_run(NULL, probabilities, arena) == DW_NO_POINTER);
    CHECK(dw_run(pixels, NULL, arena) == DW_NO_POINTER);
    CHECK(dw_features(pixels, probabilities, odd) == DW_ARENA_ALIGNMENT);
    CHECK(dw_features(NULL, probabilities, arena) == DW_NO_POINTER);
    CHECK(dw_features(pixels, NULL, arena) == DW_NO_POINTER);
    CHECK(dw_classify(pixels, 1, 1, 3, probabilities, odd) == DW_ARENA_ALIGNMENT);
    CHECK(dw_classify(NULL, 1, 1, 3, probabilities, arena) == DW_NO_POINTER);
    CHECK(dw_classify(pixels, 1, 1, 3, NULL, arena) == DW_NO_POINTER);
    CHECK(dw_classify(pixels, 0, 1, 3, probabilities, arena) == DW_FRAME_SIZE);
    CHECK(dw_classify(pixels, 1, 0, 3, probabilities, arena) == DW_FRAME_SIZE);
    CHECK(dw_classify(pixels, 65536, 1, 3, probabilities, arena) == DW_FRAME_SIZE);
    CHECK(dw_classify(pixels, 1, 65536, 1 << 20, probabilities, arena) == DW_FRAME_SIZE);
    CHECK(dw_classify(pixels, 1, 4, 3, probabilities, arena) == DW_FRAME_SIZE);
    CHECK(dw_prepare(pixels, 1, 1, 3, pixels, odd) == DW_ARENA_ALIGNMENT);
    CHECK(dw_prepare(pixels, 1, 1, 3, NULL, arena) == DW_NO_POINTER);
    CHECK(dwk_prepare(pixels, 1, 1, 3, pixels, NULL) == DW_NO_POINTER);
    CHECK(dw_verify(NULL, odd) == DW_ARENA_ALIGNMENT);
    CHECK(dw_label(-1) == NULL && dw_label(dw_label_count()) == NULL);
    CHECK(dw_level(-1) == NULL && dw_level(dw_level_count()) == NULL);
    CHECK(dw_use_level(-1) == DW_NO_LEVEL && dw_use_level(dw_level_count()) == DW_NO_LEVEL);
}

int main(void)
{
    size_t size = (size_t)dw_input_height() * (size_t)dw_input_width() * (size_t)dw_input_channels();
    CHECK(dw_arena_bytes() % 64 == 0);
    uint8_t *arena = aligned_alloc(64, dw_arena_bytes());
    CHECK(arena != NULL);
    memset(arena, 0xFF, dw_arena_bytes());
    uint8_t *pixels = room(size);
    float *probabilities = room((size_t)dw_label_count() * sizeof(float));
    float *features = room((size_t)dw_feature_count() * sizeof(float));

    CHECK(dw_interface() >> 16 == DW_INTERFACE_MAJOR);
    CHECK(dw_processor() == DW_OK);
    CHECK(dw_set_threads(2) == 1 && dw_set_threads(0) == 1);
    CHECK(dw_level_count() == 1 && dw_level(0)[0] != 0 && dw_level_in_use() == 0);
    CHECK(dw_use_level(0) == DW_OK && dw_level_in_use() == 0);
    CHECK(dw_record()[0] == '{');
    for (int32_t i = 0; i < dw_label_count(); i++) {
        CHECK(dw_label(i) != NULL);
    }
    float worst = -1.0f;
    CHECK(dw_verify(&worst, arena) == DW_OK && worst >= 0.0f && worst < (DWL_BF16 ? 1e-1f : 1e-5f));
    CHECK(dw_verify(NULL, NULL) == DW_OK);
    CHECK(dw_features(pixels, features, arena) == DW_OK && features[0] >= 0.0f);
    frames(probabilities, pixels, arena);
    yuv_frames(probabilities, pixels, arena);
    yuv_steps(probabilities, arena);
    refusals(probabilities, pixels, arena);
    yuv_refusals(probabilities, pixels, arena);

    /* The first label's bias becomes 1000 (or, a whole number, about 10^9): all others are then out of the question. */
    spoil(DWL_WEIGHTS_CLASSIFIER, 0x447a0000u);
    CHECK(dw_verify(&worst, arena) == DW_GOLDEN_DIFFERS && worst > 1e-4f);
    /* And -1000. */
    spoil(DWL_WEIGHTS_CLASSIFIER, 0xc47a0000u);
    CHECK(dw_verify(&worst, arena) == DW_GOLDEN_DIFFERS && worst > 1e-4f);
    free(arena);
    free(pixels);
    free(probabilities);
    free(features);
    return 0;
}
