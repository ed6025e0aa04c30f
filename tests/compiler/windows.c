/* windows.c: loads model.dll as any program of Windows would, and says for each of its levels whether the golden cases
 * hold, and what it answers to the image on its standard input, the probabilities byte by byte in hexadecimal. On four
 * threads it must answer the same. At the end the library goes with its last thread, and not before.
 *
 * Without a C library, so that nothing has to be built for it. */
#include "depthwise.h"

#define IMPORT __declspec(dllimport)
#define OF_WINDOWS __stdcall

typedef void *handle;
IMPORT handle OF_WINDOWS LoadLibraryA(const char *name);
IMPORT void *OF_WINDOWS GetProcAddress(handle library, const char *name);
IMPORT handle OF_WINDOWS GetModuleHandleA(const char *name);
IMPORT int OF_WINDOWS FreeLibrary(handle library);
IMPORT handle OF_WINDOWS GetStdHandle(unsigned long which);
IMPORT int OF_WINDOWS ReadFile(handle file, void *bytes, unsigned long count, unsigned long *done, void *more);
IMPORT int OF_WINDOWS WriteFile(handle file, const void *bytes, unsigned long count, unsigned long *done, void *more);
IMPORT void OF_WINDOWS ExitProcess(unsigned int code);

#define FUNCTION(name) __typeof__(&name) name##_there = (__typeof__(&name))GetProcAddress(library, #name)

static unsigned char pixels[128 * 128 * 3];
static float probabilities[64], shared[64];

static void say(const char *text)
{
    unsigned long count = 0, done;
    while (text[count] != '\0') {
        count++;
    }
    WriteFile(GetStdHandle(-11ul), text, count, &done, NULL);
}

static void say_bytes(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char two[] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15], '\0'};
        say(two);
    }
}

void mainCRTStartup(void);
void mainCRTStartup(void)
{
    unsigned long done = 0, size = 0;
    handle library = LoadLibraryA("model.dll");
    if (library == NULL) {
        say("model.dll cannot be loaded\n");
        ExitProcess(1);
    }
    FUNCTION(dw_level_count);
    FUNCTION(dw_level);
    FUNCTION(dw_use_level);
    FUNCTION(dw_verify);
    FUNCTION(dw_run);
    FUNCTION(dw_label_count);
    FUNCTION(dw_set_threads);
    while (size < sizeof pixels && ReadFile(GetStdHandle(-10ul), pixels + size, 4096, &done, NULL) && done > 0) {
        size += done;
    }
    for (int32_t i = 0; i < dw_level_count_there(); i++) {
        say(dw_level_there(i));
        if (dw_use_level_there(i) == DW_PROCESSOR) {
            say(" lacking\n");
            continue;
        }
        say(dw_verify_there(NULL, NULL) == DW_OK ? " holds " : " differs ");
        say(dw_run_there(pixels, probabilities, NULL) == DW_OK ? "" : "refused");
        say(dw_set_threads_there(4) == 4 ? "" : "has no threads");
        say(dw_run_there(pixels, shared, NULL) == DW_OK ? "" : "refused");
        for (int32_t label = 0; label < dw_label_count_there(); label++) {
            say(shared[label] == probabilities[label] ? "" : "another answer on four threads");
        }
        (void)dw_set_threads_there(1);
        say_bytes((const unsigned char *)probabilities, sizeof(float) * (size_t)dw_label_count_there());
        say("\n");
    }
    /* A library whose threads are there stays; without them it goes. */
    const int32_t threads = dw_set_threads_there(3);
    const int stays = FreeLibrary(library) && GetModuleHandleA("model.dll") != NULL;
    library = LoadLibraryA("model.dll");
    (void)dw_set_threads_there(1);
    const int goes = FreeLibrary(library) && GetModuleHandleA("model.dll") == NULL;
    ExitProcess(threads == 3 && stays && goes ? 0 : 2);
}
