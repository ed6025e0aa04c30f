/* dwk_processor.h: whether a processor has what a compiler was told to use.
 *
 * Each family of processors says it in its own way: `dwk_needs` is what code needs, `dwk_needed` what the file needs
 * that includes this, and `dwk_processor_lacks` asks the processor; `dwk_system_refuses` asks the system, where that
 * has a say in it. `dwk_processor_is_by` says whether it is of a maker, whom it names itself. */
#ifndef DWK_PROCESSOR_H
#define DWK_PROCESSOR_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include "dwk_processor_x86.h"
#elif defined(__aarch64__) || defined(__arm__)
#include "dwk_processor_arm.h"
#elif defined(__riscv)
#include "dwk_processor_riscv.h"
#else

/* Nothing is used that a processor could lack. */
typedef struct {
    uint32_t nothing;
} dwk_needs;

static const dwk_needs dwk_needed = {0u};

static inline int32_t dwk_processor_lacks(const dwk_needs *needs) { return needs->nothing != 0; }

#endif

#ifndef DWK_MAKER_IS_TOLD
/* Nothing depends on the maker. */
static inline int32_t dwk_processor_is_by(const char *maker)
{
    (void)maker;
    return 0;
}
#endif

#ifndef DWK_SYSTEM_IS_ASKED
/* Whatever the processor has may be used without a question. */
static inline int32_t dwk_system_refuses(const dwk_needs *needs)
{
    (void)needs;
    return 0;
}
#endif

#endif
