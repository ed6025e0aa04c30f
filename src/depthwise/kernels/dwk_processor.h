/* dwk_processor.h: whether this processor has what the compiler was told to use.
 *
 * Asked of the processor itself (cpuid) and of the system (xgetbv: whether it keeps the wide registers): compilers'
 * own functions for it need their run-time library, and zig's answers 0 to everything. */
#ifndef DWK_PROCESSOR_H
#define DWK_PROCESSOR_H

#include <stdint.h>

#if defined(__x86_64__)

/* Bits of cpuid that stand for what this file was compiled with: of leaf 1 ecx, leaf 7 ebx, ecx and edx, leaf 7.1 eax. */
enum {
    DWK_CPUID_1C = 0
#ifdef __SSE4_2__
                   | 1 << 20
#endif
#ifdef __FMA__
                   | 1 << 12
#endif
#ifdef __MOVBE__
                   | 1 << 22
#endif
#ifdef __POPCNT__
                   | 1 << 23
#endif
#ifdef __AVX__
                   | 1 << 28 | 1 << 27
#endif
#ifdef __F16C__
                   | 1 << 29
#endif
    ,
    DWK_CPUID_7B = 0
#ifdef __BMI__
                   | 1 << 3
#endif
#ifdef __AVX2__
                   | 1 << 5
#endif
#ifdef __BMI2__
                   | 1 << 8
#endif
#ifdef __AVX512F__
                   | 1 << 16
#endif
#ifdef __AVX512DQ__
                   | 1 << 17
#endif
#ifdef __AVX512CD__
                   | 1 << 28
#endif
#ifdef __AVX512BW__
                   | 1 << 30
#endif
    ,
    DWK_CPUID_7C = 0
#ifdef __AVX512VBMI__
                   | 1 << 1
#endif
#ifdef __AVX512VBMI2__
                   | 1 << 6
#endif
#ifdef __GFNI__
                   | 1 << 8
#endif
#ifdef __AVX512VNNI__
                   | 1 << 11
#endif
#ifdef __AVX512BITALG__
                   | 1 << 12
#endif
#ifdef __AVX512VPOPCNTDQ__
                   | 1 << 14
#endif
    ,
    DWK_CPUID_7D = 0
#ifdef __AVX512FP16__
                   | 1 << 23
#endif
    ,
    DWK_CPUID_71A = 0
#ifdef __AVXVNNI__
                    | 1 << 4
#endif
#ifdef __AVX512BF16__
                    | 1 << 5
#endif
    ,
    /* Registers that the system must keep: of 128 and 256 bits, and the three parts of those of 512. */
#if defined(__AVX512F__)
    DWK_XCR0 = 0xE6
#elif defined(__AVX__)
    DWK_XCR0 = 0x06
#else
    DWK_XCR0 = 0
#endif
};

static void dwk_cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(*c));
}

/* 1 where something is missing, else 0. */
static int32_t dwk_processor_lacks(void)
{
    uint32_t a, b, c = 0, d;
    dwk_cpuid(0, &a, &b, &c, &d);
    const uint32_t leaves = a;
    c = 0;
    dwk_cpuid(1, &a, &b, &c, &d);
    if ((c & (uint32_t)DWK_CPUID_1C) != (uint32_t)DWK_CPUID_1C) {
        return 1;
    }
    if (DWK_XCR0 != 0) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        if ((a & (uint32_t)DWK_XCR0) != (uint32_t)DWK_XCR0) {
            return 1;
        }
    }
    b = c = d = 0;
    if (leaves >= 7) {
        dwk_cpuid(7, &a, &b, &c, &d);
    }
#ifdef __AVX512VL__
    if ((b >> 31 & 1) == 0) {
        return 1;
    }
#endif
    if ((b & (uint32_t)DWK_CPUID_7B) != (uint32_t)DWK_CPUID_7B ||
        (c & (uint32_t)DWK_CPUID_7C) != (uint32_t)DWK_CPUID_7C ||
        (d & (uint32_t)DWK_CPUID_7D) != (uint32_t)DWK_CPUID_7D) {
        return 1;
    }
    a = 0;
    if (leaves >= 7) {
        c = 1;
        dwk_cpuid(7, &a, &b, &c, &d);
    }
    return (a & (uint32_t)DWK_CPUID_71A) != (uint32_t)DWK_CPUID_71A;
}

#else

static int32_t dwk_processor_lacks(void) { return 0; }

#endif

#endif
