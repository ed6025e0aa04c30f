/* dwk_processor_arm.h: whether an ARM processor has what a compiler was told to use, as Linux and Android say it.
 *
 * The C library's getauxval tells what the kernel handed to the process. It is a weak symbol, so that a library needs
 * no C library for it; where there is none, a processor is taken to have what all of 64 bits have, or of 32 bits what
 * the library was built for. On other systems a library has one level, and nothing is asked. */
#ifndef DWK_PROCESSOR_ARM_H
#define DWK_PROCESSOR_ARM_H

#include <stddef.h>
#include <stdint.h>

/* Bits of AT_HWCAP and AT_HWCAP2 that code needs. */
typedef struct {
    uint64_t hwcap, hwcap2;
} dwk_needs;

/* What the file that includes this is compiled with: the bit of each instruction set that compilers use of their own
 * accord, or that kernels name. */
static const dwk_needs dwk_needed = {.hwcap = 0u
#if defined(__linux__) && defined(__arm__)
#ifdef __ARM_NEON
                                              | 1u << 12
#endif
#elif defined(__linux__)
#ifdef __ARM_FEATURE_ATOMICS
                                              | 1u << 8
#endif
#ifdef __ARM_FEATURE_FP16_SCALAR_ARITHMETIC
                                              | 1u << 9
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
                                              | 1u << 10
#endif
#ifdef __ARM_FEATURE_QRDMX
                                              | 1u << 12
#endif
#ifdef __ARM_FEATURE_RCPC
                                              | 1u << 15
#endif
#ifdef __ARM_FEATURE_DOTPROD
                                              | 1u << 20
#endif
#ifdef __ARM_FEATURE_SVE
                                              | 1u << 22
#endif
#endif
                                     ,
                                     .hwcap2 = 0u
#if defined(__linux__) && defined(__aarch64__)
#ifdef __ARM_FEATURE_SVE2
                                               | 1u << 1
#endif
#ifdef __ARM_FEATURE_MATMUL_INT8
                                               | 1u << 13
#endif
#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
                                               | 1u << 14
#endif
#endif
};

#if defined(__linux__)

#define DWK_AT_HWCAP 16
#define DWK_AT_HWCAP2 26

extern unsigned long getauxval(unsigned long kind) __attribute__((weak));

/* 1 where something is missing, else 0. */
static inline int32_t dwk_processor_lacks(const dwk_needs *needs)
{
    if (getauxval == NULL) {
#ifdef __arm__
        return 0;
#else
        return (needs->hwcap | needs->hwcap2) != 0;
#endif
    }
    return ((needs->hwcap & ~getauxval(DWK_AT_HWCAP)) | (needs->hwcap2 & ~getauxval(DWK_AT_HWCAP2))) != 0;
}

#else

static inline int32_t dwk_processor_lacks(const dwk_needs *needs) { return (needs->hwcap | needs->hwcap2) != 0; }

#endif

#endif
