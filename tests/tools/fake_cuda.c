/* fake_cuda.c: a driver without a GPU. It has the functions that dwk_cuda.h looks for, keeps a GPU's memory in this
 * process, and carries a graph out by kernels that were compiled for this processor (tests/tools/host_gpu.py).
 *
 * What a driver would refuse is refused, with the numbers of cuda.h: work without a current context, launches beside a
 * recording, kernels that are not in the PTX. Around each piece of memory stands a guard, which is looked at when the
 * piece is given back. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID = 1, NO_DEVICE = 100, NO_CONTEXT = 201, NOT_FOUND = 500, OVERRUN = 700, RECORDING = 900, WANTED = 999 };
enum { GUARD = 256, MOST = 64 };

typedef void kernel(const void *in, void *out, const void *first, const void *second);

typedef struct {
    char name[64];
    kernel *run;
    unsigned x, y, threads;
    void *arguments[4];
    void *to;
    const void *from;
    size_t bytes;
} node;

/* What tests set, and read. */
int fake_devices = 1, fake_capability = 87;
char fake_fails[64]; /* the function that fails */
char fake_said[16384];
int fake_mode;  /* of this thread: 0 is global, in which memory may not be asked for where another thread records */
int fake_alive; /* pieces of memory, modules, streams, graphs and contexts that were not given back */

static void *kernels;
static const char *image;
static int context, is_current, is_recording;
static node nodes[MOST];
static int count;

static void say(const char *what, const char *more)
{
    const size_t length = strlen(fake_said);
    snprintf(fake_said + length, sizeof fake_said - length, "%s %s\n", what, more);
}

static int fails(const char *function) { return strcmp(fake_fails, function) == 0 ? WANTED : 0; }

#define BEGIN(needs_context)                                                                                           \
    if (fails(__func__)) {                                                                                             \
        return WANTED;                                                                                                 \
    }                                                                                                                  \
    if (needs_context && !is_current) {                                                                                \
        return NO_CONTEXT;                                                                                             \
    }

/* The library of kernels, and a look at what was done so far. */
int fake_kernels(const char *path)
{
    kernels = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    fake_said[0] = '\0';
    return kernels != NULL;
}

int cuInit(unsigned flags)
{
    BEGIN(0)
    return flags == 0 ? 0 : INVALID;
}

int cuDeviceGetCount(int *found)
{
    BEGIN(0)
    *found = fake_devices;
    return 0;
}

int cuDeviceGet(int *device, int number)
{
    BEGIN(0)
    *device = number;
    return number < fake_devices ? 0 : NO_DEVICE;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    BEGIN(0)
    (void)device;
    *value = attribute == 75 ? fake_capability / 10 : attribute == 76 ? fake_capability % 10 : -1;
    return *value < 0 ? INVALID : 0;
}

int cuDevicePrimaryCtxRetain(void **found, int device)
{
    BEGIN(0)
    (void)device;
    *found = &context;
    fake_alive++;
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    fake_alive--;
    return 0;
}

int cuCtxPushCurrent_v2(void *wanted)
{
    BEGIN(0)
    is_current += wanted == &context;
    return wanted == &context ? 0 : NO_CONTEXT;
}

int cuCtxPopCurrent_v2(void **before)
{
    *before = &context;
    return is_current-- > 0 ? 0 : NO_CONTEXT;
}

int cuModuleLoadData(void **module, const void *text)
{
    BEGIN(1)
    image = text;
    *module = (void *)text;
    fake_alive++;
    return strncmp(text, ".version", 8) == 0 ? 0 : INVALID;
}

int cuModuleUnload(void *module)
{
    BEGIN(1)
    fake_alive--;
    return module == image ? 0 : INVALID;
}

int cuModuleGetFunction(void **function, void *module, const char *name)
{
    BEGIN(1)
    char entry[128];
    if (is_recording) {
        return RECORDING; /* drivers load kernels here */
    }
    snprintf(entry, sizeof entry, ".entry %s(", name);
    *function = (void *)name;
    return module == image && strstr(image, entry) != NULL && dlsym(kernels, name) != NULL ? 0 : NOT_FOUND;
}

/* Memory with a guard on either side; its length stands before the first. */
static void *guarded(size_t bytes)
{
    uint8_t *made = aligned_alloc(256, (2 * GUARD + bytes + 256 + 255) / 256 * 256);
    memcpy(made, &bytes, sizeof bytes);
    memset(made + 256, 0x5a, GUARD);
    memset(made + 256 + GUARD, 0xa5, bytes);
    memset(made + 256 + GUARD + bytes, 0x5a, GUARD);
    fake_alive++;
    return made + 256 + GUARD;
}

static int given_back(void *memory)
{
    uint8_t *start = (uint8_t *)memory - GUARD, *end = memory;
    size_t bytes;
    memcpy(&bytes, start - 256, sizeof bytes);
    int error = 0;
    for (int i = 0; i < GUARD; i++) {
        error = start[i] == 0x5a && end[bytes + (size_t)i] == 0x5a ? error : OVERRUN;
    }
    fake_alive--;
    if (error) {
        say("overrun", "");
    }
    return error;
}

int cuMemAlloc_v2(uint64_t *memory, size_t bytes)
{
    BEGIN(1)
    if (fake_mode == 0) {
        return RECORDING;
    }
    *memory = (uint64_t)(uintptr_t)guarded(bytes);
    return 0;
}

int cuMemFree_v2(uint64_t memory)
{
    BEGIN(1)
    return given_back((void *)(uintptr_t)memory);
}

int cuMemAllocHost_v2(void **memory, size_t bytes)
{
    BEGIN(1)
    *memory = guarded(bytes);
    return 0;
}

int cuMemFreeHost(void *memory)
{
    BEGIN(1)
    return given_back(memory);
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes)
{
    BEGIN(1)
    memcpy((void *)(uintptr_t)to, from, bytes);
    return 0;
}

/* One more piece of work of the recording; none beside one. */
static node *next(const char *name)
{
    if (!is_recording || count == MOST) {
        return NULL;
    }
    memset(&nodes[count], 0, sizeof nodes[count]);
    snprintf(nodes[count].name, sizeof nodes[count].name, "%s", name);
    return &nodes[count++];
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream)
{
    BEGIN(1)
    (void)stream;
    node *of = next("to the GPU");
    if (of != NULL) {
        of->to = (void *)(uintptr_t)to, of->from = from, of->bytes = bytes;
    }
    return of == NULL ? INVALID : 0;
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream)
{
    BEGIN(1)
    (void)stream;
    node *of = next("from the GPU");
    if (of != NULL) {
        of->to = to, of->from = (void *)(uintptr_t)from, of->bytes = bytes;
    }
    return of == NULL ? INVALID : 0;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned rows, unsigned layers,
                   unsigned shared, void *stream, void **arguments, void **extra)
{
    BEGIN(1)
    (void)stream;
    node *of = next(function);
    if (of == NULL || z != 1 || rows != 1 || layers != 1 || shared != 0 || extra != NULL) {
        return INVALID;
    }
    of->run = (kernel *)dlsym(kernels, function);
    of->x = x, of->y = y, of->threads = threads;
    for (int i = 0; i < 4; i++) {
        /* A driver reads arguments when it is called, and not later. */
        memcpy(&of->arguments[i], arguments[i], sizeof of->arguments[i]);
    }
    return 0;
}

int cuStreamCreate(void **stream, unsigned flags)
{
    BEGIN(1)
    *stream = &is_recording;
    fake_alive++;
    return flags == 1 ? 0 : INVALID;
}

int cuStreamDestroy_v2(void *stream)
{
    BEGIN(1)
    fake_alive--;
    return stream == &is_recording ? 0 : INVALID;
}

int cuStreamSynchronize(void *stream)
{
    BEGIN(1)
    return stream == &is_recording ? 0 : INVALID;
}

int cuThreadExchangeStreamCaptureMode(int *mode)
{
    const int before = fake_mode;
    fake_mode = *mode;
    *mode = before;
    return 0;
}

int cuStreamBeginCapture_v2(void *stream, int mode)
{
    BEGIN(1)
    (void)stream, (void)mode;
    is_recording = 1;
    count = 0;
    return 0;
}

int cuStreamEndCapture(void *stream, void **graph)
{
    BEGIN(1)
    (void)stream;
    is_recording = 0;
    *graph = nodes;
    fake_alive++;
    return 0;
}

int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags)
{
    BEGIN(1)
    (void)flags;
    *executable = graph;
    fake_alive++;
    return graph == nodes ? 0 : INVALID;
}

int cuGraphDestroy(void *graph)
{
    fake_alive--;
    return graph == nodes ? 0 : INVALID;
}

int cuGraphExecDestroy(void *executable)
{
    BEGIN(1)
    fake_alive--;
    return executable == nodes ? 0 : INVALID;
}

int cuGraphLaunch(void *executable, void *stream)
{
    BEGIN(1)
    (void)stream;
    int32_t *block = dlsym(kernels, "dwk_block");
    if (executable != nodes || block == NULL) {
        return INVALID;
    }
    for (int i = 0; i < count; i++) {
        const node *of = &nodes[i];
        char more[64] = "";
        if (of->run == NULL) {
            memcpy(of->to, of->from, of->bytes);
            snprintf(more, sizeof more, "%zu", of->bytes);
        } else {
            snprintf(more, sizeof more, "%u %u %u", of->x, of->y, of->threads);
            for (block[1] = 0; block[1] < (int32_t)of->y; block[1]++) {
                for (block[0] = 0; block[0] < (int32_t)of->x; block[0]++) {
                    of->run(of->arguments[0], of->arguments[1], of->arguments[2], of->arguments[3]);
                }
            }
        }
        say(of->name, more);
    }
    return 0;
}
