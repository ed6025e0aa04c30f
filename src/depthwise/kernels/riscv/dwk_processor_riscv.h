/* dwk_processor_riscv.h: whether a RISC-V processor has what a compiler was told to use: vectors, and of which length.
 *
 * The system says whether there are vectors (AT_HWCAP). Older systems for C906 and C910 say so of a draft, V 0.7.1,
 * whose instructions look the same and mean something else; so the processor is asked too. The C library's getauxval is
 * a weak symbol, as a library needs none else; where there is none, there are no vectors. */
#ifndef DWK_PROCESSOR_RISCV_H
#define DWK_PROCESSOR_RISCV_H

#include <stddef.h>
#include <stdint.h>

/* What the file that includes this is compiled with: bits that a vector must have, or 0 without vectors. */
typedef struct {
    uint32_t vector_bits;
} dwk_needs;

#if defined(__riscv_v_min_vlen)
static const dwk_needs dwk_needed = {__riscv_v_min_vlen};
#else
static const dwk_needs dwk_needed = {0u};
#endif

#if defined(__linux__) && __riscv_xlen == 64

#define DWK_AT_HWCAP 16
#define DWK_HWCAP_V (1ul << ('V' - 'A'))

extern unsigned long getauxval(unsigned long kind) __attribute__((weak));

/* Bits of a vector; 0 where the vectors are no V 1.0. There must be vectors of some kind. The instructions stand as
 * numbers, for assemblers that do not know them: `vsetvli %0, zero, e8, m1, ta, ma`, whose last two words V 0.7.1 does
 * not have, so that it sets the highest bit of vtype; `csrr %0, vtype`; `csrr %0, vlenb`. */
__attribute__((noinline)) static uint32_t dwk_vector_bits(void)
{
    intptr_t type;
    uintptr_t bytes;
    __asm__ volatile(".insn i 0x57, 7, %0, x0, 0xC0\n\t"
                     "csrr %0, 0xC21"
                     : "=r"(type));
    if (type < 0) {
        return 0;
    }
    __asm__ volatile("csrr %0, 0xC22" : "=r"(bytes));
    return (uint32_t)bytes * 8;
}

/* 1 where something is missing, else 0. */
static inline int32_t dwk_processor_lacks(const dwk_needs *needs)
{
    if (needs->vector_bits == 0) {
        return 0;
    }
    if (getauxval == NULL || (getauxval(DWK_AT_HWCAP) & DWK_HWCAP_V) == 0) {
        return 1;
    }
    return dwk_vector_bits() < needs->vector_bits;
}

#else

/* Nobody is asked: what the compiler was told holds. */
static inline int32_t dwk_processor_lacks(const dwk_needs *needs)
{
    (void)needs;
    return 0;
}

#endif

#endif
