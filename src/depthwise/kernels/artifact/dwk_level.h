/* dwk_level.h: what the functions of depthwise.h know of a network that was compiled for one level of instructions.
 *
 * Needs DWL_THREADS, and dwk_team.h where it is above 1. */
#ifndef DWK_LEVEL_H
#define DWK_LEVEL_H

#include <stdint.h>

#include "depthwise.h"
#include "dwk_processor.h"
#include "dwk_vector.h"

#ifndef DWL_FLOAT16
#define DWL_FLOAT16 0
#endif

#if DWL_THREADS == 1
typedef void dwk_network(const uint8_t *pixels, uint8_t *arena);
#endif

/* An artifact carries one of these, or several, each compiled for processors that have what it needs. */
typedef struct {
    const char *name;
    const char *maker; /* of the processors on which alone it is chosen, or NULL */
    const dwk_needs *needs;
    /* Bytes from the beginning of the arena to scratch of `prepare`, prepared pixels, the sums of the labels, their
     * probabilities, and to whichever of the last two the golden cases hold. */
    int32_t at_prepare, at_pixels, at_sums, at_probabilities, at_judged;
    int32_t (*prepare)(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels,
                       void *scratch);
    int32_t (*prepare_yuv)(const dw_yuv *frame, uint8_t *pixels, void *scratch);
    dwk_network *network;
    void (*softmax)(const dwk_float *sums, int32_t count, dwk_float *probabilities);
    void (*features)(const uint8_t *arena, dwk_float *features);
} dwk_level;

#endif
