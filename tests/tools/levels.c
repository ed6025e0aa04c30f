/* levels.c: says which levels an artifact carries, which one it uses, and whether the golden cases hold at each.
 *
 * Without a C library, so that it can be linked for another processor and run by qemu. */
#include "alone.h"
#include "depthwise.h"

#if !defined(__x86_64__)
/* What a C library would tell of the processor. */
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

/* What threads would need; there are none. */
long syscall(long number, ...) { return -number; }

int getpid(void) { return 1; }

static void say(const char *text)
{
    while (*text != '\0') {
        call(WRITE, 1, (long)text++, 1);
    }
}

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
