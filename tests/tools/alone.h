/* alone.h: what a program has that is linked without a C library, for any processor that an emulator knows: system
 * calls of Linux, what compilers call, and an entry that calls begin(). */
#ifndef ALONE_H
#define ALONE_H

#include <stddef.h>

/* What the kernel put on the stack: arguments, environment, then what getauxval tells, each list with 0 at its end. */
unsigned long *stack;
void begin(void);

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, EXIT = 60, GETPPID = 110 };
static inline long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, stack(%rip)\n and $-16, %rsp\n call begin\n");
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, EXIT = 93, GETPPID = 173 };
static inline long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n adrp x1, stack\n str x0, [x1, :lo12:stack]\n bl begin\n");
#elif defined(__riscv)
enum { READ = 63, WRITE = 64, EXIT = 93, GETPPID = 173 };
static inline long call(long number, long a, long b, long c)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}
__asm__(".globl _start\n_start: li s0, 0\n la a0, stack\n sd sp, 0(a0)\n call begin\n");
#elif defined(__arm__)
enum { READ = 3, WRITE = 4, EXIT = 1, GETPPID = 64 };
static inline long call(long number, long a, long b, long c)
{
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    register long r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return r0;
}
void enter(unsigned long *at);
void enter(unsigned long *at)
{
    stack = at;
    begin();
}
__asm__(".globl _start\n_start: mov r11, #0\n mov r0, sp\n bl enter\n");
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

#endif
