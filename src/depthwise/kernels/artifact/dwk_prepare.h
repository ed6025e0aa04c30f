/* dwk_prepare.h: a frame of any size to the square of bytes that the network takes.
 *
 * Cuts the middle out of frames longer than 4 to 1, resizes the shorter side to DWK_RESIZE and takes the middle
 * DWK_CROP x DWK_CROP pixels (docs/preprocessing.md). With DWK_SQUASH both sides become DWK_CROP instead; with DWK_FIT
 * the longer one does, in the middle of the colour DWK_FILL, {red, green, blue} or {grey}. Gives the bytes of Pillow's
 * resize with its bilinear filter, or with DWK_BICUBIC its bicubic one: a horizontal pass, rounded to bytes, then a
 * vertical one; weights computed in double, in the same order of operations, and rounded to P3's 22 bits. Only what the
 * crop shows is computed. P1 to P5 are that page's rules.
 *
 * A frame in YUV is converted row by row, just before a row is resized (dwk_yuv.h); the two passes stand in
 * dwk_resize.h.
 *
 * Needs depthwise.h before it, and DWK_CHANNELS (1 or 3), DWK_RESIZE (9 or more) and DWK_CROP. */
#ifndef DWK_PREPARE_H
#define DWK_PREPARE_H

#include <stddef.h>
#include <stdint.h>

#include "dwk_resize.h"
#include "dwk_yuv.h"

#ifndef DWK_LONGEST_SIDE
#define DWK_LONGEST_SIDE DW_LONGEST_SIDE
#endif
#define DWK_LARGEST_ASPECT 4

/* How far the filter reaches on either side where a frame does not shrink, in source pixels. */
#ifdef DWK_BICUBIC
#define DWK_REACH 2
#else
#define DWK_REACH 1
#endif

/* Source pixels that one output pixel can be made from: 2 * ceil(reach * largest scale) + 1. No side of a resized frame
 * is below DWK_RESIZE - 1/2 before it is rounded; one that is fitted may be 3/2, and becomes 1. */
#ifdef DWK_FIT
#define DWK_WINDOW ((3 * DWK_REACH * DWK_LONGEST_SIDE + 2 * DWK_CROP - 1) / (2 * DWK_CROP) * 2 + 1)
#else
#define DWK_WINDOW ((2 * DWK_REACH * DWK_LONGEST_SIDE + 2 * DWK_RESIZE - 2) / (2 * DWK_RESIZE - 1) * 2 + 1)
#endif

/* Output columns are made in tiles, narrow enough that the weights of their windows, a ring of resized rows and the
 * pixels of a source row that the tile is made from fit into these; each holds at least one column of the largest
 * frame. */
#define DWK_TILE 512
#define DWK_TILE_WEIGHTS (8 * DWK_EIGHTS(DWK_WINDOW) > 6144 ? 8 * DWK_EIGHTS(DWK_WINDOW) : 6144)
#define DWK_RING_LEAST (DWK_WINDOW * DWK_LINE(1) + DWK_BLEND)
#define DWK_RING_BYTES (DWK_RING_LEAST > 16384 ? (DWK_RING_LEAST + 3) / 4 * 4 : 16384)
/* Windows begin half a window apart at most, so that two or more of a tile reach over 3/4 of their weights at most. */
#define DWK_ROW_LEAST (4608 / DWK_PIXEL)
#define DWK_ROW_PIXELS (((DWK_WINDOW > DWK_ROW_LEAST ? DWK_WINDOW : DWK_ROW_LEAST) + 19) / 4 * 4)
#define DWK_ROW_BYTES ((DWK_ROW_PIXELS + DWK_YUV_STEP) * DWK_PIXEL)

#define DWK_PREPARE_SCRATCH_BYTES                                                                                      \
    (4 * (DWK_WINDOW + DWK_TILE_WEIGHTS + 2 * DWK_TILE + 1) + DWK_RING_BYTES + DWK_ROW_BYTES)

typedef struct {
    int32_t window[DWK_WINDOW];        /* weights of the output row or column in work */
    int32_t weights[DWK_TILE_WEIGHTS]; /* of the tile's columns, spread, one window after the other */
    int32_t first[DWK_TILE];           /* source column of each output column of the tile */
    int32_t begin[DWK_TILE];           /* where that is in `row`, in bytes */
    int32_t end;                       /* source column behind the last one of the tile */
    uint8_t ring[DWK_RING_BYTES];      /* source rows, resized horizontally; row y lies at y % depth */
    uint8_t row[DWK_ROW_BYTES];        /* the tile's pixels of the source row in work, and more */
} dwk_prepare_scratch;

_Static_assert(sizeof(dwk_prepare_scratch) == DWK_PREPARE_SCRATCH_BYTES, "the planner counts on this size");
/* Each of a window's weights is rounded by 1/2 at most; below this many, a sum of 255s still rounds to 255, so that
 * Pillow's clamp has nothing to do where no weight is below 0. Bicubic weights add up to 5/4 at most without their
 * signs, so that their sums fit into 32 bits. */
_Static_assert(DWK_WINDOW / DWK_REACH < (1 << DWK_WEIGHT_BITS) / 255, "DWK_RESIZE is below 9");
_Static_assert(DWK_CROP >= 1 && DWK_CROP <= DWK_RESIZE, "the crop does not fit into the resized frame");

/* One side of a frame: `from` pixels of it become `to`, of which `count` from `start` on are wanted. They lie from `at`
 * on in the square. */
typedef struct {
    int32_t from, to, start, count, at;
    double scale;  /* source pixels for one output pixel */
    int32_t depth; /* no window is longer */
} dwk_side;

/* A frame, or the part of it that is resized. */
typedef struct {
    const uint8_t *pixels; /* the first of the part; null where yuv is not */
    int64_t pitch;
    const dw_yuv *yuv; /* the whole frame, of which the part begins at: */
    int32_t top, left;
} dwk_frame;

static inline int32_t dwk_least(int32_t a, int32_t b) { return a < b ? a : b; }

/* P1: `unit` pixels become `target`, those of this side in proportion, rounded to nearest, halves up, and at least 1.
 */
static inline int32_t dwk_in_proportion(int32_t length, int32_t unit, int32_t target)
{
    int32_t to = (int32_t)((2 * (int64_t)length * target + unit) / (2 * (int64_t)unit));
    return to < 1 ? 1 : to;
}

/* P1: one side of a frame whose other side is `other`. */
static dwk_side dwk_side_of(int32_t length, int32_t other)
{
    dwk_side side;
    int32_t shorter = dwk_least(length, other);
#if defined(DWK_SQUASH)
    side.from = length;
    side.to = DWK_CROP;
#elif defined(DWK_FIT)
    side.from = length;
    side.to = dwk_in_proportion(length, length + other - shorter, DWK_CROP);
#else
    side.from = dwk_least(length, DWK_LARGEST_ASPECT * shorter);
    side.to = dwk_in_proportion(side.from, shorter, DWK_RESIZE);
#endif
    (void)shorter;
    side.count = dwk_least(side.to, DWK_CROP);
    side.start = (side.to - side.count) / 2;
    side.at = (DWK_CROP - side.count) / 2;
    side.scale = (double)side.from / (double)side.to;
    side.depth = side.from <= side.to ? 2 * DWK_REACH + 1 : (DWK_REACH * side.from + side.to - 1) / side.to * 2 + 1;
    return side;
}

/* A product that is rounded before anything is added to it, as P2 rounds both: were it fused, its last bit would be
 * lost. */
static inline double dwk_times(double a, double b)
{
    volatile double product = a * b;
    return product;
}

/* P2: weight of source pixel x before division by the sum. */
static inline double dwk_weight(int32_t x, double centre, double per_scale)
{
    double distance = dwk_times((double)x - centre + 0.5, per_scale);
    double length = distance < 0.0 ? -distance : distance;
#ifdef DWK_BICUBIC
    if (length < 1.0) {
        return dwk_times(dwk_times(dwk_times(1.5, length) - 2.5, length), length) + 1.0;
    }
    if (length < 2.0) {
        return (dwk_times(dwk_times(length - 5.0, length) + 8.0, length) - 4.0) * -0.5;
    }
    return 0.0;
#else
    return length < 1.0 ? 1.0 - length : 0.0;
#endif
}

/* P3: a weight in 2^-22, to nearest, halves away from 0. */
static inline int32_t dwk_fixed(double weight)
{
    double half = 0.5;
#ifdef DWK_BICUBIC
    half = weight < 0.0 ? -half : half;
#endif
    return (int32_t)(weight * (1 << DWK_WEIGHT_BITS) + half);
}

/* P2, P3: source pixels `*first` up to `*first + result` make output pixel `at`, with these weights. */
static int32_t dwk_window(const dwk_side *side, int32_t at, int32_t *first, int32_t *weights)
{
    double middle = dwk_times((double)at + 0.5, side->scale), sum = 0.0;
    double scale = side->scale < 1.0 ? 1.0 : side->scale;
    double support = DWK_REACH * scale, per_scale = 1.0 / scale;
    double low = middle - support + 0.5;
    int32_t begin = low < 0.0 ? 0 : (int32_t)low;
    int32_t end = dwk_least((int32_t)(middle + support + 0.5), side->from);
    for (int32_t x = begin; x < end; x++) {
        sum += dwk_weight(x, middle, per_scale);
    }
    for (int32_t x = begin; x < end; x++) {
        weights[x - begin] = dwk_fixed(dwk_weight(x, middle, per_scale) / sum);
    }
    *first = begin;
    return end - begin;
}

/* Source row y as a row in work: `count` pixels from column `from` on. */
static void dwk_source_row(const dwk_frame *frame, int32_t y, int32_t from, int32_t count, uint8_t *row)
{
    if (frame->yuv == NULL) {
        dwk_pixels_of(frame->pixels + y * frame->pitch + (ptrdiff_t)from * DWK_CHANNELS, count, row);
    } else {
        dwk_yuv_row(frame->yuv, frame->top + y, frame->left + from, count, row);
    }
}

/* Windows of the tile's output columns, from `left` on: as many as the scratch holds. */
static dwk_windows dwk_tile_windows(const dwk_side *down, const dwk_side *across, int32_t left, dwk_prepare_scratch *s)
{
    const int32_t stride = 8 * DWK_EIGHTS(across->depth);
    int32_t most = 1;
    int32_t columns = dwk_least(across->count - left, DWK_TILE);
    columns = dwk_least(columns, DWK_TILE_WEIGHTS / stride);
    columns = dwk_least(columns, ((DWK_RING_BYTES - DWK_BLEND) / down->depth - 1) / DWK_CHANNELS);
    for (int32_t column = 0; column < columns; column++) {
        const int32_t count = dwk_window(across, across->start + left + column, &s->first[column], s->window);
        most = most < count ? count : most;
        s->end = s->first[column] + count;
        dwk_spread(s->window, count, stride, s->weights + (ptrdiff_t)column * stride);
    }
    return (dwk_windows){
        .begin = s->begin, .weights = s->weights, .stride = stride, .eights = DWK_EIGHTS(most), .columns = columns};
}

/* The output columns from `left` on, as many as the scratch holds; returns how many those are. */
static int32_t dwk_prepare_tile(const dwk_frame *frame, const dwk_side *down, const dwk_side *across, int32_t left,
                                uint8_t *pixels, dwk_prepare_scratch *s)
{
    const dwk_windows windows = dwk_tile_windows(down, across, left, s);
    const dwk_ring ring = {.lines = s->ring, .depth = down->depth, .pitch = DWK_LINE(windows.columns)};
    /* YUV is read from even columns on, as two of them may share their colours. */
    const int32_t from = s->first[0] - (frame->yuv == NULL ? 0 : (frame->left + s->first[0]) % 2);
    for (int32_t column = 0; column < windows.columns; column++) {
        s->begin[column] = (s->first[column] - from) * DWK_PIXEL;
    }
    for (int32_t i = 0; i < DWK_ROW_BYTES; i++) {
        s->row[i] = 0;
    }
    int32_t next = 0; /* source row that the ring gets next; windows only move down */
    for (int32_t y = 0; y < down->count; y++) {
        int32_t first;
        int32_t count = dwk_window(down, down->start + y, &first, s->window);
        next = next < first ? first : next;
        for (; next < first + count; next++) {
            dwk_source_row(frame, next, from, s->end - from, s->row);
            dwk_resize_row(s->row, &windows, s->ring + (ptrdiff_t)(next % ring.depth) * ring.pitch);
        }
        uint8_t *out = pixels + ((ptrdiff_t)(down->at + y) * DWK_CROP + across->at + left) * DWK_CHANNELS;
        dwk_blend_rows(&ring, first, count, s->window, windows.columns * DWK_CHANNELS, out);
    }
    return windows.columns;
}

/* Prepares the middle of a frame, of which `frame` knows all but where that middle begins. */
static int32_t dwk_prepare_frame(dwk_frame frame, int32_t height, int32_t width, uint8_t *pixels, void *scratch)
{
    if (pixels == NULL || scratch == NULL) {
        return DW_NO_POINTER;
    }
    if (height < 1 || width < 1 || height > DWK_LONGEST_SIDE || width > DWK_LONGEST_SIDE) {
        return DW_FRAME_SIZE;
    }
    dwk_side down = dwk_side_of(height, width);
    dwk_side across = dwk_side_of(width, height);
#ifdef DWK_FIT
    static const uint8_t fill[DWK_CHANNELS] = DWK_FILL;
    for (int32_t i = 0; i < DWK_CROP * DWK_CROP * DWK_CHANNELS; i++) {
        pixels[i] = fill[i % DWK_CHANNELS];
    }
#endif
    frame.top = (height - down.from) / 2;
    frame.left = (width - across.from) / 2;
    if (frame.yuv == NULL) {
        frame.pixels += frame.top * frame.pitch + (int64_t)frame.left * DWK_CHANNELS;
    }
    for (int32_t left = 0; left < across.count;) {
        left += dwk_prepare_tile(&frame, &down, &across, left, pixels, (dwk_prepare_scratch *)scratch);
    }
    return DW_OK;
}

/* Prepares a frame, as dw_prepare of depthwise.h says.
 *
 * pixels: DWK_CROP x DWK_CROP x DWK_CHANNELS bytes. scratch: DWK_PREPARE_SCRATCH_BYTES, at a multiple of 4. */
static int32_t dwk_prepare(const uint8_t *frame, int32_t height, int32_t width, int64_t pitch, uint8_t *pixels,
                           void *scratch)
{
    if (frame == NULL) {
        return DW_NO_POINTER;
    }
    if (pitch < (int64_t)width * DWK_CHANNELS) {
        return DW_FRAME_SIZE;
    }
    return dwk_prepare_frame((dwk_frame){.pixels = frame, .pitch = pitch}, height, width, pixels, scratch);
}

/* The same of a frame in YUV, as dw_prepare_yuv says. */
static inline int32_t dwk_prepare_yuv(const dw_yuv *frame, uint8_t *pixels, void *scratch)
{
    int32_t status = dwk_yuv_check(frame);
    if (status != DW_OK) {
        return status;
    }
    return dwk_prepare_frame((dwk_frame){.yuv = frame}, frame->height, frame->width, pixels, scratch);
}

#endif
