/* dwk_x86.h: what the int8 kernels for x86 share, whichever vectors they use.
 *
 * A kernel dwk_..._i8_...__<set> is written once, in the words of a vocabulary; dwk_avx512vnni.h and dwk_avx2.h say
 * each word for their instructions. L is the number of sums in a vector: 16, or 8.
 *
 *     sums           L sums of 32 bits
 *     bytes          4 L bytes
 *     quads          L quads of bytes, ready to be multiplied
 *     factors        L quads of weights, which take DWK_FACTORS bytes of memory
 *
 *     load, part     4 L bytes of memory, or the first few of them and zeros
 *     spread         one quad of memory, L times
 *     interleave     four vectors of bytes to 4 L quads, of bytes that lie at the same place
 *     dot            to each sum the four products of its quad: exact, nothing saturates
 *     rounded        sums, by the steps R1 to R3 of docs/int8.md
 *     packed         R4, four vectors to 4 L bytes
 *     merged         puts bytes that `packed` took from several pixels into the order of memory
 *     store          some of the bytes of a vector
 *
 * Unpacking and packing work within 128 bits. So that no other permutation is needed, sum m of the l-th four of
 * vector j belongs to byte 16 l + 4 j + m of four vectors; what `interleave` spreads like this, `packed` gathers. Where
 * a tile has V vectors, the channel is 4 V l + 4 j + m. Weights are packed in this order. */
#ifndef DWK_X86_H
#define DWK_X86_H

#include "dwk_intrinsics.h"
#include "dwk_shapes.h"
#include "dwk_vector_i8.h"

/* Four bytes of memory as a number. */
typedef int32_t dwk_quad __attribute__((may_alias, aligned(1)));

#endif
