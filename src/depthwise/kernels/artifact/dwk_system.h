/* dwk_system.h: what threads need of a system: to sleep until a word changes, to wake those who do, and, where
 * DWK_MAKES_THREADS is defined, to begin and to end threads.
 *
 * DWK_HAS_THREADS is 0 where calls run on one thread only. DWK_POSIX_THREADS takes the functions that all systems of
 * POSIX have, whatever the system. */
#ifndef DWK_SYSTEM_H
#define DWK_SYSTEM_H

#include <stdatomic.h>
#include <stdint.h>

/* What a worker does that looks for another. */
#if defined(__x86_64__)
#define DWK_PAUSE() __asm__ volatile("pause")
#elif defined(__aarch64__)
/* "yield" does nothing on most processors. */
#define DWK_PAUSE() __asm__ volatile("isb" ::: "memory")
#elif defined(__riscv)
/* "pause", as a number for assemblers that do not know it; older processors take it for a fence of nothing. */
#define DWK_PAUSE() __asm__ volatile(".4byte 0x0100000f" ::: "memory")
#else
#define DWK_PAUSE() __asm__ volatile("" ::: "memory")
#endif

#if defined(__linux__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv) || (defined(__arm__) && __ARM_ARCH >= 7)
#define DWK_LINUX_THREADS 1
#endif
#endif

#if defined(DWK_POSIX_THREADS) || defined(__APPLE__)
#define DWK_HAS_THREADS 1
#include "dwk_system_posix.h"
#elif defined(DWK_LINUX_THREADS)
#define DWK_HAS_THREADS 1
#include "dwk_system_linux.h"
#elif defined(_WIN32)
#define DWK_HAS_THREADS 1
#include "dwk_system_windows.h"
#else
#define DWK_HAS_THREADS 0
#endif

#endif
