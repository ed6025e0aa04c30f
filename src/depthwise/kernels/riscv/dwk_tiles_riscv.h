/* dwk_tiles_riscv.h: how a product walks over a map, for the headers of products.
 *
 * A group of registers can be no element of an array, so that each pixel of a tile has a name of its own. */
#ifndef DWK_TILES_RISCV_H
#define DWK_TILES_RISCV_H

#include "dwk_shapes.h"
#include "dwk_vector.h"

/* DWK_EACH_<P>(what): what(0) to what(P - 1). */
#define DWK_EACH_1(what) what(0)
#define DWK_EACH_2(what) DWK_EACH_1(what) what(1)
#define DWK_EACH_3(what) DWK_EACH_2(what) what(2)
#define DWK_EACH_6(what) DWK_EACH_3(what) what(3) what(4) what(5)
#define DWK_EACH_12(what) DWK_EACH_6(what) what(6) what(7) what(8) what(9) what(10) what(11)
#define DWK_MOST_PIXELS 12

/* Loops over values are unrolled by four, as each of them moves all addresses. */
#if defined(__clang__)
#define DWK_UNROLL_FOUR _Pragma("clang loop unroll_count(4)")
#else
#define DWK_UNROLL_FOUR _Pragma("GCC unroll 4")
#endif

/* What stands behind this is not read before it: compilers would fetch the operands of several steps at once, and put
 * others into memory for want of registers. No instruction. */
#define DWK_IN_ORDER __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* A tile on its way over pixels. Where rows of the input lie one behind the other, it takes pixels of several rows. */
typedef struct {
    int32_t left; /* pixels of this tile and those behind it */
    int32_t from; /* its first pixel in the input */
    int32_t x;    /* the same as a number in its row */
    int32_t to;   /* where that row begins in the output */
} dwk_walk;

/* Rows that one walk goes over. */
DWK_INLINE int32_t dwk_rows_of_walk(const dwk_product *shape, int32_t rows)
{
    return shape->taps == 1 && shape->row == shape->width * shape->step ? rows : 1;
}

DWK_INLINE dwk_walk dwk_walk_from(const dwk_product *shape, int32_t y, int32_t rows)
{
    const dwk_walk walk = {.left = rows * shape->width, .from = y * shape->row, .to = y * shape->output_row};
    return walk;
}

/* The next tile of so many pixels. The last one begins so early that it is whole: it computes some pixels again. */
DWK_INLINE void dwk_walk_on(dwk_walk *walk, const dwk_product *shape, int pixels)
{
    walk->left -= pixels;
    const int32_t by = walk->left < pixels ? walk->left : pixels;
    walk->from += by * shape->step;
    walk->x += by;
    while (walk->x >= shape->width) {
        walk->x -= shape->width;
        walk->to += shape->output_row;
    }
}

/* Where the pixels of a tile lie in the output. */
typedef struct {
    int32_t of[DWK_MOST_PIXELS];
} dwk_places;

DWK_INLINE dwk_places dwk_places_of(const dwk_walk *walk, const dwk_product *shape, int pixels)
{
    dwk_places places;
    const int32_t width = shape->width, is_in_row = walk->x + pixels <= width;
    DWK_UNROLL
    for (int p = 0; p < pixels; p++) {
        const int32_t x = walk->x + p, down = is_in_row ? 0 : x / width;
        places.of[p] = walk->to + down * shape->output_row + (x - down * width) * shape->output_step;
    }
    return places;
}

#endif
