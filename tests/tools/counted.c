/* counted.c: one inference between two calls of getppid, where count_plugin.c counts; without a C library. */
#include "alone.h"
#include "depthwise.h"

enum { SIDE = 256, LABELS = 1000 };

static unsigned char pixels[3 * SIDE * SIDE];
static float probabilities[LABELS];

void begin(void)
{
    for (unsigned i = 0; i < sizeof pixels; i++) {
        pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    }
    /* Once without counting, so that nothing is set up while it is counted. */
    const int32_t differs = dw_verify(NULL, NULL);
    call(GETPPID, 0, 0, 0);
    dw_run(pixels, probabilities, NULL);
    call(GETPPID, 0, 0, 0);
    call(EXIT, differs, 0, 0);
}
