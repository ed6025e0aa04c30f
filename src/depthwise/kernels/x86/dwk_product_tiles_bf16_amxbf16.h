/* dwk_product_tiles_bf16_amxbf16.h: sums of products of bfloat16 on the tiles of AMX, with a bias, within bounds:
 * pointwise convolutions and the first one.
 *
 * dwk_product_tiles_bf16_p<P>k<B>_c<V>x16__amxbf16: tiles of P pixels by 16 channels, B bytes of a pixel at a time.
 * Four sums are made at once: of V = 4, of P pixels by 64 channels; of V = 2, of two times P pixels by 32 channels,
 * which fetch half as many factors for each product. Pixels that lie one behind the other from row to row are one list.
 * The last tile of a list begins so early that it is whole, and computes some pixels again: there must be P of them.
 *
 * Form: DWK_PIXELS (P), DWK_BYTES (B), DWK_VECTORS (V).
 *
 * Weights are those of dwk_product_bf16.h. A pair of a panel is V x 64 bytes, a row of each of V tiles of factors.
 * dwk_tiles_begin(P, B, 2) comes before. */
#ifndef DWK_PRODUCT_TILES_BF16_AMXBF16_H
#define DWK_PRODUCT_TILES_BF16_AMXBF16_H

/* A tile of pixels whose outputs are still to be written. */
typedef struct {
    dwk_bf16 *output; /* of the pixel that is written next */
    int32_t x;        /* in its row, of that pixel */
} dwk_tiles_pixels;

/* A block on its way. */
typedef struct {
    const uint32_t *panel; /* none before the first block */
    dwk_tiles_pixels pixels[4];
} dwk_tiles_block;

#endif

#if DWK_SOME
#define DWK_PANEL DWK_JOIN(x16n, DWK_SOME, __amxbf16)
#else
#define DWK_PANEL x16__amxbf16
#endif
#define DWK_TILE DWK_JOIN(DWK_PIXELS, k, DWK_JOIN(DWK_BYTES, _c, DWK_JOIN(DWK_VECTORS, DWK_PANEL, )))
#define DWK_NAME DWK_JOIN(dwk_product_tiles_bf16_p, DWK_TILE, )
#define DWK_NAME_OF_BLOCK DWK_JOIN(DWK_NAME, _block, )
#define DWK_ROUND DWK_JOIN(DWK_NAME, _round, )
#define DWK_LIST DWK_JOIN(DWK_NAME, _list, )
/* Channels that a panel has room for, those that it has, tiles of pixels in a block. */
#define DWK_N (16 * DWK_VECTORS)
#define DWK_THERE (DWK_SOME ? DWK_SOME : DWK_N)
#define DWK_TALL (4 / DWK_VECTORS)

/* Rounds the sums of pixels `first` to `end` - 1 of a block, whose outputs are the next to be written. */
DWK_INLINE void DWK_ROUND(const dwk_product *shape, dwk_tiles_block *block, const dwk_float *sums, int first, int end)
{
    const int32_t gap = shape->output_row - shape->width * shape->output_step;
    const dwk_bf16 *low = (const dwk_bf16 *)(block->panel + DWK_N), *high = low + DWK_N;
    for (int p = first; p < end;) {
        const int tile = p / DWK_PIXELS, until = (tile + 1) * DWK_PIXELS < end ? (tile + 1) * DWK_PIXELS : end;
        dwk_tiles_pixels to = block->pixels[tile];
        for (; p < until; p++) {
            DWK_UNROLL
            for (int v = 0; v < DWK_N; v += 32) {
                const dwk_float *at = sums + p * DWK_N + v;
                const __m512 more = _mm512_loadu_ps(at + (DWK_N > 16 ? 16 : 0));
                const __m512i values = dwk_rounded_avx512(_mm512_loadu_ps(at), more);
                dwk_store_avx512(to.output + v, dwk_clamped_avx512(values, low + v, high + v), DWK_THERE - v);
            }
            to.x++;
            to.output += shape->output_step + (to.x == shape->width ? gap : 0);
            to.x = to.x == shape->width ? 0 : to.x;
        }
        block->pixels[tile] = to;
    }
}

/* The place of the sums of tile j: its pixels, its channels. */
#define DWK_TILES_AT(j) (j / DWK_VECTORS * DWK_PIXELS * DWK_N + j % DWK_VECTORS * 16)
/* Of block `before` the sums go from the tiles to `sums`, and those of the next one begin in their place. Between these
 * instructions, which take long and wait for each other, the sums of an earlier block are rounded: of up to two steps
 * those of `older`, which lie elsewhere; of more steps those of `before`, once they are stored. */
#define DWK_TILES_FIRST(j, values, factors)                                                                            \
    DWK_TILE_STORE(j, sums + DWK_TILES_AT(j), 4 * DWK_N);                                                              \
    DWK_TILE_LOAD(j, panel + j % DWK_VECTORS * 16, 0);                                                                 \
    DWK_TILE_DOT_BF16(j, values, factors);                                                                             \
    DWK_TILES_AHEAD                                                                                                    \
    if (steps <= 2 && older->panel != NULL) {                                                                          \
        DWK_ROUND(shape, older, older_sums, j * DWK_TALL * DWK_PIXELS / 4, (j + 1) * DWK_TALL * DWK_PIXELS / 4);       \
    }
#define DWK_TILES_LATER(j, values, factors)                                                                            \
    DWK_TILE_DOT_BF16(j, values, factors);                                                                             \
    DWK_TILES_AHEAD                                                                                                    \
    if (steps > 2 && before->panel != NULL) {                                                                          \
        const int32_t slot = 4 * (step - 1) + j, slots = 4 * (steps - 1);                                              \
        DWK_ROUND(shape, before, sums, slot * DWK_TALL * DWK_PIXELS / slots,                                           \
                  (slot + 1) * DWK_TALL * DWK_PIXELS / slots);                                                         \
    }
#define DWK_TILES_AHEAD                                                                                                \
    for (int32_t line = 0; line < lines; line++) {                                                                     \
        __builtin_prefetch(ahead, 0, 2);                                                                               \
        ahead += 64;                                                                                                   \
    }
#define DWK_TILES_VALUES(tile, number) DWK_TILE_LOAD(tile, values + first[number] * shape->step, 2 * shape->step)
#define DWK_TILES_FACTORS(tile, v) DWK_TILE_LOAD(tile, factors + 64 * v, 4 * DWK_N)
/* Three lists and no formula: gcc makes the names of registers of the text of these numbers. */
#if DWK_VECTORS == 4
#define DWK_TILES_STEP(to)                                                                                             \
    DWK_TILES_VALUES(4, 0);                                                                                            \
    DWK_TILES_FACTORS(6, 0);                                                                                           \
    to(0, 4, 6);                                                                                                       \
    DWK_TILES_FACTORS(7, 1);                                                                                           \
    to(1, 4, 7);                                                                                                       \
    DWK_TILES_FACTORS(6, 2);                                                                                           \
    to(2, 4, 6);                                                                                                       \
    DWK_TILES_FACTORS(7, 3);                                                                                           \
    to(3, 4, 7);
#elif DWK_VECTORS == 2
#define DWK_TILES_STEP(to)                                                                                             \
    DWK_TILES_VALUES(4, 0);                                                                                            \
    DWK_TILES_FACTORS(6, 0);                                                                                           \
    to(0, 4, 6);                                                                                                       \
    DWK_TILES_FACTORS(7, 1);                                                                                           \
    to(1, 4, 7);                                                                                                       \
    DWK_TILES_VALUES(5, 1);                                                                                            \
    to(2, 5, 6);                                                                                                       \
    to(3, 5, 7);
#else
#define DWK_TILES_STEP(to)                                                                                             \
    DWK_TILES_VALUES(4, 0);                                                                                            \
    DWK_TILES_FACTORS(6, 0);                                                                                           \
    to(0, 4, 6);                                                                                                       \
    DWK_TILES_VALUES(5, 1);                                                                                            \
    to(1, 5, 6);                                                                                                       \
    DWK_TILES_VALUES(4, 2);                                                                                            \
    to(2, 4, 6);                                                                                                       \
    DWK_TILES_VALUES(5, 3);                                                                                            \
    to(3, 5, 6);
#endif

/* first: of the block's tiles of pixels, those that they begin with; ahead: what comes behind the panel, of which so
 * many lines are asked for at a time. */
DWK_INLINE void DWK_NAME_OF_BLOCK(const dwk_product *shape, const dwk_bf16 *values, const int32_t *first,
                                  const uint32_t *panel, const uint8_t *ahead, int32_t lines, dwk_tiles_block *before,
                                  dwk_float *sums, dwk_tiles_block *older, const dwk_float *older_sums)
{
    const uint8_t *factors = (const uint8_t *)(panel + 2 * DWK_N);
    const int32_t parts = (shape->depth + DWK_BYTES / 2 - 1) / (DWK_BYTES / 2), steps = shape->taps * parts;
    const int32_t next = shape->tap - (parts - 1) * (DWK_BYTES / 2);
    int32_t part = 0;
    DWK_TILES_STEP(DWK_TILES_FIRST)
    for (int32_t step = 1; step < steps; step++) {
        values += ++part == parts ? next : DWK_BYTES / 2;
        part = part == parts ? 0 : part;
        factors += DWK_N * DWK_BYTES;
        DWK_TILES_STEP(DWK_TILES_LATER)
    }
}

/* Where the outputs of a tile of pixels begin that is one of a list. */
DWK_INLINE dwk_tiles_pixels DWK_LIST(const dwk_product *shape, int32_t first, dwk_bf16 *output)
{
    const int32_t y = first / shape->width, x = first % shape->width;
    return (dwk_tiles_pixels){.output = output + y * shape->output_row + x * shape->output_step, .x = x};
}

/* Arguments as in dwk_product_bf16_x86.h. Each panel of weights is used for all pixels before the next one is read; its
 * last blocks are rounded beside the first ones of the next. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const dwk_bf16 *restrict input,
                         const uint32_t *restrict weights, dwk_bf16 *restrict output)
{
    _Alignas(64) dwk_float sums[2][4 * 16 * DWK_PIXELS];
    dwk_tiles_block before = {.panel = NULL}, older = {.panel = NULL};
    const int32_t is_one = shape->row == shape->width * shape->step, lists = is_one ? 1 : rows;
    const int32_t pixels = is_one ? rows * shape->width : shape->width, last = pixels - DWK_PIXELS;
    const int32_t size = DWK_TALL * DWK_PIXELS, blocks = (pixels + size - 1) / size;
    const int32_t steps = shape->taps * ((shape->depth + DWK_BYTES / 2 - 1) / (DWK_BYTES / 2));
    const int32_t words = 2 * DWK_N + steps * (DWK_BYTES / 4) * DWK_N;
    const int32_t lines = (words / 16 + 4 * steps * lists * blocks - 1) / (4 * steps * (rows > 0 ? lists * blocks : 1));
    const int32_t is_deep = steps > 2;
    int32_t turn = 0;
    for (int32_t number = 0; number < panels && rows > 0; number++) {
        const uint8_t *ahead = (const uint8_t *)(weights + words);
        for (int32_t list = 0; list < lists; list++) {
            const dwk_bf16 *from = input + list * shape->row;
            dwk_bf16 *to = output + list * shape->output_row + number * DWK_N;
            for (int32_t block = 0; block < blocks; block++) {
                int32_t first[DWK_TALL];
                DWK_UNROLL
                for (int i = 0; i < DWK_TALL; i++) {
                    const int32_t own = block * size + i * DWK_PIXELS;
                    first[i] = own < last ? own : last;
                }
                DWK_NAME_OF_BLOCK(shape, from, first, weights, ahead, lines, &before, sums[turn], &older, sums[!turn]);
                older = before;
                before.panel = weights;
                DWK_UNROLL
                for (int i = 0; i < DWK_TALL; i++) {
                    before.pixels[i] = DWK_LIST(shape, first[i], to);
                }
                ahead += 256 * steps * lines;
                turn = is_deep ? 0 : !turn;
            }
        }
        weights += words;
    }
    if (before.panel != NULL) {
        DWK_TILE_STORE(0, sums[turn] + DWK_TILES_AT(0), 4 * DWK_N);
        DWK_TILE_STORE(1, sums[turn] + DWK_TILES_AT(1), 4 * DWK_N);
        DWK_TILE_STORE(2, sums[turn] + DWK_TILES_AT(2), 4 * DWK_N);
        DWK_TILE_STORE(3, sums[turn] + DWK_TILES_AT(3), 4 * DWK_N);
        if (!is_deep && older.panel != NULL) {
            DWK_ROUND(shape, &older, sums[!turn], 0, DWK_TALL * DWK_PIXELS);
        }
        DWK_ROUND(shape, &before, sums[turn], 0, DWK_TALL * DWK_PIXELS);
    }
}

#undef DWK_TILES_STEP
#undef DWK_TILES_FACTORS
#undef DWK_TILES_VALUES
#undef DWK_TILES_AHEAD
#undef DWK_TILES_LATER
#undef DWK_TILES_FIRST
#undef DWK_TILES_AT
#undef DWK_TALL
#undef DWK_THERE
#undef DWK_N
#undef DWK_LIST
#undef DWK_ROUND
#undef DWK_NAME_OF_BLOCK
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_PANEL
#undef DWK_SOME
#undef DWK_VECTORS
#undef DWK_BYTES
#undef DWK_PIXELS
