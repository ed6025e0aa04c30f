/* dwk_panel_x86.h: names of a kernel that computes panels of outputs in tiles, and the rounding of a tile.
 *
 * Such a kernel includes this before itself, and once more behind itself to take the names away again. Needs DWK_KERNEL,
 * the beginning of the kernel's name, and its form: DWK_SET, DWK_PIXELS (P), DWK_REST (R, or 0), DWK_VECTORS (V),
 * DWK_SOME (N, or 0 for all). */
#ifndef DWK_PANEL
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_F DWK_JOIN(DWK_FACTORS_, DWK_SET, )
#if DWK_REST
#define DWK_TILE DWK_JOIN(DWK_PIXELS, r, DWK_JOIN(DWK_REST, _c, DWK_VECTORS))
#else
#define DWK_TILE DWK_JOIN(DWK_PIXELS, _c, DWK_VECTORS)
#endif
#if DWK_SOME
#define DWK_PANEL DWK_JOIN(DWK_L, n, DWK_SOME)
#define DWK_N DWK_SOME
#else
#define DWK_PANEL DWK_L
#define DWK_N (DWK_VECTORS * DWK_L)
#endif
#define DWK_NAME DWK_JOIN(DWK_KERNEL, DWK_TILE, DWK_JOIN(x, DWK_PANEL, DWK_JOIN(__, DWK_SET, )))
#define DWK_NAME_OF_TILE DWK_JOIN(DWK_NAME, _tile, )
#define DWK_STORE DWK_JOIN(DWK_NAME, _store, )

/* R1 to R4 of a tile. One vector of bytes holds 4 / V pixels. */
DWK_INLINE void DWK_STORE(const dwk_product *shape, int pixels, DWK_X(sums) (*sum)[DWK_VECTORS],
                                  const uint32_t *restrict multipliers, const dwk_rounding *to,
                                  uint8_t *restrict output)
{
    enum { TOGETHER = 4 / DWK_VECTORS, BYTES = 4 * DWK_L / TOGETHER };
    DWK_X(multiplier) multiplier[DWK_VECTORS];
    DWK_UNROLL
    for (int v = 0; v < DWK_VECTORS; v++) {
        multiplier[v] = DWK_X(multiplier_at)(multipliers + v * DWK_L);
    }
    DWK_UNROLL
    for (int p = 0; p < pixels; p += TOGETHER) {
        DWK_X(sums) r[4];
        DWK_UNROLL
        for (int i = 0; i < 4; i++) {
            int v = i % DWK_VECTORS, q = p + i / DWK_VECTORS;
            r[i] = i < TOGETHER * DWK_VECTORS && q < pixels ? DWK_X(rounded)(sum[q][v], multiplier[v]) : r[0];
        }
        DWK_X(bytes) bytes = DWK_X(merged)(DWK_X(packed)(r[0], r[1], r[2], r[3], to), DWK_VECTORS);
        /* Where no other channels lie between those of two pixels, they are one piece of memory. */
        if (TOGETHER * DWK_N == 4 * DWK_L && shape->output_step == DWK_N && p + TOGETHER <= pixels) {
            DWK_X(store)(output + p * DWK_N, bytes, 0, 4 * DWK_L);
            continue;
        }
        DWK_UNROLL
        for (int i = 0; i < TOGETHER; i++) {
            if (p + i < pixels) {
                DWK_X(store)(output + (p + i) * shape->output_step, bytes, i * BYTES, DWK_N);
            }
        }
    }
}

#else
#undef DWK_STORE
#undef DWK_NAME_OF_TILE
#undef DWK_NAME
#undef DWK_N
#undef DWK_PANEL
#undef DWK_TILE
#undef DWK_F
#undef DWK_L
#undef DWK_SOME
#undef DWK_VECTORS
#undef DWK_REST
#undef DWK_PIXELS
#undef DWK_SET
#undef DWK_KERNEL
#endif
