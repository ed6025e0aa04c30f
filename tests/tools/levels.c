/* levels.c: says which levels an artifact carries, which one it uses, and whether the golden cases hold at each.
 *
 * Without a C library, so that it can be linked for another processor and run by qemu. */
#include "depthwise.h"

#if defined(__x86_64__)
static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#define WRITE 1
#define EXIT 60
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call begin\n");
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
#define WRITE 64
#define EXIT 93
__asm__(".globl _start\n_start: li s0, 0\n la a0, stack\n sd sp, 0(a0)\n call begin\n");
#else
static long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#define WRITE 64
#define EXIT 93
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n adrp x1, stack\n str x0, [x1, :lo12:stack]\n bl begin\n");
#endif

#if !defined(__x86_64__)
/* What the kernel put on the stack: arguments, environment, then what getauxval tells, each list with 0 at its end. */
unsigned long *stack;

unsigned long getauxval(unsigned long kind);
unsigned long getauxval(unsigned long kind)
{
    unsigned long *at = stack + 1 + stack[0] + 1;
    while (*at++ != 0) {
    }
    while (at[0] != 0 && at[0] != kind) {
        at += 2;
    }
#ifdef HWCAP
    /* What another kernel says of this processor. */
    if (kind == 16) {
        return HWCAP;
    }
#endif
    return at[0] == kind ? at[1] : 0;
}
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

/* What threads would need; there are none. */
long syscall(long number, ...) { return -number; }

int getpid(void) { return 1; }

static void say(const char *text)
{
    while (*text != '\0') {
        call(WRITE, 1, (long)text++, 1);
    }
}

void begin(void);
void begin(void)
{
    if (dw_processor() != DW_OK) {
        say("processor lacks it\n");
        call(EXIT, 0, 0, 0);
    }
    say("in use ");
    say(dw_level(dw_level_in_use()));
    say("\n");
    for (int32_t i = 0; i < dw_level_count(); i++) {
        int32_t status = dw_use_level(i);
        say(dw_level(i));
        say(status == DW_PROCESSOR ? " lacking\n" : dw_verify(NULL, NULL) == DW_OK ? " holds\n" : " differs\n");
    }
    call(EXIT, dw_use_level(-1) == DW_NO_LEVEL ? 0 : 1, 0, 0);
}
