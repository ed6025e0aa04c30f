/* dwk_panel_x86.h: names of a kernel that computes panels of outputs in tiles.
 *
 * Such a kernel includes this before itself, and once more behind itself to take the names away again. Needs
 * DWK_KERNEL, the beginning of the kernel's name, and its form: DWK_SET, DWK_PIXELS (P), DWK_REST (R, or 0),
 * DWK_VECTORS (V), DWK_SOME (N, or 0 for all). */
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

#else
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
