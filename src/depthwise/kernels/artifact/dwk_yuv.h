/* dwk_yuv.h: pixels of a frame in YUV as the RGB or grey bytes that are resized; rule Y1 of docs/preprocessing.md.
 *
 * Needs depthwise.h before it, and DWK_CHANNELS (1 or 3). */
#ifndef DWK_YUV_H
#define DWK_YUV_H

#include <stddef.h>
#include <stdint.h>

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

/* `count` samples, each of them `times` (1 or 2) times; of a pair whose first is left out, `skip` is 1. */
static inline void dwk_yuv_gather(const uint8_t *from, int64_t step, int32_t times, int32_t skip, int32_t count,
                                  uint8_t *to)
{
    int32_t i = 0;
    if (times == 1) {
        for (; i < count; i++) {
            to[i] = from[i * step];
        }
        return;
    }
    if (skip == 1) {
        to[i++] = *from;
        from += step;
    }
    for (; i + 1 < count; i += 2, from += step) {
        to[i] = to[i + 1] = *from;
    }
    if (i < count) {
        to[i] = *from;
    }
}

/* A sum in 1 / 65,536, rounded to a byte. */
static inline uint8_t dwk_yuv_byte(int32_t sum)
{
    sum = (sum < 0 ? 0 : sum) >> DWK_YUV_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* Red, green and blue of DWK_YUV_STEP pixels. */
static void dwk_yuv_convert(const dwk_yuv_factors *rule, const uint8_t *y, const uint8_t *u, const uint8_t *v,
                            uint8_t *restrict red, uint8_t *restrict green, uint8_t *restrict blue)
{
    for (int32_t i = 0; i < DWK_YUV_STEP; i++) {
        const int32_t grey = (y[i] - rule->black) * rule->y + (1 << (DWK_YUV_BITS - 1));
        const int32_t cb = u[i] - 128, cr = v[i] - 128;
        red[i] = dwk_yuv_byte(grey + cr * rule->v_red);
        green[i] = dwk_yuv_byte(grey + cb * rule->u_green + cr * rule->v_green);
        blue[i] = dwk_yuv_byte(grey + cb * rule->u_blue);
    }
}

/* Pixels of row `row` from column `from` on, `count` of them, with their channels side by side. */
static void dwk_yuv_row(const dw_yuv *frame, int32_t row, int32_t from, int32_t count, uint8_t *out)
{
    const dwk_yuv_factors *rule = &dwk_yuv_rules[frame->matrix][frame->range];
    /* Zeros behind the last pixels, as whole steps are converted. */
    uint8_t y[DWK_YUV_STEP] = {0}, u[DWK_YUV_STEP], v[DWK_YUV_STEP];
    uint8_t colours[3][DWK_YUV_STEP];
    for (int32_t i = 0; i < DWK_YUV_STEP; i++) {
        u[i] = v[i] = 128;
    }
    for (int32_t done = 0; done < count; done += DWK_YUV_STEP) {
        const int32_t column = from + done, length = count - done < DWK_YUV_STEP ? count - done : DWK_YUV_STEP;
        dwk_yuv_gather(frame->y + row * frame->y_pitch + column * frame->y_step, frame->y_step, 1, 0, length, y);
        if (frame->u != NULL) {
            const int64_t at = row / frame->down * frame->uv_pitch + column / frame->across * frame->uv_step;
            const int32_t skip = column % frame->across;
            dwk_yuv_gather(frame->u + at, frame->uv_step, frame->across, skip, length, u);
            dwk_yuv_gather(frame->v + at, frame->uv_step, frame->across, skip, length, v);
        }
        dwk_yuv_convert(rule, y, u, v, colours[0], colours[1], colours[2]);
        for (int32_t i = 0; i < length; i++) {
#if DWK_CHANNELS == 3
            for (int32_t c = 0; c < 3; c++) {
                out[3 * (done + i) + c] = colours[c][i];
            }
#else
            /* As Pillow makes grey of RGB. */
            out[done + i] =
                (uint8_t)((colours[0][i] * 19595 + colours[1][i] * 38470 + colours[2][i] * 7471 + 32768) >> 16);
#endif
        }
    }
}

#endif
