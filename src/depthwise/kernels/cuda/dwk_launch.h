/* dwk_launch.h: one kernel of a network's graph on a GPU. */
#ifndef DWK_LAUNCH_H
#define DWK_LAUNCH_H

#include <stdint.h>

/* Where it reads and writes is in bytes from the beginning of the memory for activations, its constants in words from
 * the beginning of dwl_weights. */
typedef struct {
    const char *kernel;
    uint32_t blocks_x, blocks_y, threads;
    uint64_t in, out, first, second;
} dwk_launch;

#endif
