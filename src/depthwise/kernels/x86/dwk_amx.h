/* dwk_amx.h: the tiles of AMX, in words with two meanings: an instruction each, or plain C that does the same.
 *
 * A tile is a register of up to 16 rows of up to 64 bytes; there are eight. Kernels use them in one way, with P pixels
 * and B bytes of each pixel at a time, and one or two tiles of values:
 *
 *     tiles 0 to 3    sums: P rows of 16 sums of 32 bits
 *     tile 4, or 5    values: P rows of B bytes
 *     up to tile 7    factors: B / 4 rows of 16 quads of signed bytes, or of 16 pairs of bfloat16
 *
 *     dwk_tiles_begin           says these sizes to the processor; a thread does so before it uses a tile
 *     dwk_tiles_end             lets go of the tiles, which the system else keeps for the thread from switch to switch
 *     DWK_TILE_LOAD, _STORE     a tile from memory or to it, its rows so many bytes apart; 0 repeats one row
 *     DWK_TILE_DOT              to each sum the products of its row's bytes and of its column's signed bytes
 *     DWK_TILE_DOT_BF16         the same of bfloat16, in float32: the products of the first values of all pairs are
 * summed up, and those of the second ones, then both are added; numbers below 2^-126 are 0
 *
 * The number of a tile is part of an instruction, and so a literal. With DWK_TILES_IN_C tests of processors without AMX
 * take the plain meaning, which ends the process wherever the processor would: where nothing began, where the sizes of
 * three tiles do not belong together, or where two of them are the same. */
#ifndef DWK_AMX_H
#define DWK_AMX_H

#include "dwk_intrinsics.h"
#include "dwk_vector.h"

/* What ldtilecfg reads. */
typedef struct {
    uint8_t palette, row, none[14];
    uint16_t bytes[16]; /* of a row of each tile */
    uint8_t rows[16];   /* of each tile */
} dwk_tile_sizes;

DWK_INLINE dwk_tile_sizes dwk_sizes_of_tiles(int32_t pixels, int32_t bytes, int32_t values)
{
    dwk_tile_sizes sizes = {.palette = 1};
    DWK_UNROLL
    for (int tile = 0; tile < 8; tile++) {
        sizes.rows[tile] = (uint8_t)(tile < 4 + values ? pixels : bytes / 4);
        sizes.bytes[tile] = (uint16_t)(tile >= 4 && tile < 4 + values ? bytes : 64);
    }
    return sizes;
}

/* clang called these macros otherwise up to version 16. */
#if (defined(__AMX_TILE__) && defined(__AMX_INT8__) && defined(__AMX_BF16__)) ||                                       \
    (defined(__AMXTILE__) && defined(__AMXINT8__) && defined(__AMXBF16__))

#define DWK_HAS_TILES

/* gcc is not told that these instructions read memory: what lies there is written before. */
#define DWK_TILE_READS(at) __asm__ volatile("" : : "r"(at) : "memory")

DWK_INLINE void dwk_tiles_begin(int32_t pixels, int32_t bytes, int32_t values)
{
    const dwk_tile_sizes sizes = dwk_sizes_of_tiles(pixels, bytes, values);
    DWK_TILE_READS(&sizes);
    _tile_loadconfig(&sizes);
}

DWK_INLINE void dwk_tiles_end(void) { _tile_release(); }

#define DWK_TILE_LOAD(tile, at, apart)                                                                                 \
    do {                                                                                                               \
        DWK_TILE_READS(at);                                                                                            \
        _tile_loadd(tile, at, apart);                                                                                  \
    } while (0)
#define DWK_TILE_STORE(tile, at, apart) _tile_stored(tile, at, apart)
#define DWK_TILE_DOT(sums, values, factors) _tile_dpbusd(sums, values, factors)
#define DWK_TILE_DOT_BF16(sums, values, factors) _tile_dpbf16ps(sums, values, factors)

#elif !defined(DWK_TILES_IN_C)
#error "this compiler was not told of AMX; with DWK_TILES_IN_C tiles are plain C, which is slow and meant for tests"
#else

typedef struct {
    int32_t rows, bytes; /* 0 where nothing began */
    uint8_t byte[16][64];
} dwk_tile;

static _Thread_local dwk_tile dwk_tiles[8];

DWK_INLINE void dwk_tiles_begin(int32_t pixels, int32_t bytes, int32_t values)
{
    const dwk_tile_sizes sizes = dwk_sizes_of_tiles(pixels, bytes, values);
    for (int tile = 0; tile < 8; tile++) {
        if (sizes.rows[tile] < 1 || sizes.rows[tile] > 16 || sizes.bytes[tile] < 1 || sizes.bytes[tile] > 64) {
            __builtin_trap();
        }
        dwk_tiles[tile] = (dwk_tile){.rows = sizes.rows[tile], .bytes = sizes.bytes[tile]};
    }
}

DWK_INLINE void dwk_tiles_end(void)
{
    for (int tile = 0; tile < 8; tile++) {
        dwk_tiles[tile] = (dwk_tile){.rows = 0};
    }
}

/* What the processor asks of a tile that is used at all. */
DWK_INLINE dwk_tile *dwk_tile_at(int number)
{
    if (dwk_tiles[number].rows == 0) {
        __builtin_trap();
    }
    return &dwk_tiles[number];
}

DWK_INLINE void dwk_tile_load(int number, const void *at, int64_t apart)
{
    dwk_tile *tile = dwk_tile_at(number);
    for (int row = 0; row < tile->rows; row++) {
        __builtin_memcpy(tile->byte[row], (const uint8_t *)at + row * apart, (size_t)tile->bytes);
    }
}

DWK_INLINE void dwk_tile_store(int number, void *at, int64_t apart)
{
    const dwk_tile *tile = dwk_tile_at(number);
    for (int row = 0; row < tile->rows; row++) {
        __builtin_memcpy((uint8_t *)at + row * apart, tile->byte[row], (size_t)tile->bytes);
    }
}

/* What the processor asks of three tiles that are multiplied. */
DWK_INLINE dwk_tile *dwk_tile_of_three(int sums, int values, int factors)
{
    dwk_tile *c = dwk_tile_at(sums);
    const dwk_tile *a = dwk_tile_at(values), *b = dwk_tile_at(factors);
    if (sums == values || sums == factors || values == factors || c->rows != a->rows || c->bytes != b->bytes ||
        a->bytes != 4 * b->rows) {
        __builtin_trap();
    }
    return c;
}

DWK_INLINE void dwk_tile_dot(int sums, int values, int factors)
{
    dwk_tile *c = dwk_tile_of_three(sums, values, factors);
    const dwk_tile *a = &dwk_tiles[values], *b = &dwk_tiles[factors];
    for (int row = 0; row < c->rows; row++) {
        for (int column = 0; column < c->bytes / 4; column++) {
            uint32_t sum;
            __builtin_memcpy(&sum, c->byte[row] + 4 * column, 4);
            for (int k = 0; k < a->bytes; k++) {
                sum += (uint32_t)(a->byte[row][k] * (int8_t)b->byte[k / 4][4 * column + k % 4]);
            }
            __builtin_memcpy(c->byte[row] + 4 * column, &sum, 4);
        }
    }
}

DWK_INLINE float dwk_tile_flushed(float value)
{
    return __builtin_fabsf(value) < 0x1p-126F ? __builtin_copysignf(0, value) : value;
}

/* Value `number` of a row of a tile. */
DWK_INLINE float dwk_tile_value(const dwk_tile *tile, int row, int number)
{
    union {
        uint32_t bits;
        float value;
    } wide = {(uint32_t)(tile->byte[row][2 * number] << 16) | (uint32_t)tile->byte[row][2 * number + 1] << 24};
    return dwk_tile_flushed(wide.value);
}

DWK_INLINE void dwk_tile_dot_bf16(int sums, int values, int factors)
{
    dwk_tile *c = dwk_tile_of_three(sums, values, factors);
    const dwk_tile *a = &dwk_tiles[values], *b = &dwk_tiles[factors];
    for (int row = 0; row < c->rows; row++) {
        for (int column = 0; column < c->bytes / 4; column++) {
            float sum, of[2] = {0, 0};
            __builtin_memcpy(&sum, c->byte[row] + 4 * column, 4);
            for (int k = 0; k < a->bytes / 2; k++) {
                const float factor = dwk_tile_value(b, k / 2, 2 * column + k % 2);
                of[k % 2] = dwk_tile_flushed(__builtin_fmaf(dwk_tile_value(a, row, k), factor, of[k % 2]));
            }
            sum = dwk_tile_flushed(dwk_tile_flushed(sum) + dwk_tile_flushed(of[0] + of[1]));
            __builtin_memcpy(c->byte[row] + 4 * column, &sum, 4);
        }
    }
}

#define DWK_TILE_LOAD(tile, at, apart) dwk_tile_load(tile, at, apart)
#define DWK_TILE_STORE(tile, at, apart) dwk_tile_store(tile, at, apart)
#define DWK_TILE_DOT(sums, values, factors) dwk_tile_dot(sums, values, factors)
#define DWK_TILE_DOT_BF16(sums, values, factors) dwk_tile_dot_bf16(sums, values, factors)

#endif

#endif
