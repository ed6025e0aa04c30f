/* peak.c: how many multiply-adds a second this processor can do at most, from loops that touch registers only.
 *
 * One function a precision; each runs `turns` times through 12 sums that do not wait for each other, more than any
 * multiply-add needs (two a cycle, each done after 4 or 5). The instruction depends on the processor that this is
 * compiled for; where it has none for a precision, the name is empty. In inline assembly, so that no compiler makes
 * fewer of them.
 *
 * Where the system lends the tiles of AMX, their instruction is taken: six tiles of sums, of values that differ, as it
 * is faster on zeros than on what a network has. */
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

/* The same with tiles where the system lends them: each of six tiles gets the products of 16 rows and 16 columns. */
#define TILE_KERNEL(precision, instruction, tile_instruction, products, step, tile_step)                               \
    const char *dwb_##precision##_name(void) { return has_tiles() ? tile_instruction : instruction; }                  \
    int64_t dwb_##precision##_products(void)                                                                           \
    {                                                                                                                  \
        return has_tiles() ? 6 * 16 * 16 * 16 * (products) : 12 * (BYTES / 4) * (products);                            \
    }                                                                                                                  \
    void dwb_##precision(int64_t turns)                                                                                \
    {                                                                                                                  \
        if (has_tiles()) {                                                                                             \
            begin_tiles();                                                                                             \
            for (int64_t turn = 0; turn < turns; turn++) {                                                             \
                __asm__ volatile(tile_step("0") tile_step("1") tile_step("2") tile_step("3") tile_step("4")            \
                                     tile_step("5")::);                                                                \
            }                                                                                                          \
            __asm__ volatile("tilerelease");                                                                           \
        } else {                                                                                                       \
            TURNS(step)                                                                                                \
        }                                                                                                              \
    }

#if defined(__linux__) && defined(__AMX_TILE__) && defined(__AMX_INT8__) && defined(__AMX_BF16__) &&                   \
    defined(__AVX512VNNI__) && defined(__AVX512BF16__)
#define HAS_TILES
#define INT8_TILE(tile) "tdpbusd %%tmm7, %%tmm6, %%tmm" tile "\n"
#define BFLOAT16_TILE(tile) "tdpbf16ps %%tmm7, %%tmm6, %%tmm" tile "\n"

/* arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA): 0 where they may be used. */
static int has_tiles(void)
{
    long answer;
    __asm__ volatile("syscall" : "=a"(answer) : "0"(158L), "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
    return answer == 0;
}

static void begin_tiles(void)
{
    struct {
        uint8_t palette, row, none[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } sizes = {.palette = 1};
    uint16_t values[16][32];
    for (int tile = 0; tile < 8; tile++) {
        sizes.bytes[tile] = 64;
        sizes.rows[tile] = 16;
    }
    /* As bfloat16 from 0.5 to 2, of both signs. */
    for (int i = 0; i < 16 * 32; i++) {
        values[i / 32][i % 32] = (uint16_t)(0x3F00 + i * 37 % 256 + i % 2 * 0x8000);
    }
    __asm__ volatile("ldtilecfg %0\n"
                     "tileloadd (%1, %2), %%tmm6\n"
                     "tileloadd (%1, %2), %%tmm7\n"
                     "tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n"
                     "tilezero %%tmm3\n tilezero %%tmm4\n tilezero %%tmm5\n"
                     :
                     : "m"(sizes), "r"(values), "r"(64L)
                     : "memory");
}
#endif

#ifdef FLOAT32
KERNEL(float32, FLOAT32, FLOAT32_NAME, 1)
#else
NO_KERNEL(float32)
#endif

#ifdef HAS_TILES
TILE_KERNEL(bf16, BFLOAT16_NAME, "tdpbf16ps", 2, BFLOAT16, BFLOAT16_TILE)
#elif defined(BFLOAT16)
KERNEL(bf16, BFLOAT16, BFLOAT16_NAME, 2)
#else
NO_KERNEL(bf16)
#endif

#ifdef HAS_TILES
TILE_KERNEL(int8, INT8_NAME, "tdpbusd", INT8_PRODUCTS, INT8, INT8_TILE)
#elif defined(INT8)
KERNEL(int8, INT8, INT8_NAME, INT8_PRODUCTS)
#else
NO_KERNEL(int8)
#endif
