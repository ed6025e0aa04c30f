/* dwk_cuda.h: a network on an NVIDIA GPU, by the driver's own functions (libcuda.so.1), which are looked for while the
 * artifact runs: nothing of CUDA is needed to build it.
 *
 * The first call loads the kernels, which the driver compiles for its GPU, copies the constants, and records one graph:
 * pixels to the GPU, every kernel, results back. Each call launches that graph. One call has the GPU at a time, others
 * wait. A process that was forked after the first look at the GPU cannot use it, as the driver does not allow that.
 *
 * Needs dwl_launches, dwl_weights, DWL_PIXEL_BYTES, DWL_RESULT_BYTES, and in bytes from the beginning of the memory for
 * activations DWL_GPU_AT_PIXELS, DWL_GPU_AT_RESULTS and its end DWL_GPU_BYTES. */
#ifndef DWK_CUDA_H
#define DWK_CUDA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "depthwise.h"
#include "dwk_launch.h"
#include "dwk_system.h"

#define DWK_LAUNCHES ((int32_t)(sizeof dwl_launches / sizeof *dwl_launches))

/* The least that kernels need: four products of bytes by one instruction. */
#define DWK_CAPABILITY 61

/* Numbers of cuda.h. */
#define DWK_CAPABILITY_MAJOR 75
#define DWK_CAPABILITY_MINOR 76
#define DWK_STREAM_APART 1
#define DWK_CAPTURE_OF_THREAD 1
#define DWK_CAPTURE_RELAXED 2

typedef void *dwk_handle;     /* of a context, a module, a function, a stream, a graph */
typedef uint64_t dwk_address; /* of memory on the GPU */

/* The functions of the driver as it exports them, all since CUDA 11.4. */
#define DWK_DRIVER(is)                                                                                                 \
    is(cuInit, (unsigned flags));                                                                                      \
    is(cuDeviceGetCount, (int *count));                                                                                \
    is(cuDeviceGet, (int *device, int number));                                                                        \
    is(cuDeviceGetAttribute, (int *value, int attribute, int device));                                                 \
    is(cuDevicePrimaryCtxRetain, (dwk_handle * context, int device));                                                  \
    is(cuDevicePrimaryCtxRelease_v2, (int device));                                                                    \
    is(cuCtxPushCurrent_v2, (dwk_handle context));                                                                     \
    is(cuCtxPopCurrent_v2, (dwk_handle * context));                                                                    \
    is(cuModuleLoadData, (dwk_handle * module, const void *image));                                                    \
    is(cuModuleUnload, (dwk_handle module));                                                                           \
    is(cuModuleGetFunction, (dwk_handle * function, dwk_handle module, const char *name));                             \
    is(cuMemAlloc_v2, (dwk_address * memory, size_t bytes));                                                           \
    is(cuMemFree_v2, (dwk_address memory));                                                                            \
    is(cuMemAllocHost_v2, (void **memory, size_t bytes));                                                              \
    is(cuMemFreeHost, (void *memory));                                                                                 \
    is(cuMemcpyHtoD_v2, (dwk_address to, const void *from, size_t bytes));                                             \
    is(cuMemcpyHtoDAsync_v2, (dwk_address to, const void *from, size_t bytes, dwk_handle stream));                     \
    is(cuMemcpyDtoHAsync_v2, (void *to, dwk_address from, size_t bytes, dwk_handle stream));                           \
    is(cuStreamCreate, (dwk_handle * stream, unsigned flags));                                                         \
    is(cuStreamDestroy_v2, (dwk_handle stream));                                                                       \
    is(cuStreamSynchronize, (dwk_handle stream));                                                                      \
    is(cuStreamBeginCapture_v2, (dwk_handle stream, int mode));                                                        \
    is(cuThreadExchangeStreamCaptureMode, (int *mode));                                                                \
    is(cuStreamEndCapture, (dwk_handle stream, dwk_handle * graph));                                                   \
    is(cuGraphInstantiateWithFlags, (dwk_handle * executable, dwk_handle graph, unsigned long long flags));            \
    is(cuGraphDestroy, (dwk_handle graph));                                                                            \
    is(cuGraphExecDestroy, (dwk_handle executable));                                                                   \
    is(cuGraphLaunch, (dwk_handle executable, dwk_handle stream));                                                     \
    is(cuLaunchKernel, (dwk_handle function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z, unsigned x,      \
                        unsigned y, unsigned z, unsigned shared, dwk_handle stream, void **arguments, void **extra))

#define DWK_MEMBER(name, arguments) int(*name) arguments

/* What is kept between calls. */
static struct {
    _Atomic uint32_t taken;  /* 0: nobody has the GPU; 1: a call; 2: the same, and others may wait */
    _Atomic int32_t process; /* that looked for a GPU; 0 before */
    int32_t found, is_begun, begun;
    int device;
    dwk_handle context, module, stream, executable, kernels[DWK_LAUNCHES];
    dwk_address memory;
    uint8_t *pixels, *results; /* where the graph reads and writes on this side */
    DWK_DRIVER(DWK_MEMBER);
} dwk_gpu;

extern void *dwk_open(const char *name, int flags) __asm__("dlopen");
extern void *dwk_symbol(void *library, const char *name) __asm__("dlsym");
extern int dwk_this_process(void) __asm__("getpid");

#define DWK_OPEN_NOW 2 /* RTLD_NOW */

/* 0, or 1 where the driver is missing or lacks a function. */
static int dwk_load_driver(void)
{
    void *driver = dwk_open("libcuda.so.1", DWK_OPEN_NOW), *found = driver;
    if (driver == NULL) {
        return 1;
    }
#define DWK_FIND(name, arguments)                                                                                      \
    found = dwk_symbol(driver, #name);                                                                                 \
    if (found == NULL) {                                                                                               \
        return 1;                                                                                                      \
    }                                                                                                                  \
    __builtin_memcpy(&dwk_gpu.name, &found, sizeof found)
    DWK_DRIVER(DWK_FIND);
#undef DWK_FIND
    return 0;
}

/* DW_OK where there is a GPU that can run the kernels: the first one that the driver shows. */
static int32_t dwk_find_gpu(void)
{
    int count = 0, major = 0, minor = 0;
    int error = dwk_load_driver();
    error = error ? error : dwk_gpu.cuInit(0);
    error = error ? error : dwk_gpu.cuDeviceGetCount(&count);
    error = error || count < 1 ? 1 : dwk_gpu.cuDeviceGet(&dwk_gpu.device, 0);
    error = error ? error : dwk_gpu.cuDeviceGetAttribute(&major, DWK_CAPABILITY_MAJOR, dwk_gpu.device);
    error = error ? error : dwk_gpu.cuDeviceGetAttribute(&minor, DWK_CAPABILITY_MINOR, dwk_gpu.device);
    return error || 10 * major + minor < DWK_CAPABILITY ? DW_NO_GPU : DW_OK;
}

/* Everything that the stream does for one image. */
static int dwk_enqueue(dwk_address constants, dwk_address activations)
{
    int error =
        dwk_gpu.cuMemcpyHtoDAsync_v2(activations + DWL_GPU_AT_PIXELS, dwk_gpu.pixels, DWL_PIXEL_BYTES, dwk_gpu.stream);
    for (int32_t i = 0; i < DWK_LAUNCHES && !error; i++) {
        const dwk_launch *of = &dwl_launches[i];
        dwk_address in = activations + of->in, out = activations + of->out;
        dwk_address first = constants + 4 * of->first, second = constants + 4 * of->second;
        void *arguments[] = {&in, &out, &first, &second};
        error = dwk_gpu.cuLaunchKernel(dwk_gpu.kernels[i], of->blocks_x, of->blocks_y, 1, of->threads, 1, 1, 0,
                                       dwk_gpu.stream, arguments, NULL);
    }
    return error ? error
                 : dwk_gpu.cuMemcpyDtoHAsync_v2(dwk_gpu.results, activations + DWL_GPU_AT_RESULTS, DWL_RESULT_BYTES,
                                                dwk_gpu.stream);
}

/* Record what the stream does as a graph. */
static int dwk_record_graph(dwk_address constants, dwk_address activations)
{
    dwk_handle graph = NULL;
    int error = dwk_gpu.cuStreamBeginCapture_v2(dwk_gpu.stream, DWK_CAPTURE_OF_THREAD);
    if (error) {
        return error;
    }
    error = dwk_enqueue(constants, activations);
    const int ended = dwk_gpu.cuStreamEndCapture(dwk_gpu.stream, &graph);
    error = error ? error : ended;
    error = error ? error : dwk_gpu.cuGraphInstantiateWithFlags(&dwk_gpu.executable, graph, 0);
    if (graph != NULL) {
        (void)dwk_gpu.cuGraphDestroy(graph);
    }
    return error;
}

/* Drivers load a kernel when it is asked for, which a recording does not allow. */
static int dwk_load_kernels(void)
{
    int error = dwk_gpu.cuModuleLoadData(&dwk_gpu.module, dwl_weights + DWL_WEIGHTS_KERNELS);
    for (int32_t i = 0; i < DWK_LAUNCHES && !error; i++) {
        error = dwk_gpu.cuModuleGetFunction(&dwk_gpu.kernels[i], dwk_gpu.module, dwl_launches[i].kernel);
    }
    return error;
}

/* Everything before the first image; the context is current. */
static int dwk_begin_network(void)
{
    const size_t bytes = ((size_t)DWL_WEIGHTS_GOLDEN * 4 + 255) / 256 * 256;
    void *memory = NULL;
    int error = dwk_load_kernels();
    error = error ? error : dwk_gpu.cuMemAlloc_v2(&dwk_gpu.memory, bytes + DWL_GPU_BYTES);
    error = error ? error : dwk_gpu.cuMemcpyHtoD_v2(dwk_gpu.memory, dwl_weights, (size_t)DWL_WEIGHTS_GOLDEN * 4);
    error = error ? error : dwk_gpu.cuMemAllocHost_v2(&memory, DWL_PIXEL_BYTES + DWL_RESULT_BYTES + 64);
    dwk_gpu.results = memory;
    dwk_gpu.pixels = error ? NULL : dwk_gpu.results + (DWL_RESULT_BYTES + 63) / 64 * 64;
    error = error ? error : dwk_gpu.cuStreamCreate(&dwk_gpu.stream, DWK_STREAM_APART);
    return error ? error : dwk_record_graph(dwk_gpu.memory, dwk_gpu.memory + bytes);
}

/* Give back what was begun, whole or in part; the context is current. */
static void dwk_end_network(void)
{
    if (dwk_gpu.executable != NULL) {
        (void)dwk_gpu.cuGraphExecDestroy(dwk_gpu.executable);
    }
    if (dwk_gpu.stream != NULL) {
        (void)dwk_gpu.cuStreamDestroy_v2(dwk_gpu.stream);
    }
    if (dwk_gpu.results != NULL) {
        (void)dwk_gpu.cuMemFreeHost(dwk_gpu.results);
    }
    if (dwk_gpu.memory != 0) {
        (void)dwk_gpu.cuMemFree_v2(dwk_gpu.memory);
    }
    if (dwk_gpu.module != NULL) {
        (void)dwk_gpu.cuModuleUnload(dwk_gpu.module);
    }
}

static int32_t dwk_begin_gpu(void)
{
    dwk_handle before;
    int error = dwk_gpu.cuDevicePrimaryCtxRetain(&dwk_gpu.context, dwk_gpu.device);
    if (error) {
        return DW_GPU_FAILED;
    }
    error = dwk_gpu.cuCtxPushCurrent_v2(dwk_gpu.context);
    if (!error) {
        /* Where another thread records, memory must not be asked for in the usual mode: it would end that recording. */
        int mode = DWK_CAPTURE_RELAXED;
        (void)dwk_gpu.cuThreadExchangeStreamCaptureMode(&mode);
        error = dwk_begin_network();
        if (error) {
            dwk_end_network();
        }
        (void)dwk_gpu.cuThreadExchangeStreamCaptureMode(&mode);
        (void)dwk_gpu.cuCtxPopCurrent_v2(&before);
    }
    if (error) {
        (void)dwk_gpu.cuDevicePrimaryCtxRelease_v2(dwk_gpu.device);
    }
    return error ? DW_GPU_FAILED : DW_OK;
}

/* Results of pixels into `results`; the GPU is taken. */
static int32_t dwk_launch_graph(const uint8_t *pixels, uint8_t *results)
{
    dwk_handle before;
    if (dwk_gpu.cuCtxPushCurrent_v2(dwk_gpu.context)) {
        return DW_GPU_FAILED;
    }
    __builtin_memcpy(dwk_gpu.pixels, pixels, DWL_PIXEL_BYTES);
    int error = dwk_gpu.cuGraphLaunch(dwk_gpu.executable, dwk_gpu.stream);
    const int waited = dwk_gpu.cuStreamSynchronize(dwk_gpu.stream);
    __builtin_memcpy(results, dwk_gpu.results, DWL_RESULT_BYTES);
    (void)dwk_gpu.cuCtxPopCurrent_v2(&before);
    return error || waited ? DW_GPU_FAILED : DW_OK;
}

static void dwk_take_gpu(void)
{
    uint32_t free = 0;
    if (!atomic_compare_exchange_strong(&dwk_gpu.taken, &free, 1)) {
        while (atomic_exchange(&dwk_gpu.taken, 2) != 0) {
            dwk_sleep(&dwk_gpu.taken, 2);
        }
    }
}

static void dwk_give_gpu_back(void)
{
    if (atomic_exchange(&dwk_gpu.taken, 0) == 2) {
        dwk_wake(&dwk_gpu.taken);
    }
}

/* Whether the GPU was looked for by the process from which this one was forked. */
static int32_t dwk_is_forked(void)
{
    const int32_t process = atomic_load(&dwk_gpu.process);
    return process != 0 && process != dwk_this_process();
}

static int32_t dwk_found_gpu(void)
{
    if (atomic_load(&dwk_gpu.process) == 0) {
        dwk_gpu.found = dwk_find_gpu();
        atomic_store(&dwk_gpu.process, dwk_this_process());
    }
    return dwk_gpu.found;
}

/* dw_processor of depthwise.h. */
static int32_t dwk_gpu_missing(void)
{
    if (dwk_is_forked()) {
        return DW_GPU_FAILED;
    }
    dwk_take_gpu();
    const int32_t status = dwk_found_gpu();
    dwk_give_gpu_back();
    return status;
}

/* The results of prepared pixels: DW_OK, DW_NO_GPU or DW_GPU_FAILED. */
static int32_t dwk_on_gpu(const uint8_t *pixels, uint8_t *results)
{
    if (dwk_is_forked()) {
        return DW_GPU_FAILED;
    }
    dwk_take_gpu();
    int32_t status = dwk_found_gpu();
    if (status == DW_OK && !dwk_gpu.is_begun) {
        dwk_gpu.begun = dwk_begin_gpu();
        dwk_gpu.is_begun = 1;
    }
    status = status == DW_OK ? dwk_gpu.begun : status;
    status = status == DW_OK ? dwk_launch_graph(pixels, results) : status;
    dwk_give_gpu_back();
    return status;
}

/* When the library is unloaded. At the end of a process the driver may be gone, and says so. */
__attribute__((destructor)) static void dwk_leave_gpu(void)
{
    dwk_handle before;
    if (dwk_gpu.is_begun && dwk_gpu.begun == DW_OK && !dwk_is_forked() &&
        !dwk_gpu.cuCtxPushCurrent_v2(dwk_gpu.context)) {
        dwk_end_network();
        (void)dwk_gpu.cuCtxPopCurrent_v2(&before);
        (void)dwk_gpu.cuDevicePrimaryCtxRelease_v2(dwk_gpu.device);
    }
}

#endif
