/* counted.c: one inference between two calls of getppid, where count_plugin.c counts; without a C library, so that it
 * can be built for any processor that an emulator knows. */
#include "depthwise.h"

enum { SIDE = 256, LABELS = 1000 };

#if defined(__riscv)
enum { GETPPID = 173, EXIT = 93 };
static void call(long number, long a)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
}
__asm__(".globl _start\n_start: li s0, 0\n call begin\n");
#elif defined(__aarch64__)
enum { GETPPID = 173, EXIT = 93 };
static void call(long number, long a)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory");
}
__asm__(".globl _start\n_start: mov x29, #0\n bl begin\n");
#elif defined(__arm__)
enum { GETPPID = 64, EXIT = 1 };
static void call(long number, long a)
{
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7) : "memory");
}
__asm__(".globl _start\n_start: mov r11, #0\n bl begin\n");
#elif defined(__x86_64__)
enum { GETPPID = 110, EXIT = 60 };
static void call(long number, long a)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
    (void)result;
}
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call begin\n");
#endif

/* What compilers call; in steps of 16 bytes, as a C library has it. */
typedef unsigned char sixteen __attribute__((vector_size(16), aligned(1), may_alias));

void *memset(void *to, int value, size_t count)
{
    unsigned char *at = to;
    for (; count >= 16; count -= 16, at += 16) {
        __asm__ volatile("" ::: "memory");
        *(sixteen *)at = (unsigned char)value - (sixteen){0};
    }
    while (count-- > 0) {
        *(volatile unsigned char *)at++ = (unsigned char)value;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    for (; count >= 16; count -= 16, at += 16, source += 16) {
        __asm__ volatile("" ::: "memory");
        *(sixteen *)at = *(const sixteen *)source;
    }
    while (count-- > 0) {
        *(volatile unsigned char *)at++ = *source++;
    }
    return to;
}

static unsigned char pixels[3 * SIDE * SIDE];
static float probabilities[LABELS];

void begin(void);
void begin(void)
{
    for (unsigned i = 0; i < sizeof pixels; i++) {
        pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    }
    /* Once without counting, so that nothing is set up while it is counted. */
    const int32_t differs = dw_verify(NULL, NULL);
    call(GETPPID, 0);
    dw_run(pixels, probabilities, NULL);
    call(GETPPID, 0);
    call(EXIT, differs);
}
