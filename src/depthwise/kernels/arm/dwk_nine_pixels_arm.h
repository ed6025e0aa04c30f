/* dwk_nine_pixels_arm.h: the 27 bytes of nine pixels of three channels side by side, for the first convolution. */
#ifndef DWK_NINE_PIXELS_ARM_H
#define DWK_NINE_PIXELS_ARM_H

#include "dwk_arm.h"

/* Bytes 0 to 15 of the window and the others, with zeros behind them. */
typedef struct {
    int8x16_t first, second;
} dwk_nine_pixels;

/* Where they are in three registers of 16 bytes, of which each begins with a row of nine. */
static const uint8_t dwk_nine_places[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  16, 17, 18,  19,  20,  21,  22,
                                            23, 24, 32, 33, 34, 35, 36, 37, 38, 39, 40, 255, 255, 255, 255, 255};

/* 16 bytes are read of each row. */
DWK_INLINE dwk_nine_pixels dwk_nine_pixels_at(const int8_t *at, ptrdiff_t row)
{
    const int8x16x3_t rows = {{vld1q_s8(at), vld1q_s8(at + row), vld1q_s8(at + 2 * row)}};
#if defined(__aarch64__)
    return (dwk_nine_pixels){vqtbl3q_s8(rows, vld1q_u8(dwk_nine_places)),
                             vqtbl3q_s8(rows, vld1q_u8(dwk_nine_places + 16))};
#else
    /* A table there has 32 bytes: the first two rows, or the last two, whose places are 16 less. */
    const int8x8x4_t first = {
        {vget_low_s8(rows.val[0]), vget_high_s8(rows.val[0]), vget_low_s8(rows.val[1]), vget_high_s8(rows.val[1])}};
    const int8x8x4_t last = {
        {vget_low_s8(rows.val[1]), vget_high_s8(rows.val[1]), vget_low_s8(rows.val[2]), vget_high_s8(rows.val[2])}};
    const int8x16_t places = vld1q_s8((const int8_t *)dwk_nine_places);
    const int8x16_t others = vsubq_s8(vld1q_s8((const int8_t *)dwk_nine_places + 16), vdupq_n_s8(16));
    return (dwk_nine_pixels){vcombine_s8(vtbl4_s8(first, vget_low_s8(places)), vtbl4_s8(first, vget_high_s8(places))),
                             vcombine_s8(vtbl4_s8(last, vget_low_s8(others)), vtbl4_s8(last, vget_high_s8(others)))};
#endif
}

#endif
