/* processors.c: an artifact on a processor that seems to be another.
 *
 * processors LIBRARY HIDDEN MAKER lets the system stop this program at every cpuid, and answers itself: as the
 * processor does, less the bits that HIDDEN names, and by MAKER unless that is "-". HIDDEN is a list of
 * LEAF.PART.REGISTER.MASK in hexadecimal, with commas between, whose registers are 0 to 3 for eax to edx; "-" hides
 * nothing. Prints the level in use, then each that is usable with what dw_verify says; ends with 3 where the system
 * cannot stop at cpuid. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define SET_CPUID 0x1012

static const char *hidden, *maker;

static void answer(int signal, siginfo_t *info, void *context)
{
    greg_t *at = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *code = (const uint8_t *)at[REG_RIP];
    (void)signal, (void)info;
    if (code[0] != 0x0F || code[1] != 0xA2) {
        _exit(4);
    }
    const uint32_t leaf = (uint32_t)at[REG_RAX], part = (uint32_t)at[REG_RCX];
    uint32_t found[4];
    syscall(SYS_arch_prctl, SET_CPUID, 1);
    __asm__ volatile("cpuid" : "=a"(found[0]), "=b"(found[1]), "=c"(found[2]), "=d"(found[3]) : "a"(leaf), "c"(part));
    syscall(SYS_arch_prctl, SET_CPUID, 0);
    for (const char *next = hidden; *next != '-' && *next != '\0'; next += *next == ',') {
        uint32_t of[4];
        char *end = (char *)next;
        for (int i = 0; i < 4; i++) {
            of[i] = (uint32_t)strtoul(end + (i > 0), &end, 16);
        }
        next = end;
        /* Of a processor with fewer leaves the mask is what eax of leaf 0 may be. */
        if (of[0] == leaf && of[1] == part) {
            found[of[2]] = leaf == 0 ? of[3] : found[of[2]] & ~of[3];
        }
    }
    if (leaf == 0 && maker[0] != '-') {
        memcpy(&found[1], maker, 4);
        memcpy(&found[3], maker + 4, 4);
        memcpy(&found[2], maker + 8, 4);
    }
    at[REG_RAX] = found[0], at[REG_RBX] = found[1], at[REG_RCX] = found[2], at[REG_RDX] = found[3];
    at[REG_RIP] += 2;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (library == NULL) {
        return 2;
    }
    const char *(*level)(int32_t) = (const char *(*)(int32_t))dlsym(library, "dw_level");
    int32_t (*in_use)(void) = (int32_t (*)(void))dlsym(library, "dw_level_in_use");
    int32_t (*levels)(void) = (int32_t (*)(void))dlsym(library, "dw_level_count");
    int32_t (*use)(int32_t) = (int32_t (*)(int32_t))dlsym(library, "dw_use_level");
    int32_t (*verify)(float *, void *) = (int32_t (*)(float *, void *))dlsym(library, "dw_verify");
    hidden = arguments[2], maker = arguments[3];
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    if (syscall(SYS_arch_prctl, SET_CPUID, 0) != 0) {
        return 3;
    }
    const char *chosen = level(in_use());
    int32_t status[64];
    for (int32_t index = 0; index < levels() && index < 64; index++) {
        status[index] = use(index) == 0 ? verify(NULL, NULL) : -1;
    }
    syscall(SYS_arch_prctl, SET_CPUID, 1);
    printf("%s\n", chosen);
    for (int32_t index = 0; index < levels() && index < 64; index++) {
        if (status[index] >= 0) {
            printf("%s %d\n", level(index), status[index]);
        }
    }
    return 0;
}
