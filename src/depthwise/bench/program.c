/* program.c: an artifact's first answer without Python.
 *
 * Usage: program PIXELS, a file of prepared bytes; prints the best label's index, then the most memory of the process
 * in KiB as Linux tells it, or -1. Linked with the artifact's library. */
#include "depthwise.h"

#include <stdio.h>
#include <stdlib.h>

static long most_memory(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) {
            break;
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return kib;
}

int main(int count, char **arguments)
{
    size_t bytes = (size_t)dw_input_height() * (size_t)dw_input_width() * (size_t)dw_input_channels();
    int32_t labels = dw_label_count();
    unsigned char *pixels = malloc(bytes);
    float *probabilities = malloc((size_t)labels * sizeof(float));
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (pixels == NULL || probabilities == NULL || file == NULL || fread(pixels, 1, bytes, file) != bytes) {
        fputs("error: give a file of prepared bytes\n", stderr);
        return 2;
    }
    fclose(file);
    if (dw_run(pixels, probabilities, NULL) != DW_OK) {
        return 1;
    }
    int best = 0;
    for (int i = 1; i < labels; i++) {
        best = probabilities[i] > probabilities[best] ? i : best;
    }
    printf("%d\n", best);
    fflush(stdout);
    printf("%ld\n", most_memory());
    free(probabilities);
    free(pixels);
    return 0;
}
