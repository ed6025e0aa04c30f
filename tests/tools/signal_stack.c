/* signal_stack LIBRARY BYTES: the level that an artifact chooses where a thread has a signal stack of so many bytes
 * (0: none), the answer of dw_verify, and whether a stack of that size is refused afterwards (errno, or 0). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static char stack[1 << 16];

static int with_stack(size_t bytes)
{
    const stack_t wanted = {.ss_sp = stack, .ss_size = bytes, .ss_flags = bytes == 0 ? SS_DISABLE : 0};
    return sigaltstack(&wanted, NULL) == 0 ? 0 : errno;
}

int main(int count, char **arguments)
{
    void *library = count == 3 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        return 2;
    }
    const size_t bytes = (size_t)atol(arguments[2]);
    if (with_stack(bytes) != 0) {
        return 2;
    }
    int32_t (*in_use)(void), (*verify)(float *, void *);
    const char *(*level)(int32_t);
    *(void **)&in_use = dlsym(library, "dw_level_in_use");
    *(void **)&verify = dlsym(library, "dw_verify");
    *(void **)&level = dlsym(library, "dw_level");
    const char *chosen = level(in_use());
    const int32_t answer = verify(NULL, NULL);
    printf("%s %d %d\n", chosen, answer, with_stack(0) != 0 ? -1 : with_stack(8192));
    return 0;
}
