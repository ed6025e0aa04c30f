/* peak.c: how many multiply-adds a second this processor can do at most, from loops that touch registers only.
 *
 * One function a precision; each runs `turns` times through 12 sums that do not wait for each other, more than any
 * multiply-add needs (two a cycle, each done after 4 or 5). The instruction depends on the processor that this is
 * compiled for; where it has none for a precision, the name is empty. In inline assembly, so that no compiler makes
 * fewer of them. */
#include <stdint.h>

#if defined(__AVX512F__)
typedef float vector __attribute__((vector_size(64)));
#define IN_REGISTER "v"
#define BYTES 64
#elif defined(__AVX2__)
typedef float vector __attribute__((vector_size(32)));
#define IN_REGISTER "x"
#define BYTES 32
#elif defined(__aarch64__)
typedef float vector __attribute__((vector_size(16)));
#define IN_REGISTER "w"
#define BYTES 16
#endif

/* The instruction of each precision, and the products that go into one 32-bit lane of its result. */
#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#define FLOAT32(sum) "vfmadd231ps %[a], %[b], %[" sum "]\n"
#define FLOAT32_NAME "vfmadd231ps"
#elif defined(__aarch64__)
#define FLOAT32(sum) "fmla %[" sum "].4s, %[a].4s, %[b].4s\n"
#define FLOAT32_NAME "fmla"
#endif

#if defined(__AVX512BF16__)
#define BFLOAT16(sum) "vdpbf16ps %[a], %[b], %[" sum "]\n"
#define BFLOAT16_NAME "vdpbf16ps"
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define BFLOAT16(sum) "bfdot %[" sum "].4s, %[a].8h, %[b].8h\n"
#define BFLOAT16_NAME "bfdot"
#endif

#if defined(__AVX512VNNI__)
#define INT8(sum) "vpdpbusd %[a], %[b], %[" sum "]\n"
#define INT8_NAME "vpdpbusd"
#define INT8_PRODUCTS 4
#elif defined(__AVXVNNI__)
#define INT8(sum) "{vex} vpdpbusd %[a], %[b], %[" sum "]\n"
#define INT8_NAME "vpdpbusd"
#define INT8_PRODUCTS 4
#elif defined(__ARM_FEATURE_DOTPROD)
#define INT8(sum) "sdot %[" sum "].4s, %[a].16b, %[b].16b\n"
#define INT8_NAME "sdot"
#define INT8_PRODUCTS 4
#endif

#define TURNS(step)                                                                                                    \
    vector a = {0}, b = {0};                                                                                           \
    vector s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;           \
    for (int64_t turn = 0; turn < turns; turn++) {                                                                     \
        __asm__ volatile(step("s0") step("s1") step("s2") step("s3") step("s4") step("s5") step("s6") step("s7")       \
                             step("s8") step("s9") step("s10") step("s11")                                             \
                         : [s0] "+" IN_REGISTER(s0), [s1] "+" IN_REGISTER(s1), [s2] "+" IN_REGISTER(s2),               \
                           [s3] "+" IN_REGISTER(s3), [s4] "+" IN_REGISTER(s4), [s5] "+" IN_REGISTER(s5),               \
                           [s6] "+" IN_REGISTER(s6), [s7] "+" IN_REGISTER(s7), [s8] "+" IN_REGISTER(s8),               \
                           [s9] "+" IN_REGISTER(s9), [s10] "+" IN_REGISTER(s10), [s11] "+" IN_REGISTER(s11)            \
                         : [a] IN_REGISTER(a), [b] IN_REGISTER(b));                                                    \
    }

#define KERNEL(precision, step, instruction, products)                                                                 \
    const char *dwb_##precision##_name(void) { return instruction; }                                                   \
    int64_t dwb_##precision##_products(void) { return 12 * (BYTES / 4) * (products); }                                 \
    void dwb_##precision(int64_t turns) { TURNS(step) }

#define NO_KERNEL(precision)                                                                                           \
    const char *dwb_##precision##_name(void) { return ""; }                                                            \
    int64_t dwb_##precision##_products(void) { return 0; }                                                             \
    void dwb_##precision(int64_t turns) { (void)turns; }

#ifdef FLOAT32
KERNEL(float32, FLOAT32, FLOAT32_NAME, 1)
#else
NO_KERNEL(float32)
#endif

#ifdef BFLOAT16
KERNEL(bf16, BFLOAT16, BFLOAT16_NAME, 2)
#else
NO_KERNEL(bf16)
#endif

#ifdef INT8
KERNEL(int8, INT8, INT8_NAME, INT8_PRODUCTS)
#else
NO_KERNEL(int8)
#endif
