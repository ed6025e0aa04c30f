/* emulated.c: runs a network step by step on the pixels from its input, and writes the whole arena after each step.
 *
 * Included behind model.c, and needs STEPS and test_one(number, pixels, arena); without a C library, so that it can be
 * built for any processor that an emulator knows. */
#if defined(__aarch64__)
static long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#define READ 63
#define WRITE 64
#define EXIT 93
__asm__(".globl _start\n_start: mov x29, #0\n bl begin\n");
#elif defined(__riscv)
static long call(long number, long a, long b, long c)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}
#define READ 63
#define WRITE 64
#define EXIT 93
__asm__(".globl _start\n_start: li s0, 0\n call begin\n");
#elif defined(__arm__)
static long call(long number, long a, long b, long c)
{
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    register long r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return r0;
}
#define READ 3
#define WRITE 4
#define EXIT 1
__asm__(".globl _start\n_start: mov r11, #0\n bl begin\n");
#endif

/* What compilers call. */
void *memset(void *to, int value, size_t count)
{
    volatile unsigned char *at = to;
    while (count-- > 0) {
        *at++ = (unsigned char)value;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    volatile unsigned char *at = to;
    const unsigned char *source = from;
    while (count-- > 0) {
        *at++ = *source++;
    }
    return to;
}

enum { GUARD = 4096, PIXELS = DWL_HEIGHT * DWL_WIDTH * DWL_CHANNELS };

static _Alignas(64) uint8_t memory[GUARD + DWL_ARENA_BYTES + GUARD], pixels[PIXELS];

static void all(long number, long file, uint8_t *at, long count)
{
    while (count > 0) {
        const long done = call(number, file, (long)at, count);
        if (done <= 0) {
            call(EXIT, 3, 0, 0);
        }
        at += done;
        count -= done;
    }
}

void begin(void);
void begin(void)
{
    for (long image = 0; image < IMAGES; image++) {
        all(READ, 0, pixels, PIXELS);
        memset(memory, 0xA5, sizeof memory);
        memset(memory + GUARD, 0xFF, DWL_ARENA_BYTES);
        for (int step = 0; step < STEPS; step++) {
            test_one(step, pixels, memory + GUARD);
            all(WRITE, 1, memory, sizeof memory);
        }
    }
    call(EXIT, 0, 0, 0);
}
