/* same.c: writes the probabilities and features of each prepared image on stdin to stdout, as they lie in memory, and
 * the level that is in use to stderr. Linked with an artifact. */
#include "depthwise.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const size_t bytes = (size_t)dw_input_height() * (size_t)dw_input_width() * (size_t)dw_input_channels();
    const size_t labels = (size_t)dw_label_count(), features = (size_t)dw_feature_count();
    uint8_t *pixels = malloc(bytes);
    float *answer = malloc((labels + features) * sizeof(float));
    if (pixels == NULL || answer == NULL || dw_verify(NULL, NULL) != DW_OK) {
        return 2;
    }
    while (fread(pixels, 1, bytes, stdin) == bytes) {
        if (dw_run(pixels, answer, NULL) != DW_OK || dw_features(pixels, answer + labels, NULL) != DW_OK) {
            return 3;
        }
        fwrite(answer, sizeof(float), labels + features, stdout);
    }
    fputs(dw_level(dw_level_in_use()), stderr);
    free(answer);
    free(pixels);
    return 0;
}
