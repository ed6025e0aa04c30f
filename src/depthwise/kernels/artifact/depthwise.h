/* depthwise.h: how an artifact is called. Interface version 1.4, described in docs/artifact.md.
 *
 * An artifact is one network with its weights, labels and preprocessing. It allocates nothing, opens nothing and
 * keeps no state between calls but the level and the threads that it was told to use, and whether these were of use.
 * One that runs on a GPU opens the GPU's driver, and keeps the network in the GPU's memory until it is unloaded.
 * Two calls may run at the same time when each has an arena of its own. */
#ifndef DEPTHWISE_H
#define DEPTHWISE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DW_INTERFACE_MAJOR 1u
#define DW_INTERFACE_MINOR 4u

/* No frame that is prepared has a side of more pixels; an artifact may be compiled for fewer. */
#define DW_LONGEST_SIDE 65535

/* What a call returns. */
enum {
    DW_OK = 0,
    DW_NO_POINTER = 1,      /* a pointer that must not be null is null */
    DW_FRAME_SIZE = 2,      /* height or width of a frame is below 1 or too large, or its pitch is too small */
    DW_ARENA_ALIGNMENT = 3, /* the arena does not begin at a multiple of 64 bytes */
    DW_GOLDEN_DIFFERS = 4,  /* an answer differs from the one that the oracle gave when the artifact was made */
    DW_PROCESSOR = 5,       /* this processor lacks instructions that the artifact was built for */
    DW_NO_LEVEL = 6,        /* the artifact carries no level of this index */
    DW_LEFT_OUT = 7,        /* the artifact was compiled without this function */
    DW_LAYOUT = 8,          /* a field of a dw_yuv is none of its values */
    DW_NO_GPU = 9,          /* the artifact runs on a GPU, and no driver shows one that can run it. Since 1.4 */
    DW_GPU_FAILED = 10      /* the GPU did not do it: its memory is full, or the process was forked. Since 1.4 */
};

/* major << 16 | minor. A caller refuses another major version and reads nothing else. */
uint32_t dw_interface(void);

/* DW_OK or DW_PROCESSOR; then a call of dw_run, dw_classify, dw_prepare, dw_features or dw_verify may end the process.
 * Of an artifact that runs on a GPU also DW_NO_GPU or DW_GPU_FAILED, and those calls return the same. Since 1.1. */
int32_t dw_processor(void);

/* Let calls run on this many threads, which the artifact starts and keeps until there are to be fewer; 1 at first.
 * Returns how many they are now: fewer where it was compiled for fewer or the system gives no more. A number below 1
 * changes nothing. Answers do not depend on it. A call does not wait for a thread that gets no processor, and after one
 * in which threads were of no use some calls run on the caller's alone. Waits for the call that has the threads. Since
 * 1.2. */
int32_t dw_set_threads(int32_t threads);

/* The levels of instructions that the artifact carries, from the lowest to the highest, by name ("portable", "avx2");
 * null for an index that is out of range. Since 1.2. */
int32_t dw_level_count(void);
const char *dw_level(int32_t index);

/* The level that calls use: the one that dw_use_level chose, else the highest that this processor has. Since 1.2. */
int32_t dw_level_in_use(void);

/* Chooses a level for calls that begin after it: DW_OK, or DW_NO_LEVEL or DW_PROCESSOR, and then nothing changes.
 * Since 1.2. */
int32_t dw_use_level(int32_t index);

/* JSON in UTF-8: network, preprocessing, precision, target, cost, provenance, accuracy. */
const char *dw_record(void);

/* The input that dw_run takes: height x width x channels bytes, rows from the top, channels together. */
int32_t dw_input_height(void);
int32_t dw_input_width(void);
int32_t dw_input_channels(void);

/* Labels in UTF-8, in the order of the probabilities; null for an index that is out of range. */
int32_t dw_label_count(void);
const char *dw_label(int32_t index);

/* Number of pooled features that dw_features writes. */
int32_t dw_feature_count(void);

/* Bytes of an arena, which must begin at a multiple of 64; enough for every level. */
size_t dw_arena_bytes(void);

/* Probabilities of prepared pixels. A null arena stands for the one built in, which one call at a time may use. */
int32_t dw_run(const uint8_t *pixels, float *probabilities, void *arena);

/* Probabilities of a frame of any size: RGB (or grey, for a network of one channel), `pitch` bytes from row to row.
 * Resizes and crops as training did, to the same bytes. */
int32_t dw_classify(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, float *probabilities,
                    void *arena);

/* The prepared pixels that dw_classify gives to the network, for those who want to look. */
int32_t dw_prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *arena);

/* The features after global pooling, which the classifier reads. */
int32_t dw_features(const uint8_t *pixels, float *features, void *arena);

/* DW_OK when every golden case gives the oracle's answer. `worst`, unless null, gets the largest difference. */
int32_t dw_verify(float *worst, void *arena);

/* A frame as cameras and decoders give it: brightness Y, and colours U and V that several pixels share.
 *
 * The Y of row r and column c lies r * y_pitch + c * y_step bytes from the first, its U and V lie
 * r / down * uv_pitch + c / across * uv_step bytes from theirs. Distances may be negative, for a frame that is turned.
 * U and V may both be null, for a grey frame. Since 1.3. */
typedef struct {
    const uint8_t *y, *u, *v;  /* the first byte of each */
    int64_t y_pitch, uv_pitch; /* from row to row */
    int64_t y_step, uv_step;   /* from column to column: 1, or 2 for U and V that alternate (NV12), 2 and 4 for YUYV */
    int32_t height, width;     /* pixels, 1 to 65,535 each */
    int32_t down, across;      /* rows and columns that share a U and a V, 1 or 2: both 2 for 4:2:0 */
    int32_t matrix;            /* DW_BT601 or DW_BT709 */
    int32_t range;             /* DW_LIMITED or DW_FULL */
} dw_yuv;

enum { DW_BT601 = 0, DW_BT709 = 1 };

/* Whether black is 16 and white 235, as in video, or 0 and 255, as in JPEG. */
enum { DW_LIMITED = 0, DW_FULL = 1 };

/* dw_classify and dw_prepare of a frame in YUV, without a copy of it in RGB: the answers to that copy, if each of its
 * pixels is converted by rule Y1 of docs/preprocessing.md. Since 1.3. */
int32_t dw_classify_yuv(const dw_yuv *frame, float *probabilities, void *arena);
int32_t dw_prepare_yuv(const dw_yuv *frame, uint8_t *pixels, void *arena);

#ifdef __cplusplus
}
#endif

#endif
