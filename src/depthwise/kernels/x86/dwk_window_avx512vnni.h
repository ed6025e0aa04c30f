/* dwk_window_avx512vnni.h: what the depthwise kernels of AVX512-VNNI share.
 *
 * They take chunks of 64 bytes: 64 channels of a pixel, of the last ones only as many as there are; with few channels
 * 64 bytes of a row, whatever pixel and channel they belong to. Two chunks whose channels are the same are computed at
 * once and read each factor once, as the loads, one a cycle, would take longer than the products. */
#ifndef DWK_WINDOW_AVX512VNNI_H
#define DWK_WINDOW_AVX512VNNI_H

/* The first `count` bytes of 64, which may be none, and zeros. */
DWK_INLINE __m512i dwk_chunk(const uint8_t *at, int32_t count)
{
    return count >= 64 ? dwk_load_avx512vnni(at) : count > 0 ? dwk_part_avx512vnni(at, count) : _mm512_setzero_si512();
}

/* Vector j of the quads that lie so many bytes behind the first one, where vectors of quads lie side by side: each 128
 * bits have four quads of each of four. */
DWK_INLINE __m512i dwk_quads_behind(__m512i (*quads)[4], int j, int32_t bytes)
{
    const int32_t place = j + bytes / 4 % 4, lane = bytes / 16 + place / 4;
    const __m512i here = quads[lane / 4][place % 4];
    switch (lane % 4) {
    case 1:
        return _mm512_alignr_epi64(quads[lane / 4 + 1][place % 4], here, 2);
    case 2:
        return _mm512_alignr_epi64(quads[lane / 4 + 1][place % 4], here, 4);
    case 3:
        return _mm512_alignr_epi64(quads[lane / 4 + 1][place % 4], here, 6);
    default:
        return here;
    }
}

/* Pairs of bytes of two vectors, those of which vector j of the quads is made; and such a vector, of two of them. */
DWK_INLINE __m512i dwk_pairs(__m512i one, __m512i two, int j)
{
    return j / 2 ? _mm512_unpackhi_epi8(one, two) : _mm512_unpacklo_epi8(one, two);
}

DWK_INLINE __m512i dwk_quads_of(__m512i one, __m512i two, int j)
{
    return j % 2 ? _mm512_unpackhi_epi16(one, two) : _mm512_unpacklo_epi16(one, two);
}

/* Words of what 64 channels begin and end with, as weights have them and where their rounding is fused. */
enum { DWK_ENDS = 2 * 64, DWK_FUSED_ENDS = 3 * 64 };

/* The ends of some blocks of weights, `size` words each; made in `room` where they are not the weights' own. */
DWK_INLINE const uint32_t *dwk_ends(const dwk_rounding *to, const uint32_t *weights, int32_t blocks, int32_t size,
                                    uint32_t *room)
{
    for (int32_t block = 0; to->fused && block < blocks; block++) {
        dwk_fused_ends_avx512vnni(weights + block * size, 64, room + block * DWK_FUSED_ENDS);
    }
    return to->fused ? room : weights;
}

/* Words from the ends of a block to those of the next. */
DWK_INLINE int32_t dwk_ends_step(const dwk_rounding *to, int32_t size) { return to->fused ? DWK_FUSED_ENDS : size; }

/* Sums j of two of the four vectors of a chunk's bytes become words when both are there. */
DWK_INLINE void dwk_gather(const dwk_rounding *to, __m512i sums, const uint32_t *ends, int j, __m512i *words)
{
    const __m512 multiplier = dwk_multiplier_at_avx512vnni(ends + 64 + 16 * j);
    const __m512i rounded = to->fused ? dwk_fused_avx512vnni(sums, multiplier, ends + 128 + 16 * j)
                                      : dwk_rounded_avx512vnni(sums, multiplier);
    words[j / 2] = j % 2 ? dwk_words_avx512vnni(words[j / 2], rounded) : rounded;
}

#endif
