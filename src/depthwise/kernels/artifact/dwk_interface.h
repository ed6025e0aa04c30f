/* dwk_interface.h: the functions of depthwise.h, for the levels above it in model.c.
 *
 * Needs DWL_THREADS, dwl_levels, from the lowest to the highest, dwl_record, dwl_labels, dwl_constants and the
 * constants DWL_... */
#ifndef DWK_INTERFACE_H
#define DWK_INTERFACE_H

#include "depthwise.h"
#include "dwk_floats.h"
#include "dwk_golden.h"
#include "dwk_level.h"

/* How far from the oracle's answer another may be: logits that are the same everywhere to the last bit, logits by their
 * own size, or probabilities. */
#if DWL_INT8
#define DWK_TOLERANCE 0.0f
#elif DWL_BF16
#define DWK_TOLERANCE 2e-2f
#elif DWL_FLOAT16
#define DWK_TOLERANCE 5e-3f
#else
#define DWK_TOLERANCE 1e-4f
#endif

#define DWK_LEVELS ((int32_t)(sizeof dwl_levels / sizeof *dwl_levels))

/* Whether this processor lacks something of a level, or the system refuses it; of what the processor lacks the system
 * is not asked. */
static int32_t dwk_cannot_run(const dwk_level *level)
{
    return dwk_processor_lacks(level->needs) || dwk_system_refuses(level->needs);
}

#ifdef DWK_AS_LEVEL_H

/* The only level is in the same file: there is nothing to choose. What it needs of the system is asked for once, as
 * a program need not have called dw_processor. */
static int32_t dwk_level_in_use(void)
{
#ifdef DWK_SYSTEM_IS_ASKED
    static int32_t is_asked;
    if (!__atomic_load_n(&is_asked, __ATOMIC_RELAXED)) {
        (void)dwk_system_refuses(dwl_levels[0]->needs);
        __atomic_store_n(&is_asked, 1, __ATOMIC_RELAXED);
    }
#endif
    return 0;
}

static void dwk_use_level(int32_t index) { (void)index; }

#else

/* The level that was asked for, and the highest that this processor has; -1 before it is known. Threads that find it
 * out at the same time find the same. */
static int32_t dwk_asked = -1, dwk_highest = -1;

/* Whether a level runs on processors of many makers, and is faster than the one below only on those of another. */
static int32_t dwk_is_of_others(const dwk_level *level)
{
    return level->maker != NULL && !dwk_processor_is_by(level->maker);
}

static int32_t dwk_level_in_use(void)
{
    const int32_t asked = __atomic_load_n(&dwk_asked, __ATOMIC_RELAXED);
    int32_t highest = __atomic_load_n(&dwk_highest, __ATOMIC_RELAXED);
    if (asked >= 0) {
        return asked;
    }
    if (highest < 0) {
        highest = DWK_LEVELS - 1;
        while (highest > 0 && (dwk_is_of_others(dwl_levels[highest]) || dwk_cannot_run(dwl_levels[highest]))) {
            highest--;
        }
        __atomic_store_n(&dwk_highest, highest, __ATOMIC_RELAXED);
    }
    return highest;
}

static void dwk_use_level(int32_t index) { __atomic_store_n(&dwk_asked, index, __ATOMIC_RELAXED); }

#endif

#ifdef DWL_WITHOUT_ARENA
static uint8_t *const dwk_arena = NULL;
#else
/* The arena of those who bring none. */
static _Alignas(64) uint8_t dwk_arena[DWL_ARENA_BYTES];
#endif

/* Puts the level and the arena to be used into *level and *arena; DW_OK, or what is wrong with the arena. */
static int32_t dwk_begin(void *given, const dwk_level **level, uint8_t **arena)
{
    *level = dwl_levels[dwk_level_in_use()];
    *arena = given == NULL ? dwk_arena : (uint8_t *)given;
#ifdef DWL_WITHOUT_ARENA
    if (given == NULL) {
        return DW_NO_POINTER;
    }
#endif
    return (uintptr_t)*arena % 64 == 0 ? DW_OK : DW_ARENA_ALIGNMENT;
}

/* How far each answer to one case may be from the oracle's. */
static float dwk_tolerance(const dwk_float *expected)
{
    float size = 1.0f;
#if DWL_BF16 || DWL_FLOAT16
    for (int32_t i = 0; i < DWL_LABELS; i++) {
        float magnitude = expected[i] < 0.0f ? -expected[i] : expected[i];
        size = magnitude > size ? magnitude : size;
    }
#endif
    (void)expected;
    return DWK_TOLERANCE * size;
}

/* A processor always answers; a GPU may not. */
#ifdef DWL_ON_GPU
#define DWK_ANSWERED(status) ((status) == DW_OK)
#else
#define DWK_ANSWERED(status) ((void)(status), 1)
#endif

/* DW_OK, or what a GPU says. */
static int32_t dwk_run(const dwk_level *level, const uint8_t *pixels, uint8_t *arena)
{
#if DWL_THREADS > 1
    dwk_together(level->network, pixels, arena);
#else
    level->network(pixels, arena);
#endif
#ifdef DWL_ON_GPU
    return *(const int32_t *)(const void *)(arena + DWL_AT_STATUS);
#else
    return DW_OK;
#endif
}

static int32_t dwk_answer(const dwk_level *level, const uint8_t *pixels, dwk_float *probabilities, uint8_t *arena)
{
    const dwk_mode before = dwk_floats_begin();
    const int32_t status = dwk_run(level, pixels, arena);
    if (DWK_ANSWERED(status)) {
        level->softmax((const dwk_float *)(const void *)(arena + level->at_sums), DWL_LABELS, probabilities);
    }
    dwk_floats_end(before);
    return status;
}

#ifndef DWL_WITHOUT_PREPARE

static int32_t dwk_prepared(const dwk_level *level, const uint8_t *frame, int32_t height, int32_t width, int64_t pitch,
                            uint8_t *pixels, uint8_t *arena)
{
    const dwk_mode before = dwk_floats_begin();
    const int32_t status = level->prepare(frame, height, width, pitch, pixels, arena + level->at_prepare);
    dwk_floats_end(before);
    return status;
}

static int32_t dwk_prepared_yuv(const dwk_level *level, const dw_yuv *frame, uint8_t *pixels, uint8_t *arena)
{
    const dwk_mode before = dwk_floats_begin();
    const int32_t status = level->prepare_yuv(frame, pixels, arena + level->at_prepare);
    dwk_floats_end(before);
    return status;
}

#endif

uint32_t dw_interface(void) { return DW_INTERFACE_MAJOR << 16 | DW_INTERFACE_MINOR; }

int32_t dw_processor(void)
{
    const int32_t status = dwk_cannot_run(dwl_levels[0]) * DW_PROCESSOR;
#ifdef DWL_ON_GPU
    return status == DW_OK ? dwk_gpu_missing() : status;
#else
    return status;
#endif
}

int32_t dw_level_count(void) { return DWK_LEVELS; }

const char *dw_level(int32_t index) { return index >= 0 && index < DWK_LEVELS ? dwl_levels[index]->name : NULL; }

int32_t dw_level_in_use(void) { return dwk_level_in_use(); }

int32_t dw_use_level(int32_t index)
{
    if (index < 0 || index >= DWK_LEVELS) {
        return DW_NO_LEVEL;
    }
    if (dwk_cannot_run(dwl_levels[index])) {
        return DW_PROCESSOR;
    }
    dwk_use_level(index);
    return DW_OK;
}

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
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (pixels == NULL || probabilities == NULL) {
        return DW_NO_POINTER;
    }
    return dwk_answer(level, pixels, probabilities, memory);
}

#ifdef DWL_WITHOUT_PREPARE

int32_t dw_classify(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, float *probabilities,
                    void *arena)
{
    (void)frame, (void)height, (void)width, (void)pitch, (void)probabilities, (void)arena;
    return DW_LEFT_OUT;
}

int32_t dw_prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *arena)
{
    (void)frame, (void)height, (void)width, (void)pitch, (void)pixels, (void)arena;
    return DW_LEFT_OUT;
}

int32_t dw_classify_yuv(const dw_yuv *frame, float *probabilities, void *arena)
{
    (void)frame, (void)probabilities, (void)arena;
    return DW_LEFT_OUT;
}

int32_t dw_prepare_yuv(const dw_yuv *frame, uint8_t *pixels, void *arena)
{
    (void)frame, (void)pixels, (void)arena;
    return DW_LEFT_OUT;
}

#else

int32_t dw_classify(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, float *probabilities,
                    void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (probabilities == NULL) {
        return DW_NO_POINTER;
    }
    uint8_t *pixels = memory + level->at_pixels;
    status = dwk_prepared(level, frame, height, width, pitch, pixels, memory);
    return status == DW_OK ? dwk_answer(level, pixels, probabilities, memory) : status;
}

int32_t dw_prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    return status == DW_OK ? dwk_prepared(level, frame, height, width, pitch, pixels, memory) : status;
}

int32_t dw_classify_yuv(const dw_yuv *frame, float *probabilities, void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (probabilities == NULL) {
        return DW_NO_POINTER;
    }
    uint8_t *pixels = memory + level->at_pixels;
    status = dwk_prepared_yuv(level, frame, pixels, memory);
    return status == DW_OK ? dwk_answer(level, pixels, probabilities, memory) : status;
}

int32_t dw_prepare_yuv(const dw_yuv *frame, uint8_t *pixels, void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    return status == DW_OK ? dwk_prepared_yuv(level, frame, pixels, memory) : status;
}

#endif

int32_t dw_features(const uint8_t *pixels, float *features, void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    if (status != DW_OK) {
        return status;
    }
    if (pixels == NULL || features == NULL) {
        return DW_NO_POINTER;
    }
    const dwk_mode before = dwk_floats_begin();
    status = dwk_run(level, pixels, memory);
    if (DWK_ANSWERED(status)) {
        level->features(memory, features);
    }
    dwk_floats_end(before);
    return status;
}

int32_t dw_verify(float *worst, void *arena)
{
    const dwk_level *level;
    uint8_t *memory;
    int32_t status = dwk_begin(arena, &level, &memory);
    if (status != DW_OK) {
        return status;
    }
    const dwk_float *expected = dwl_constants + DWL_WEIGHTS_GOLDEN;
    dwk_float *probabilities = (dwk_float *)(void *)(memory + level->at_probabilities);
    const dwk_float *judged = (const dwk_float *)(const void *)(memory + level->at_judged);
    float most = 0.0f;
    const dwk_mode before = dwk_floats_begin();
    for (int32_t number = 0; number < DWK_GOLDEN_CASES; number++) {
        dwk_golden_image(number, DWL_HEIGHT, DWL_WIDTH, DWL_CHANNELS, memory + level->at_pixels);
        const int32_t answered = dwk_answer(level, memory + level->at_pixels, probabilities, memory);
        if (!DWK_ANSWERED(answered)) {
            dwk_floats_end(before);
            return answered;
        }
        const float tolerance = dwk_tolerance(expected);
        for (int32_t i = 0; i < DWL_LABELS; i++) {
            float off = judged[i] - *expected++;
            off = off < 0.0f ? -off : off;
            /* Written so that a difference that is no number counts. */
            status = off <= tolerance ? status : DW_GOLDEN_DIFFERS;
            most = off <= most ? most : off;
        }
    }
    dwk_floats_end(before);
    if (worst != NULL) {
        *worst = most;
    }
    return status;
}

#endif
