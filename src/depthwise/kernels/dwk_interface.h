/* dwk_interface.h: the functions of depthwise.h, for the network above it in model.c.
 *
 * Needs DWL_THREADS, dwl_network, dwl_features, dwl_record, dwl_labels, dwl_constants and the constants DWL_... of model.c. */
#ifndef DWK_INTERFACE_H
#define DWK_INTERFACE_H

#include "depthwise.h"
#include "dwk_golden.h"
#include "dwk_prepare.h"
#include "dwk_processor.h"
#include "dwk_softmax_f32.h"

/* What the golden cases hold, and how far from the oracle's it may be. */
#if DWL_INT8
#define DWK_JUDGED DWL_AT_CLASSIFIER /* logits, which are the same everywhere to the last bit */
#define DWK_TOLERANCE 0.0f
#elif DWL_BF16
#define DWK_JUDGED DWL_AT_CLASSIFIER /* logits, by their own size */
#define DWK_TOLERANCE 2e-2f
#else
#define DWK_JUDGED DWL_AT_PROBABILITIES
#define DWK_TOLERANCE 1e-4f
#endif

/* The arena of those who bring none. */
static _Alignas(64) uint8_t dwk_arena[DWL_ARENA_BYTES];

/* Puts the arena to be used into *arena; DW_OK, or what is wrong with it. */
static int32_t dwk_choose_arena(void *given, uint8_t **arena)
{
    *arena = given == NULL ? dwk_arena : (uint8_t *)given;
    return (uintptr_t)*arena % 64 == 0 ? DW_OK : DW_ARENA_ALIGNMENT;
}

/* How far each answer to one case may be from the oracle's. */
static float dwk_tolerance(const dwk_float *expected)
{
    float size = 1.0f;
#if DWL_BF16
    for (int32_t i = 0; i < DWL_LABELS; i++) {
        float magnitude = expected[i] < 0.0f ? -expected[i] : expected[i];
        size = magnitude > size ? magnitude : size;
    }
#endif
    (void)expected;
    return DWK_TOLERANCE * size;
}

static void dwk_run(const uint8_t *pixels, uint8_t *arena)
{
#if DWL_THREADS > 1
    dwk_together(dwl_network, pixels, arena);
#else
    dwl_network(pixels, arena);
#endif
}

static void dwk_answer(const uint8_t *pixels, dwk_float *probabilities, uint8_t *arena)
{
    dwk_run(pixels, arena);
    dwk_softmax_f32((const dwk_float *)(const void *)(arena + DWL_AT_CLASSIFIER), DWL_LABELS, probabilities);
}

uint32_t dw_interface(void) { return DW_INTERFACE_MAJOR << 16 | DW_INTERFACE_MINOR; }

int32_t dw_processor(void) { return dwk_processor_lacks() * DW_PROCESSOR; }

int32_t dw_set_threads(int32_t threads)
{
#if DWL_THREADS > 1
    return dwk_set_threads(threads);
#else
    (void)threads;
    return 1;
#endif
}

const char *dw_record(void) { return dwl_record; }

int32_t dw_input_height(void) { return DWL_HEIGHT; }

int32_t dw_input_width(void) { return DWL_WIDTH; }

int32_t dw_input_channels(void) { return DWL_CHANNELS; }

int32_t dw_label_count(void) { return DWL_LABELS; }

const char *dw_label(int32_t index) { return index >= 0 && index < DWL_LABELS ? dwl_labels[index] : NULL; }

int32_t dw_feature_count(void) { return DWL_FEATURES; }

size_t dw_arena_bytes(void) { return DWL_ARENA_BYTES; }

int32_t dw_run(const uint8_t *pixels, float *probabilities, void *arena)
{
    uint8_t *memory;
    int32_t status = dwk_choose_arena(arena, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (pixels == NULL || probabilities == NULL) {
        return DW_NO_POINTER;
    }
    dwk_answer(pixels, probabilities, memory);
    return DW_OK;
}

int32_t dw_classify(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, float *probabilities,
                    void *arena)
{
    uint8_t *memory;
    int32_t status = dwk_choose_arena(arena, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (probabilities == NULL) {
        return DW_NO_POINTER;
    }
    uint8_t *pixels = memory + DWL_AT_PIXELS;
    status = dwk_prepare(frame, height, width, pitch, pixels, memory + DWL_AT_PREPARE);
    if (status == DW_OK) {
        dwk_answer(pixels, probabilities, memory);
    }
    return status;
}

int32_t dw_prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *arena)
{
    uint8_t *memory;
    int32_t status = dwk_choose_arena(arena, &memory);
    return status == DW_OK ? dwk_prepare(frame, height, width, pitch, pixels, memory + DWL_AT_PREPARE) : status;
}

int32_t dw_features(const uint8_t *pixels, float *features, void *arena)
{
    uint8_t *memory;
    int32_t status = dwk_choose_arena(arena, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (pixels == NULL || features == NULL) {
        return DW_NO_POINTER;
    }
    dwk_run(pixels, memory);
    dwl_features(memory, features);
    return DW_OK;
}

int32_t dw_verify(float *worst, void *arena)
{
    uint8_t *memory;
    int32_t status = dwk_choose_arena(arena, &memory);
    if (status != DW_OK) {
        return status;
    }
    const dwk_float *expected = dwl_constants + DWL_WEIGHTS_GOLDEN;
    dwk_float *probabilities = (dwk_float *)(void *)(memory + DWL_AT_PROBABILITIES);
    const dwk_float *judged = (const dwk_float *)(const void *)(memory + DWK_JUDGED);
    float most = 0.0f;
    for (int32_t number = 0; number < DWK_GOLDEN_CASES; number++) {
        dwk_golden_image(number, DWL_HEIGHT, DWL_WIDTH, DWL_CHANNELS, memory + DWL_AT_PIXELS);
        dwk_answer(memory + DWL_AT_PIXELS, probabilities, memory);
        const float tolerance = dwk_tolerance(expected);
        for (int32_t i = 0; i < DWL_LABELS; i++) {
            float off = judged[i] - *expected++;
            off = off < 0.0f ? -off : off;
            /* Written so that a difference that is no number counts. */
            status = off <= tolerance ? status : DW_GOLDEN_DIFFERS;
            most = off <= most ? most : off;
        }
    }
    if (worst != NULL) {
        *worst = most;
    }
    return status;
}

#endif
