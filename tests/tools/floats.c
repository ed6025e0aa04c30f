/* floats.c: calls of an artifact by a thread that rounds otherwise, and stops at numbers that are none.
 *
 * floats LIBRARY THREADS prints for each level that this processor has, and each setting of the thread, the level, the
 * setting, a sum over the bytes of features and probabilities, what dw_verify says, and whether the setting is still
 * the same. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#define SMALLEST_ARE_0() _mm_setcsr(_mm_getcsr() | 0x8040)
#define MODE() (_mm_getcsr() & ~0x3Fu)
#else
#define SMALLEST_ARE_0() (void)0
#define MODE() (unsigned)fegetround()
#endif

static void set(int32_t setting)
{
    static const int rounding[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    fesetenv(FE_DFL_ENV);
    if (setting < 4) {
        fesetround(rounding[setting]);
    } else if (setting == 4) {
        SMALLEST_ARE_0();
    } else {
        feenableexcept(FE_ALL_EXCEPT);
    }
}

static uint64_t summed(uint64_t sum, const void *from, int32_t bytes)
{
    for (int32_t i = 0; i < bytes; i++) {
        sum = (sum ^ ((const uint8_t *)from)[i]) * 1099511628211u;
    }
    return sum;
}

int main(int count, char **arguments)
{
    void *library = count > 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        return 2;
    }
#define NUMBER(name) ((int32_t (*)(void))dlsym(library, name))()
    int32_t (*use)(int32_t) = (int32_t (*)(int32_t))dlsym(library, "dw_use_level");
    const char *(*level)(int32_t) = (const char *(*)(int32_t))dlsym(library, "dw_level");
    int32_t (*threads)(int32_t) = (int32_t (*)(int32_t))dlsym(library, "dw_set_threads");
    int32_t (*run)(const uint8_t *, float *, void *) =
        (int32_t (*)(const uint8_t *, float *, void *))dlsym(library, "dw_run");
    int32_t (*classify)(const uint8_t *, int32_t, int32_t, int64_t, float *, void *) =
        (int32_t (*)(const uint8_t *, int32_t, int32_t, int64_t, float *, void *))dlsym(library, "dw_classify");
    int32_t (*features)(const uint8_t *, float *, void *) =
        (int32_t (*)(const uint8_t *, float *, void *))dlsym(library, "dw_features");
    int32_t (*verify)(float *, void *) = (int32_t (*)(float *, void *))dlsym(library, "dw_verify");
    const int32_t side = NUMBER("dw_input_height"), labels = NUMBER("dw_label_count");
    const int32_t pooled = NUMBER("dw_feature_count"), frame = 2 * side + 1;
    uint8_t *pixels = malloc((size_t)frame * frame * 3);
    float *found = malloc(sizeof *found * (size_t)(labels + pooled));
    uint32_t noise = 7;
    for (int32_t i = 0; i < frame * frame * 3; i++) {
        noise = noise * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(noise >> 24);
    }
    for (int32_t index = 0; index < NUMBER("dw_level_count"); index++) {
        if (use(index) != 0) {
            continue;
        }
        for (int32_t setting = 0; setting < 6; setting++) {
            set(setting);
            const unsigned before = MODE();
            threads(1);
            threads(atoi(arguments[2]));
            uint64_t sum = 14695981039346656037u;
            int32_t status = features(pixels, found, NULL);
            sum = summed(sum, found, 4 * pooled);
            status |= run(pixels, found, NULL);
            sum = summed(sum, found, 4 * labels);
            status |= classify(pixels, frame, frame, 3 * frame, found, NULL);
            sum = summed(sum, found, 4 * labels);
            status |= verify(NULL, NULL);
            const int32_t same = MODE() == before;
            fesetenv(FE_DFL_ENV);
            printf("%s %d %016llx %d %d\n", level(index), setting, (unsigned long long)sum, status, same);
        }
    }
    return 0;
}
