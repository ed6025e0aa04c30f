/* fake_processor.h: takes the place of dwk_processor.h: a processor and a system that answer as a test says.
 *
 * A file that has kernels on tiles needs them, and the system's permission. */
#ifndef DWK_PROCESSOR_H
#define DWK_PROCESSOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t tiles;
} dwk_needs;

#ifdef DWK_AMX_H
static const dwk_needs dwk_needed = {1};
#else
static const dwk_needs dwk_needed = {0};
#endif

/* Whether the processor has tiles, what the system answers, and how often it was asked. */
extern int32_t dwt_has_tiles, dwt_refuses, dwt_asked;

static inline int32_t dwk_processor_lacks(const dwk_needs *needs) { return needs->tiles && !dwt_has_tiles; }

static inline int32_t dwk_processor_is_by(const char *maker) { return maker == NULL; }

static inline int32_t dwk_system_refuses(const dwk_needs *needs)
{
    dwt_asked += needs->tiles;
    return needs->tiles && dwt_refuses;
}

#endif
