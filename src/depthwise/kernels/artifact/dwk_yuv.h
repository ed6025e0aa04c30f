/* dwk_yuv.h: pixels of a frame in YUV as the RGB or grey bytes that are resized; rule Y1 of docs/preprocessing.md.
 *
 * Needs depthwise.h before it, and DWK_CHANNELS (1 or 3). */
#ifndef DWK_YUV_H
#define DWK_YUV_H

#include <stddef.h>
#include <stdint.h>

#include "dwk_resize.h"

/* Pixels that are converted at a time, an even number. */
#define DWK_YUV_STEP 64
#define DWK_YUV_BITS 16

/* Factors of Y, of V in red, of U and V in green, and of U in blue, in 1 / 65,536; `black` is the Y of black. */
typedef struct {
    int32_t black, y, v_red, u_green, v_green, u_blue;
} dwk_yuv_factors;

/* By matrix and range: ITU-R BT.601 and BT.709, each with the ranges of video and of JPEG. */
static const dwk_yuv_factors dwk_yuv_rules[2][2] = {
    {{16, 76309, 104597, -25675, -53279, 132201}, {0, 65536, 91881, -22554, -46802, 116130}},
    {{16, 76309, 117489, -13975, -34925, 138438}, {0, 65536, 103206, -12276, -30679, 121609}},
};

/* Whether the fields say where samples lie; DW_OK, or what is wrong. */
static int32_t dwk_yuv_check(const dw_yuv *frame)
{
    if (frame == NULL || frame->y == NULL || (frame->u == NULL) != (frame->v == NULL)) {
        return DW_NO_POINTER;
    }
    const uint32_t apart = (uint32_t)(frame->down - 1) | (uint32_t)(frame->across - 1);
    return (apart | (uint32_t)frame->matrix | (uint32_t)frame->range) > 1 ? DW_LAYOUT : DW_OK;
}

typedef uint16_t dwk_near_u16 __attribute__((aligned(1), may_alias));
typedef uint32_t dwk_near_u32 __attribute__((aligned(1), may_alias));

/* dwk_yuv_take_<step>_<times>: DWK_YUV_STEP samples, `step` bytes apart, each of them `times` times. They are read as
 * words, which begin with the sample in the first half and end with it in the second, so that none reaches beyond. */
#define DWK_YUV_TAKE(step, word, times, out)                                                                           \
    static void dwk_yuv_take_##step##_##times(const uint8_t *restrict from, uint8_t *restrict to)                      \
    {                                                                                                                  \
        const int32_t half = DWK_YUV_STEP / times / 2;                                                                 \
        const uint32_t factor = times == 2 ? 257 : 1;                                                                  \
        const uint8_t *behind = from + half * step - (step - 1);                                                       \
        for (int32_t i = 0; i < half; i++) {                                                                           \
            const uint32_t first = *(const word *)(from + i * step);                                                   \
            ((out *)to)[i] = (out)((first & 255) * factor);                                                            \
        }                                                                                                              \
        for (int32_t i = 0; i < half; i++) {                                                                           \
            const uint32_t last = *(const word *)(behind + i * step);                                                  \
            ((out *)to)[half + i] = (out)((last >> (8 * (step - 1))) * factor);                                        \
        }                                                                                                              \
    }

DWK_YUV_TAKE(1, uint8_t, 1, uint8_t)
DWK_YUV_TAKE(1, uint8_t, 2, dwk_near_u16)
DWK_YUV_TAKE(2, dwk_near_u16, 1, uint8_t)
DWK_YUV_TAKE(2, dwk_near_u16, 2, dwk_near_u16)
DWK_YUV_TAKE(4, dwk_near_u32, 2, dwk_near_u16)

/* `count` samples, each of them `times` (1 or 2) times; the layouts of cameras and decoders in words. */
static void dwk_yuv_gather(const uint8_t *restrict from, int64_t step, int32_t times, int32_t count,
                           uint8_t *restrict to)
{
    const int is_whole = count == DWK_YUV_STEP && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    switch (is_whole && step >= 1 && step <= 4 ? (int32_t)step * 10 + times : 0) {
    case 11:
        dwk_yuv_take_1_1(from, to);
        break;
    case 12:
        dwk_yuv_take_1_2(from, to);
        break;
    case 21:
        dwk_yuv_take_2_1(from, to);
        break;
    case 22:
        dwk_yuv_take_2_2(from, to);
        break;
    case 42:
        dwk_yuv_take_4_2(from, to);
        break;
    default:
        for (int32_t i = 0; i < count; i++) {
            to[i] = from[(i >> (times - 1)) * step];
        }
    }
}

/* A sum in 1 / 65,536, rounded to a byte. */
static inline uint32_t dwk_yuv_byte(int32_t sum)
{
    sum = (sum < 0 ? 0 : sum) >> DWK_YUV_BITS;
    return (uint32_t)(sum > 255 ? 255 : sum);
}

/* A pixel of a row in work (dwk_resize.h). */
static inline void dwk_yuv_pixel(uint32_t red, uint32_t green, uint32_t blue, int32_t i, uint8_t *out)
{
#if DWK_CHANNELS == 3 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    ((dwk_near_pixel *)out)[i] = red | green << 8 | blue << 16;
#elif DWK_CHANNELS == 3
    ((dwk_near_pixel *)out)[i] = red << 24 | green << 16 | blue << 8;
#else
    /* As Pillow makes grey of RGB. */
    out[i] = (uint8_t)((red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16);
#endif
}

/* DWK_YUV_STEP pixels. */
static void dwk_yuv_convert(const dwk_yuv_factors *rule, const uint8_t *y, const uint8_t *u, const uint8_t *v,
                            uint8_t *restrict out)
{
    const dwk_yuv_factors by = *rule;
    for (int32_t i = 0; i < DWK_YUV_STEP; i++) {
        const int32_t grey = (y[i] - by.black) * by.y + (1 << (DWK_YUV_BITS - 1));
        const int32_t cb = u[i] - 128, cr = v[i] - 128;
        const uint32_t red = dwk_yuv_byte(grey + cr * by.v_red), blue = dwk_yuv_byte(grey + cb * by.u_blue);
        dwk_yuv_pixel(red, dwk_yuv_byte(grey + cb * by.u_green + cr * by.v_green), blue, i, out);
    }
}

/* Pixels of row `row` from column `from` on, an even one, as a row in work: `count` of them, and those behind them that
 * make a step whole. */
static void dwk_yuv_row(const dw_yuv *frame, int32_t row, int32_t from, int32_t count, uint8_t *out)
{
    const dwk_yuv_factors *rule = &dwk_yuv_rules[frame->matrix][frame->range];
    const int64_t y_row = row * frame->y_pitch, uv_row = row / frame->down * frame->uv_pitch;
    /* Zeros behind the last pixels, as whole steps are converted. */
    uint8_t y[DWK_YUV_STEP] = {0}, u[DWK_YUV_STEP], v[DWK_YUV_STEP];
    for (int32_t i = 0; i < DWK_YUV_STEP; i++) {
        u[i] = v[i] = 128;
    }
    for (int32_t done = 0; done < count; done += DWK_YUV_STEP) {
        const int32_t column = from + done, left = frame->width - column;
        const int32_t length = left < DWK_YUV_STEP ? left : DWK_YUV_STEP;
        dwk_yuv_gather(frame->y + y_row + column * frame->y_step, frame->y_step, 1, length, y);
        if (frame->u != NULL) {
            const int64_t at = uv_row + column / frame->across * frame->uv_step;
            dwk_yuv_gather(frame->u + at, frame->uv_step, frame->across, length, u);
            dwk_yuv_gather(frame->v + at, frame->uv_step, frame->across, length, v);
        }
        dwk_yuv_convert(rule, y, u, v, out + (ptrdiff_t)done * DWK_PIXEL);
    }
}

#endif
