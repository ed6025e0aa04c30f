/* dwk_resize.h: the two passes of a resize over the columns of a tile, P4 and P5 of docs/preprocessing.md.
 *
 * Sums are of whole numbers, so their order is free: processors with vectors make eight at a time. DWK_SCALAR asks for
 * the plain form, which all others have and which says what the vectors must equal.
 *
 * Needs DWK_CHANNELS (1 or 3). */
#ifndef DWK_RESIZE_H
#define DWK_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#if !defined(DWK_SCALAR) && !defined(__SSE4_1__) && !defined(__ARM_NEON) && !defined(__wasm_simd128__)
#define DWK_SCALAR
#endif

#define DWK_WEIGHT_BITS 22

/* P4, P5: sums in 2^-22 as bytes, of numbers and of vectors of them; bicubic ones may be out of range, and are cut. */
#define DWK_WHOLE(sums) ((sums) >> DWK_WEIGHT_BITS)
#ifdef DWK_BICUBIC
#define DWK_BYTES(sums) (((DWK_WHOLE(sums) & ~(DWK_WHOLE(sums) >> 31)) | ((255 - DWK_WHOLE(sums)) >> 31)) & 255)
#else
#define DWK_BYTES(sums) DWK_WHOLE(sums)
#endif

typedef uint32_t dwk_near_pixel __attribute__((aligned(1), may_alias));

/* Bytes of a pixel of a row in work: red, green, blue and one that counts for nothing, so that a pixel is a word; or
 * grey. Eight of them are DWK_TAPS pixels. */
#if DWK_CHANNELS == 3
#define DWK_PIXEL 4
#else
#define DWK_PIXEL 1
#endif
#define DWK_TAPS (8 / DWK_PIXEL)

/* Eights of bytes that so many pixels take. */
#define DWK_EIGHTS(pixels) (((pixels) + DWK_TAPS - 1) / DWK_TAPS)

/* Bytes of a resized row that are blended at a time; those that a row of so many columns takes, with one behind the
 * last. */
#define DWK_BLEND 32
#define DWK_LINE(columns) ((columns) * DWK_CHANNELS + 1)

/* The output columns of a tile: where each one's source pixels begin in a row in work, in bytes, and their weights,
 * `stride` for each, of which those of the first `eights` are not 0. */
typedef struct {
    const int32_t *begin, *weights;
    int32_t stride, eights, columns;
} dwk_windows;

/* The last `depth` resized rows, `pitch` bytes each, and DWK_BLEND bytes more; row y lies at y % depth. */
typedef struct {
    uint8_t *lines;
    int32_t depth, pitch;
} dwk_ring;

#ifndef DWK_SCALAR
typedef int32_t dwk_eight __attribute__((vector_size(32), may_alias));
typedef int32_t dwk_near_eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint8_t dwk_near_eight_u8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef int32_t dwk_four __attribute__((vector_size(16), may_alias));
typedef uint8_t dwk_near_four_u8 __attribute__((vector_size(4), aligned(1), may_alias));
#define DWK_EIGHT_BYTES(at) __builtin_convertvector(*(const dwk_near_eight_u8 *)(at), dwk_eight)
#endif

/* Pixels of a frame in RGB or grey as those of a row in work. */
static inline void dwk_pixels_of(const uint8_t *frame, int32_t count, uint8_t *row)
{
    int32_t i = 0;
#if DWK_CHANNELS == 3
    /* With the next one's red as the byte that counts for nothing; behind the last one may be nothing. */
    for (; i + 1 < count; i++) {
        *(dwk_near_pixel *)(row + 4 * i) = *(const dwk_near_pixel *)(frame + 3 * i);
    }
#endif
    for (; i < count; i++) {
        for (int32_t c = 0; c < DWK_CHANNELS; c++) {
            row[i * DWK_PIXEL + c] = frame[i * DWK_CHANNELS + c];
        }
    }
}

/* The weights of `count` pixels, one for each byte, and zeros up to `stride`. */
static inline void dwk_spread(const int32_t *window, int32_t count, int32_t stride, int32_t *weights)
{
    for (int32_t i = 0; i < stride; i++) {
        weights[i] = i / DWK_PIXEL < count ? window[i / DWK_PIXEL] : 0;
    }
}

/* P4: one output pixel of a row. With vectors a byte more than the pixel has is written. */
static inline void dwk_resize_pixel(const uint8_t *pixels, const int32_t *weights, int32_t eights, uint8_t *out)
{
#if defined(DWK_SCALAR) || DWK_CHANNELS != 3
    int32_t sums[DWK_CHANNELS];
    for (int32_t c = 0; c < DWK_CHANNELS; c++) {
        sums[c] = 1 << (DWK_WEIGHT_BITS - 1);
    }
    for (int32_t i = 0; i < 8 * eights; i += DWK_PIXEL) {
        for (int32_t c = 0; c < DWK_CHANNELS; c++) {
            sums[c] += weights[i] * pixels[i + c];
        }
    }
    for (int32_t c = 0; c < DWK_CHANNELS; c++) {
        out[c] = (uint8_t)DWK_BYTES(sums[c]);
    }
#else
    const int32_t half = 1 << (DWK_WEIGHT_BITS - 1);
    dwk_eight sums = {half, half, half, 0, 0, 0, 0, 0};
    for (int32_t i = 0; i < 8 * eights; i += 8) {
        sums += *(const dwk_near_eight *)(weights + i) * DWK_EIGHT_BYTES(pixels + i);
    }
    /* The even pixels' and the odd ones'. */
    const dwk_four pixel = ((const dwk_four *)&sums)[0] + ((const dwk_four *)&sums)[1];
    *(dwk_near_four_u8 *)out = __builtin_convertvector(DWK_BYTES(pixel), dwk_near_four_u8);
#endif
}

/* dwk_resize_row for one number of eights, which loops without a branch where the compiler knows it. */
static inline __attribute__((always_inline)) void dwk_resize_columns(const uint8_t *row, const dwk_windows *windows,
                                                                     int32_t eights, uint8_t *line)
{
    const int32_t *weights = windows->weights;
    for (int32_t column = 0; column < windows->columns; column++, weights += windows->stride) {
        dwk_resize_pixel(row + windows->begin[column], weights, eights, line + column * DWK_CHANNELS);
    }
}

/* P4: one source row, resized horizontally to the tile's columns; `row` begins with the first pixel that they need. */
static void dwk_resize_row(const uint8_t *row, const dwk_windows *windows, uint8_t *line)
{
#ifdef DWK_SCALAR
    dwk_resize_columns(row, windows, windows->eights, line);
#else
    switch (windows->eights) {
    case 1:
        dwk_resize_columns(row, windows, 1, line);
        break;
    case 2:
        dwk_resize_columns(row, windows, 2, line);
        break;
    case 3:
        dwk_resize_columns(row, windows, 3, line);
        break;
    case 4:
        dwk_resize_columns(row, windows, 4, line);
        break;
    default:
        dwk_resize_columns(row, windows, windows->eights, line);
    }
#endif
}

/* P5: DWK_BLEND bytes of an output row, of `count` resized rows, of which that at `place` of the ring is the first. */
static inline void dwk_blend(const dwk_ring *ring, int32_t at, int32_t place, int32_t count, const int32_t *weights,
                             uint8_t *out)
{
    const int32_t half = 1 << (DWK_WEIGHT_BITS - 1);
    const uint8_t *line = ring->lines + (ptrdiff_t)place * ring->pitch + at;
    const uint8_t *const end = ring->lines + (ptrdiff_t)ring->depth * ring->pitch;
#ifdef DWK_SCALAR
    int32_t sums[DWK_BLEND];
    for (int32_t i = 0; i < DWK_BLEND; i++) {
        sums[i] = half;
    }
#else
    dwk_eight sums[DWK_BLEND / 8];
    for (int32_t i = 0; i < DWK_BLEND / 8; i++) {
        sums[i] = (dwk_eight){0} + half;
    }
#endif
    for (int32_t y = 0; y < count; y++) {
#ifdef DWK_SCALAR
        for (int32_t i = 0; i < DWK_BLEND; i++) {
            sums[i] += weights[y] * line[i];
        }
#else
        for (int32_t i = 0; i < DWK_BLEND / 8; i++) {
            sums[i] += DWK_EIGHT_BYTES(line + 8 * i) * weights[y];
        }
#endif
        line += ring->pitch;
        line = line < end ? line : ring->lines + at;
    }
#ifdef DWK_SCALAR
    for (int32_t i = 0; i < DWK_BLEND; i++) {
        out[i] = (uint8_t)DWK_BYTES(sums[i]);
    }
#else
    for (int32_t i = 0; i < DWK_BLEND / 8; i++) {
        *(dwk_near_eight_u8 *)(out + 8 * i) = __builtin_convertvector(DWK_BYTES(sums[i]), dwk_near_eight_u8);
    }
#endif
}

/* P5: one output row of `bytes` bytes, out of the `count` resized rows from `first` on. */
static void dwk_blend_rows(const dwk_ring *ring, int32_t first, int32_t count, const int32_t *weights, int32_t bytes,
                           uint8_t *out)
{
    const int32_t place = first % ring->depth;
    for (int32_t at = 0; at < bytes; at += DWK_BLEND) {
        if (bytes - at >= DWK_BLEND) {
            dwk_blend(ring, at, place, count, weights, out + at);
            continue;
        }
        uint8_t last[DWK_BLEND];
        dwk_blend(ring, at, place, count, weights, last);
        for (int32_t i = 0; at + i < bytes; i++) {
            out[at + i] = last[i];
        }
    }
}

#endif
