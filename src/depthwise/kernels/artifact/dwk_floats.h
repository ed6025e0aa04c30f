/* dwk_floats.h: how floats are rounded, whatever the caller has set.
 *
 * A thread may round up or down, or take the smallest numbers for 0, since it said so (fesetround), or since a library
 * did that was linked with -ffast-math; and it may be stopped by a number that is none (feenableexcept). Answers must
 * not depend on that. So a call computes in one way, and leaves the caller's settings and flags as they were: it rounds
 * to the nearest, is not stopped, and takes numbers for 0 that are smaller than 2^-126, where the processor can. Some
 * take a hundred times as long for these, and networks are trained that have them as weights. */
#ifndef DWK_FLOATS_H
#define DWK_FLOATS_H

#include <stdint.h>

#if defined(__SSE__)

/* To nearest, nothing stops the thread, and the smallest results and operands are 0. */
#define DWK_USUAL (0x1F80u | 0x8000u | 0x40u)
#define DWK_READ_MODE(mode) __asm__ volatile("stmxcsr %0" : "=m"(mode) : : "memory")
#define DWK_WRITE_MODE(mode) __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory")
typedef uint32_t dwk_mode;

#elif defined(__aarch64__)

#define DWK_USUAL (1u << 24)
#define DWK_READ_MODE(mode) __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory")
#define DWK_WRITE_MODE(mode) __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory")
typedef uint64_t dwk_mode;

#elif defined(__arm__) && defined(__ARM_FP)

#define DWK_USUAL (1u << 24)
#define DWK_READ_MODE(mode) __asm__ volatile("vmrs %0, fpscr" : "=r"(mode) : : "memory")
#define DWK_WRITE_MODE(mode) __asm__ volatile("vmsr fpscr, %0" : : "r"(mode) : "memory")
typedef uint32_t dwk_mode;

#elif defined(__riscv_flen)

#define DWK_USUAL 0u
#define DWK_READ_MODE(mode) __asm__ volatile("frcsr %0" : "=r"(mode) : : "memory")
#define DWK_WRITE_MODE(mode) __asm__ volatile("fscsr %0" : : "r"(mode) : "memory")
typedef uintptr_t dwk_mode;

#else

/* There is nothing to set, or nobody here knows how. */
#define DWK_USUAL 0u
#define DWK_READ_MODE(mode) (void)((mode) = 0u)
#define DWK_WRITE_MODE(mode) (void)(mode)
typedef uint32_t dwk_mode;

#endif

/* Compute in that way from here on; what was set before. */
static inline dwk_mode dwk_floats_begin(void)
{
    dwk_mode before;
    const dwk_mode usual = DWK_USUAL;
    DWK_READ_MODE(before);
    DWK_WRITE_MODE(usual);
    return before;
}

/* As it was before. */
static inline void dwk_floats_end(dwk_mode before) { DWK_WRITE_MODE(before); }

#endif
