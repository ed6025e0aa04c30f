/* dwk_processor_x86.h: whether a processor of x86 has what a compiler was told to use.
 *
 * Asked of the processor itself (cpuid) and of the system (xgetbv: whether it keeps the wide registers): compilers'
 * own functions for it need their run-time library, and zig's answers 0 to everything. */
#ifndef DWK_PROCESSOR_X86_H
#define DWK_PROCESSOR_X86_H

#include <stdint.h>

/* Bits of cpuid that code needs: of leaf 1 ecx, of leaf 7 ebx, ecx and edx, of leaf 7.1 eax and edx, of leaf 0x80000001
 * ecx; and of xcr0, the registers that the system must keep. */
typedef struct {
    uint32_t leaf1c, leaf7b, leaf7c, leaf7d, leaf71a, leaf71d, leaf81c, xcr0;
} dwk_needs;

/* The registers of AMX in xcr0: the tiles, and their sizes. Only code that names them uses them (dwk_amx.h). */
#define DWK_TILES 0x60000u

/* What the file that includes this is compiled with: a bit for each macro by which compilers tell of instructions that
 * they may use of their own accord, in any code. Others, such as those for encryption, they use where they are named.
 */
static const dwk_needs dwk_needed = {
    .leaf1c = 0u
#ifdef __SSE3__
              | 1u << 0
#endif
#ifdef __SSSE3__
              | 1u << 9
#endif
#ifdef __FMA__
              | 1u << 12
#endif
#ifdef __SSE4_1__
              | 1u << 19
#endif
#ifdef __SSE4_2__
              | 1u << 20
#endif
#ifdef __MOVBE__
              | 1u << 22
#endif
#ifdef __POPCNT__
              | 1u << 23
#endif
#ifdef __AVX__
              | 1u << 28 | 1u << 27
#endif
#ifdef __F16C__
              | 1u << 29
#endif
    ,
    .leaf7b = 0u
#ifdef __BMI__
              | 1u << 3
#endif
#ifdef __AVX2__
              | 1u << 5
#endif
#ifdef __BMI2__
              | 1u << 8
#endif
#ifdef __AVX512F__
              | 1u << 16
#endif
#ifdef __AVX512DQ__
              | 1u << 17
#endif
#ifdef __AVX512IFMA__
              | 1u << 21
#endif
#ifdef __AVX512CD__
              | 1u << 28
#endif
#ifdef __AVX512BW__
              | 1u << 30
#endif
#ifdef __AVX512VL__
              | 1u << 31
#endif
    ,
    .leaf7c = 0u
#ifdef __AVX512VBMI__
              | 1u << 1
#endif
#ifdef __AVX512VBMI2__
              | 1u << 6
#endif
#ifdef __GFNI__
              | 1u << 8
#endif
#ifdef __AVX512VNNI__
              | 1u << 11
#endif
#ifdef __AVX512BITALG__
              | 1u << 12
#endif
#ifdef __AVX512VPOPCNTDQ__
              | 1u << 14
#endif
    ,
    .leaf7d = 0u
#ifdef __AVX512VP2INTERSECT__
              | 1u << 8
#endif
#ifdef __AVX512FP16__
              | 1u << 23
#endif
#ifdef DWK_HAS_TILES
              | 1u << 22 | 1u << 24 | 1u << 25
#endif
    ,
    .leaf71a = 0u
#ifdef __AVXVNNI__
               | 1u << 4
#endif
#ifdef __AVX512BF16__
               | 1u << 5
#endif
#ifdef __AVXIFMA__
               | 1u << 23
#endif
    ,
    .leaf71d = 0u
#ifdef __AVXVNNIINT8__
               | 1u << 4
#endif
#ifdef __AVXNECONVERT__
               | 1u << 5
#endif
#ifdef __AVXVNNIINT16__
               | 1u << 10
#endif
#ifdef __APX_F__
               | 1u << 21
#endif
    ,
    .leaf81c = 0u
#ifdef __LAHF_SAHF__
               | 1u << 0
#endif
#ifdef __LZCNT__
               | 1u << 5
#endif
#ifdef __SSE4A__
               | 1u << 6
#endif
#ifdef __XOP__
               | 1u << 11
#endif
#ifdef __FMA4__
               | 1u << 16
#endif
#ifdef __TBM__
               | 1u << 21
#endif
    ,
    /* Registers of 128 and 256 bits, the three parts of those of 512, tiles, and 16 more general ones. */
    .xcr0 = 0u
#if defined(__AVX__)
            | 0x06u
#endif
#if defined(__AVX512F__)
            | 0xE0u
#endif
#ifdef DWK_HAS_TILES
            | DWK_TILES
#endif
#ifdef __APX_F__
            | 1u << 19
#endif
};

#if defined(__x86_64__)

/* What asks may not use what it asks for; a file of one level has it and asks nothing. */
#define DWK_PLAIN __attribute__((noinline, unused, target("no-avx,no-bmi,no-bmi2")))

typedef struct {
    uint32_t a, b, c, d;
} dwk_cpuid_answer;

DWK_PLAIN static dwk_cpuid_answer dwk_cpuid(uint32_t leaf, uint32_t part)
{
    dwk_cpuid_answer of;
    __asm__ volatile("cpuid" : "=a"(of.a), "=b"(of.b), "=c"(of.c), "=d"(of.d) : "a"(leaf), "c"(part));
    return of;
}

/* 1 where something is missing, else 0. */
DWK_PLAIN static int32_t dwk_processor_lacks(const dwk_needs *needs)
{
    const uint32_t leaves = dwk_cpuid(0, 0).a;
    uint32_t missing = needs->leaf1c & ~dwk_cpuid(1, 0).c;
    if (missing != 0) {
        return 1;
    }
    /* The processor has xgetbv: whatever needs those registers needs the bit of leaf 1 that says so. */
    if (needs->xcr0 != 0) {
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        missing |= needs->xcr0 & ~low;
    }
    dwk_cpuid_answer seven = {0, 0, 0, 0}, one = {0, 0, 0, 0}, extended = {0, 0, 0, 0};
    if (leaves >= 7) {
        seven = dwk_cpuid(7, 0);
    }
    if (seven.a >= 1) {
        one = dwk_cpuid(7, 1);
    }
    if (dwk_cpuid(0x80000000u, 0).a > 0x80000000u) {
        extended = dwk_cpuid(0x80000001u, 0);
    }
    missing |= needs->leaf7b & ~seven.b;
    missing |= needs->leaf7c & ~seven.c;
    missing |= needs->leaf7d & ~seven.d;
    missing |= needs->leaf71a & ~one.a;
    missing |= needs->leaf71d & ~one.d;
    missing |= needs->leaf81c & ~extended.c;
    return missing != 0;
}

#define DWK_MAKER_IS_TOLD

/* Of twelve letters, as cpuid has them. */
DWK_PLAIN static int32_t dwk_processor_is_by(const char *maker)
{
    const dwk_cpuid_answer of = dwk_cpuid(0, 0);
    const uint32_t name[] = {of.b, of.d, of.c};
    for (int32_t i = 0; i < 12; i++) {
        if ((name[i / 4] >> i % 4 * 8 & 255) != (uint8_t)maker[i]) {
            return 0;
        }
    }
    return 1;
}

#define DWK_SYSTEM_IS_ASKED

/* 1 where the system refuses registers that code needs, else 0. Linux keeps tiles for a process only once it has asked
 * for them. It refuses where it is too old (EINVAL), where a filter forbids the question (EPERM), and where a thread
 * has a signal stack too small for tiles to be saved on (ENOSPC); and where it agrees, it refuses such stacks from then
 * on. So this comes last, when the processor has all else. */
DWK_PLAIN static int32_t dwk_system_refuses(const dwk_needs *needs)
{
    if ((needs->xcr0 & DWK_TILES) == 0) {
        return 0;
    }
#if defined(__linux__) && defined(__LP64__)
    /* arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) */
    long answer;
    __asm__ volatile("syscall" : "=a"(answer) : "0"(158L), "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
    return answer != 0;
#else
    return 1;
#endif
}

#else

static inline int32_t dwk_processor_lacks(const dwk_needs *needs) { return needs->xcr0 != 0; }

#endif

#endif
