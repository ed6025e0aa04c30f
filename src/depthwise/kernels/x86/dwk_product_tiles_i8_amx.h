/* dwk_product_tiles_i8_amx.h: sums of products of bytes on the tiles of AMX, to bytes: pointwise convolutions.
 *
 * dwk_product_tiles_i8_<way>_p<P>k<B>_c4x16__amx: blocks of P pixels by 64 channels, B values of a pixel at a time.
 * Pixels of all rows are one list, in which one lies behind the other (row = width x step). The last block begins so
 * early that it is whole, and computes some pixels again: there must be P of them.
 *
 * way: `converted` rounds as R1 to R3 say. `fused` saves an operation: sums begin at the bits of 2^23 as a float, and
 * so become the bits of 2^23 + sum, whose product with the multiplier, less 2^23 times that, is rounded once.
 * kernels/x86/ways.py says for which layers that gives the same bytes.
 *
 * Form: DWK_WAY, DWK_PIXELS (P), DWK_BYTES (B).
 *
 * Weights are those of dwk_product_i8_x86.h with panels of four vectors. A quad of a panel is 256 bytes, a row of each
 * of four tiles of factors. dwk_tiles_begin(P, B, 1) comes before. */
#ifndef DWK_PRODUCT_TILES_I8_AMX_H
#define DWK_PRODUCT_TILES_I8_AMX_H

enum { DWK_TILES_CHANNELS = 64 };

/* How the sums of a panel begin, and what they are multiplied with: in this order dwk_fused_ends_avx512vnni writes it.
 */
typedef struct {
    int32_t begin[DWK_TILES_CHANNELS];
    dwk_float multiplier[DWK_TILES_CHANNELS];
    dwk_float less[DWK_TILES_CHANNELS]; /* `fused`: what is added to the product */
} dwk_tiles_panel;

/* A block on its way: the outputs of its pixels that are still to be written. */
typedef struct {
    const dwk_tiles_panel *panel; /* none before the first block */
    uint8_t *output;
    int32_t x; /* in its row, of the pixel that is written next */
} dwk_tiles_block;

DWK_INLINE __m512i dwk_tiles_rounded_converted(__m512i sums, const dwk_tiles_panel *panel, int first)
{
    return dwk_rounded_avx512vnni(sums, _mm512_loadu_ps(panel->multiplier + first));
}

DWK_INLINE __m512i dwk_tiles_rounded_fused(__m512i sums, const dwk_tiles_panel *panel, int first)
{
    const __m512 multiplier = _mm512_loadu_ps(panel->multiplier + first);
    return dwk_fused_avx512vnni(sums, multiplier, panel->less + first);
}

DWK_INLINE void dwk_tiles_read_converted(dwk_tiles_panel *panel, const uint32_t *words)
{
    DWK_UNROLL
    for (int i = 0; i < DWK_TILES_CHANNELS; i += 16) {
        _mm512_storeu_si512(panel->begin + i, _mm512_loadu_si512(words + i));
        _mm512_storeu_si512(panel->multiplier + i, _mm512_loadu_si512(words + DWK_TILES_CHANNELS + i));
    }
}

DWK_INLINE void dwk_tiles_read_fused(dwk_tiles_panel *panel, const uint32_t *words)
{
    dwk_fused_ends_avx512vnni(words, DWK_TILES_CHANNELS, panel);
}

#endif

#define DWK_TILE DWK_JOIN(DWK_PIXELS, k, DWK_JOIN(DWK_BYTES, _c4x16__amx, ))
#define DWK_NAME DWK_JOIN(dwk_product_tiles_i8_, DWK_WAY, DWK_JOIN(_p, DWK_TILE, ))
#define DWK_NAME_OF_BLOCK DWK_JOIN(DWK_NAME, _block, )
#define DWK_ROUND DWK_JOIN(DWK_NAME, _round, )
#define DWK_ROUNDED DWK_JOIN(dwk_tiles_rounded_, DWK_WAY, )
#define DWK_READ DWK_JOIN(dwk_tiles_read_, DWK_WAY, )

/* R1 to R4 of the sums of pixels `first` to `end` - 1 of a block, whose outputs are the next to be written. */
DWK_INLINE void DWK_ROUND(const dwk_product *shape, dwk_tiles_block *block, const int32_t *sums, int first, int end,
                          const dwk_rounding *to)
{
    const int32_t gap = shape->output_row - shape->width * shape->output_step;
    for (int p = first; p < end; p++) {
        __m512i r[4];
        DWK_UNROLL
        for (int v = 0; v < 4; v++) {
            const __m512i four = _mm512_loadu_si512(sums + p * DWK_TILES_CHANNELS + 16 * v);
            r[v] = DWK_ROUNDED(four, block->panel, 16 * v);
        }
        _mm512_storeu_si512(block->output, dwk_packed_avx512vnni(r[0], r[1], r[2], r[3], to));
        block->x++;
        block->output += shape->output_step + (block->x == shape->width ? gap : 0);
        block->x = block->x == shape->width ? 0 : block->x;
    }
}

/* Of block `before` the sums go from the tiles to `sums`, and those of the next one begin in their place. Between these
 * instructions, which take long and wait for each other, the sums of an earlier block are rounded: of up to two steps
 * those of `older`, which lie elsewhere; of more steps those of `before`, once they are stored.
 *
 * values: the block's first; factors: the panel's; ahead: what comes behind them, of which so many lines are asked for
 * at a time. */
#define DWK_TILES_FIRST(j, tile)                                                                                       \
    DWK_TILE_STORE(j, sums + 16 * j, 4 * DWK_TILES_CHANNELS);                                                          \
    DWK_TILE_LOAD(j, panel->begin + 16 * j, 0);                                                                        \
    DWK_TILES_STEP(j, tile)                                                                                            \
    if (steps <= 2 && older->panel != NULL) {                                                                          \
        DWK_ROUND(shape, older, older_sums, j * DWK_PIXELS / 4, (j + 1) * DWK_PIXELS / 4, to);                         \
    }
#define DWK_TILES_LATER(j, tile)                                                                                       \
    DWK_TILES_STEP(j, tile)                                                                                            \
    if (steps > 2 && before->panel != NULL) {                                                                          \
        const int32_t slot = 4 * (step - 1) + j, slots = 4 * (steps - 1);                                              \
        DWK_ROUND(shape, before, sums, slot * DWK_PIXELS / slots, (slot + 1) * DWK_PIXELS / slots, to);                \
    }
#define DWK_TILES_STEP(j, tile)                                                                                        \
    DWK_TILE_LOAD(tile, factors + 64 * j, 256);                                                                        \
    DWK_TILE_DOT(j, 4, tile);                                                                                          \
    for (int32_t line = 0; line < lines; line++) {                                                                     \
        __builtin_prefetch(ahead, 0, 2);                                                                               \
        ahead += 64;                                                                                                   \
    }

DWK_INLINE void DWK_NAME_OF_BLOCK(const dwk_product *shape, const uint8_t *values, const dwk_tiles_panel *panel,
                                  const uint8_t *factors, const uint8_t *ahead, int32_t lines, dwk_tiles_block *before,
                                  int32_t *sums, dwk_tiles_block *older, const int32_t *older_sums,
                                  const dwk_rounding *to)
{
    const int32_t steps = shape->depth / DWK_BYTES;
    DWK_TILE_LOAD(4, values, shape->step);
    DWK_TILES_FIRST(0, 5)
    DWK_TILES_FIRST(1, 6)
    DWK_TILES_FIRST(2, 7)
    DWK_TILES_FIRST(3, 5)
    for (int32_t step = 1; step < steps; step++) {
        values += DWK_BYTES;
        factors += 64 * DWK_BYTES;
        DWK_TILE_LOAD(4, values, shape->step);
        DWK_TILES_LATER(0, 6)
        DWK_TILES_LATER(1, 7)
        DWK_TILES_LATER(2, 5)
        DWK_TILES_LATER(3, 6)
    }
}

/* Arguments as in dwk_product_i8_x86.h. Each panel of weights is used for all pixels before the next one is read; its
 * last blocks are rounded beside the first ones of the next. */
DWK_INLINE void DWK_NAME(const dwk_product *shape, int32_t panels, int32_t rows, const uint8_t *restrict input,
                         const uint32_t *restrict weights, const dwk_rounding *to, uint8_t *restrict output)
{
    _Alignas(64) int32_t sums[2][DWK_PIXELS * DWK_TILES_CHANNELS];
    _Alignas(64) dwk_tiles_panel words[3]; /* of this panel and of those whose blocks are on their way */
    dwk_tiles_block before = {.panel = NULL}, older = {.panel = NULL};
    const int32_t pixels = rows * shape->width, blocks = (pixels + DWK_PIXELS - 1) / DWK_PIXELS;
    const int32_t size = 2 * DWK_TILES_CHANNELS + shape->depth * (DWK_TILES_CHANNELS / 4);
    const int32_t is_deep = shape->depth / DWK_BYTES > 2;
    int32_t turn = 0;
    for (int32_t number = 0; number < panels && blocks > 0; number++) {
        dwk_tiles_panel *panel = &words[number % 3];
        const uint8_t *factors = (const uint8_t *)(weights + 2 * DWK_TILES_CHANNELS);
        const uint8_t *ahead = (const uint8_t *)(weights + size);
        const int32_t lines = (DWK_BYTES / 4 + blocks - 1) / blocks, all = lines * (shape->depth / DWK_BYTES) * 4 * 64;
        DWK_READ(panel, weights);
        for (int32_t block = 0; block < blocks; block++) {
            const int32_t last = pixels - DWK_PIXELS, own = block * DWK_PIXELS, first = own < last ? own : last;
            const int32_t y = first / shape->width, x = first % shape->width;
            DWK_NAME_OF_BLOCK(shape, input + first * shape->step, panel, factors, ahead, lines, &before, sums[turn],
                              &older, sums[!turn], to);
            older = before;
            before.panel = panel;
            before.x = x;
            before.output = output + y * shape->output_row + x * shape->output_step + number * DWK_TILES_CHANNELS;
            ahead += all;
            turn = is_deep ? 0 : !turn;
        }
        weights += size;
    }
    if (before.panel != NULL) {
        DWK_TILE_STORE(0, sums[turn], 4 * DWK_TILES_CHANNELS);
        DWK_TILE_STORE(1, sums[turn] + 16, 4 * DWK_TILES_CHANNELS);
        DWK_TILE_STORE(2, sums[turn] + 32, 4 * DWK_TILES_CHANNELS);
        DWK_TILE_STORE(3, sums[turn] + 48, 4 * DWK_TILES_CHANNELS);
        if (!is_deep && older.panel != NULL) {
            DWK_ROUND(shape, &older, sums[!turn], 0, DWK_PIXELS, to);
        }
        DWK_ROUND(shape, &before, sums[turn], 0, DWK_PIXELS, to);
    }
}

#undef DWK_TILES_STEP
#undef DWK_TILES_LATER
#undef DWK_TILES_FIRST
#undef DWK_READ
#undef DWK_ROUNDED
#undef DWK_ROUND
#undef DWK_NAME_OF_BLOCK
#undef DWK_NAME
#undef DWK_TILE
#undef DWK_BYTES
#undef DWK_PIXELS
#undef DWK_WAY
