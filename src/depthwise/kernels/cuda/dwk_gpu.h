/* dwk_gpu.h: the words in which kernels for GPUs are written.
 *
 * A kernel is run by a grid of blocks of threads. It is written in stretches: DWK_EACH_THREAD(t) { ... } is what every
 * thread of a block does, t being its number, and at DWK_MEET() between two stretches all of them have done the first
 * before one begins the second. Nothing that a thread holds lives from one stretch to the next; what does lies in
 * memory that the block shares.
 *
 * A compiler for NVPTX makes a kernel of this. Any other compiler makes a function that does what one block does,
 * thread after thread: so what a kernel computes can be tested where there is no GPU.
 *
 * Sizes: H W C of an input, N output channels, P output pixels; channels are multiples of 8 and lie side by side. */
#ifndef DWK_GPU_H
#define DWK_GPU_H

#include <stdint.h>

#define DWK_INLINE static inline __attribute__((always_inline))
#define DWK_UNROLL _Pragma("clang loop unroll(full)")

typedef float dwk_float __attribute__((may_alias));
typedef _Float16 dwk_half __attribute__((may_alias));

#ifdef __NVPTX__

#define DWK_KERNEL __attribute__((nvptx_kernel))
#define DWK_SHARED __attribute__((address_space(3)))
/* An array that the threads of a block share; nothing is in it at first. */
#define DWK_SHARED_ARRAY(type, name, count)                                                                            \
    static DWK_SHARED __attribute__((loader_uninitialized)) type name[count] __attribute__((aligned(16)))
#define DWK_EACH_THREAD(t) for (int32_t t = __nvvm_read_ptx_sreg_tid_x(), once_##t = 1; once_##t; once_##t = 0)
#define DWK_MEET() __syncthreads()

/* The number of the block in each direction of the grid. */
DWK_INLINE int32_t dwk_block_x(void) { return __nvvm_read_ptx_sreg_ctaid_x(); }

DWK_INLINE int32_t dwk_block_y(void) { return __nvvm_read_ptx_sreg_ctaid_y(); }

/* sum + the products of four bytes of x with four signed bytes of y, modulo 2^32. */
DWK_INLINE uint32_t dwk_dot(uint32_t x, uint32_t y, uint32_t sum)
{
    __asm__("dp4a.u32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(x), "r"(y));
    return sum;
}

#else

/* Exported for who runs the blocks. */
#define DWK_KERNEL
#define DWK_SHARED
#define DWK_SHARED_ARRAY(type, name, count) static type name[count] __attribute__((aligned(16)))
#define DWK_MEET()
#ifdef DWK_BACKWARDS
#define DWK_EACH_THREAD(t) for (int32_t t = DWK_THREADS; t-- > 0;)
#else
#define DWK_EACH_THREAD(t) for (int32_t t = 0; t < DWK_THREADS; t++)
#endif

extern int32_t dwk_block[2];

DWK_INLINE int32_t dwk_block_x(void) { return dwk_block[0]; }

DWK_INLINE int32_t dwk_block_y(void) { return dwk_block[1]; }

DWK_INLINE uint32_t dwk_dot(uint32_t x, uint32_t y, uint32_t sum)
{
    for (int i = 0; i < 32; i += 8) {
        sum += (uint32_t)((int32_t)(x >> i & 255u) * (int8_t)(y >> i & 255u));
    }
    return sum;
}

#endif

#endif
