/* dwk_prepare for tests: as a library, or as a program that prepares frames from stdin, each in memory of its own
 * length, so that a sanitizer sees every byte read beyond it. */
#include "depthwise.h"
#include "dwk_prepare.h"

int32_t prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *scratch);
size_t scratch_bytes(void);

int32_t prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels, void *scratch)
{
    return dwk_prepare(frame, height, width, pitch, pixels, scratch);
}

size_t scratch_bytes(void) { return DWK_PREPARE_SCRATCH_BYTES; }

#ifdef PROGRAM
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int32_t size[2];
    while (fread(size, sizeof size, 1, stdin) == 1) {
        size_t bytes = (size_t)size[0] * (size_t)size[1] * DWK_CHANNELS;
        size_t pixel_bytes = (size_t)DWK_CROP * DWK_CROP * DWK_CHANNELS;
        uint8_t *frame = malloc(bytes), *pixels = malloc(pixel_bytes);
        void *scratch = malloc(DWK_PREPARE_SCRATCH_BYTES);
        if (fread(frame, 1, bytes, stdin) != bytes) {
            return 3;
        }
        if (dwk_prepare(frame, size[0], size[1], (int64_t)size[1] * DWK_CHANNELS, pixels, scratch) != DW_OK) {
            return 4;
        }
        fwrite(pixels, 1, pixel_bytes, stdout);
        free(frame);
        free(pixels);
        free(scratch);
    }
    return 0;
}
#endif
