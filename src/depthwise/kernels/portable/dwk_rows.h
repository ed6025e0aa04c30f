/* dwk_rows.h: where the values of up to 15 pixels lie that are multiplied together.
 *
 * Processors that begin two products a cycle leave little room for computing addresses beside them. So there is a
 * pointer for every third pixel, and those between and behind are 1, 2, 4 or 8 distances from one of them, which is an
 * address that processors take as it is. */
#ifndef DWK_ROWS_H
#define DWK_ROWS_H

#include "dwk_vector.h"

#define DWK_MOST_PIXELS 15
#define DWK_POINTERS (DWK_MOST_PIXELS / 3)

typedef struct {
    const char *at[DWK_POINTERS];
    intptr_t step; /* bytes from a pixel to the next */
} dwk_rows;

/* The pointer that a pixel is reached from, and how many distances it lies behind it. */
static const int8_t dwk_from[DWK_MOST_PIXELS] = {0, 0, 0, 1, 0, 1, 2, 1, 0, 3, 2, 1, 4, 3, 2};
static const int8_t dwk_behind[DWK_MOST_PIXELS] = {0, 1, 2, 0, 4, 2, 0, 4, 8, 0, 4, 8, 0, 4, 8};

DWK_INLINE void dwk_rows_begin(dwk_rows *rows, const dwk_float *values, int32_t step)
{
    rows->step = (intptr_t)sizeof(dwk_float) * step;
    DWK_UNROLL
    for (int i = 0; i < DWK_POINTERS; i++) {
        rows->at[i] = (const char *)values + 3 * i * rows->step;
    }
    DWK_HIDE(rows->step);
}

/* Keeps a compiler from computing pointers out of each other; those that so many pixels need. */
DWK_INLINE void dwk_rows_keep(dwk_rows *rows, int pixels)
{
    DWK_UNROLL
    for (int i = 0; i < DWK_POINTERS; i++) {
        if (3 * i < pixels) {
            DWK_HIDE(rows->at[i]);
        }
    }
}

DWK_INLINE void dwk_rows_advance(dwk_rows *rows, int bytes)
{
    DWK_UNROLL
    for (int i = 0; i < DWK_POINTERS; i++) {
        rows->at[i] += bytes;
    }
}

/* A value of a pixel: the one `ahead` values behind where the pointers are. */
DWK_INLINE float dwk_rows_value(const dwk_rows *rows, int pixel, int ahead)
{
    const char *at = rows->at[dwk_from[pixel]] + dwk_behind[pixel] * rows->step;
    return ((const dwk_float *)at)[ahead];
}

#endif
