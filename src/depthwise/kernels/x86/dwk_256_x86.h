/* dwk_256_x86.h: the words of dwk_x86.h that all sets with vectors of 256 bits share: 8 sums, 32 bytes.
 *
 * Form: DWK_SET. */

typedef __m256i DWK_X(sums);
typedef __m256i DWK_X(bytes);
typedef __m256 DWK_X(multiplier);

DWK_INLINE __m256i DWK_X(load)(const uint8_t *at) { return _mm256_loadu_si256((const __m256i *)(const void *)at); }

/* `count` is mostly a literal once this is inlined. gcc would copy what it knows to be half a vector to memory and wait
 * there for the whole one. */
DWK_INLINE __m256i DWK_X(part)(const uint8_t *at, int32_t count)
{
    __m256i bytes = _mm256_setzero_si256();
    switch (count) {
    case 8:
        return _mm256_zextsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)at));
    case 16:
        return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at));
    case 24:
        return _mm256_set_m128i(_mm_loadl_epi64((const __m128i *)(const void *)(at + 16)),
                                _mm_loadu_si128((const __m128i *)(const void *)at));
    default:
        __builtin_memcpy(&bytes, at, (size_t)count);
        return bytes;
    }
}

DWK_INLINE __m256i DWK_X(zeros)(void) { return _mm256_setzero_si256(); }

DWK_INLINE __m256i DWK_X(sums_at)(const void *at) { return _mm256_loadu_si256((const __m256i *)at); }

DWK_INLINE __m256 DWK_X(multiplier_at)(const void *at) { return _mm256_loadu_ps(at); }

DWK_INLINE __m256i DWK_X(rounded)(__m256i sums, __m256 multiplier)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), multiplier));
}

/* Packing saturates; what it cuts off is far outside of the clamp. */
DWK_INLINE __m256i DWK_X(packed)(__m256i r0, __m256i r1, __m256i r2, __m256i r3, const dwk_rounding *to)
{
    __m256i low = _mm256_packs_epi32(r0, r1), high = _mm256_packs_epi32(r2, r3);
    if (to->zero_point != 0) {
        __m256i zero = _mm256_set1_epi16((int16_t)to->zero_point);
        low = _mm256_adds_epi16(low, zero);
        high = _mm256_adds_epi16(high, zero);
    }
    __m256i bytes = _mm256_packus_epi16(low, high);
    const int32_t least = (int32_t)to->low + to->zero_point, most = (int32_t)to->high + to->zero_point;
    if (least != 0) {
        bytes = _mm256_max_epu8(bytes, _mm256_set1_epi8((int8_t)least));
    }
    if (most != 255) {
        bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8((int8_t)most));
    }
    return bytes;
}

DWK_INLINE __m256i DWK_X(merged)(__m256i bytes, int vectors)
{
    switch (vectors) {
    case 1:
        return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    case 2:
        return _mm256_permute4x64_epi64(bytes, 0xD8);
    case 3:
        return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    default:
        return bytes;
    }
}

/* Bytes first to first + count - 1; both are literals once this is inlined. */
DWK_INLINE void DWK_X(store)(uint8_t *at, __m256i bytes, int32_t first, int32_t count)
{
    if (count >= 32) {
        _mm256_storeu_si256((__m256i *)(void *)at, bytes);
    } else {
        __builtin_memcpy(at, (const uint8_t *)&bytes + first, (size_t)count);
    }
}

/* Four vectors of bytes at the same places, as quads of bytes. */
DWK_INLINE void DWK_X(woven)(__m256i r0, __m256i r1, __m256i r2, __m256i r3, __m256i *quads)
{
    __m256i low01 = _mm256_unpacklo_epi8(r0, r1), high01 = _mm256_unpackhi_epi8(r0, r1);
    __m256i low23 = _mm256_unpacklo_epi8(r2, r3), high23 = _mm256_unpackhi_epi8(r2, r3);
    quads[0] = _mm256_unpacklo_epi16(low01, low23);
    quads[1] = _mm256_unpackhi_epi16(low01, low23);
    quads[2] = _mm256_unpacklo_epi16(high01, high23);
    quads[3] = _mm256_unpackhi_epi16(high01, high23);
}
