/* dwk_panel_riscv.h: names of a kernel that computes panels of outputs.
 *
 * Such a kernel includes this before itself, and once more behind itself to take the names away again. Needs its form:
 * DWK_SET, DWK_VECTORS (V). A panel of V times L channels is one group of M registers, of which the last may be empty.
 */
#ifndef DWK_PANEL
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_PANEL (DWK_VECTORS * DWK_L)
#define DWK_SIZE DWK_JOIN(DWK_VECTORS, x, DWK_JOIN(DWK_L, __, DWK_SET))
#if DWK_VECTORS > 4
#define DWK_M 8
#elif DWK_VECTORS > 2
#define DWK_M 4
#elif DWK_VECTORS > 1
#define DWK_M 2
#else
#define DWK_M 1
#endif

#else
#undef DWK_M
#undef DWK_SIZE
#undef DWK_PANEL
#undef DWK_L
#undef DWK_VECTORS
#undef DWK_SET
#endif
