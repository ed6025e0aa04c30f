/* dwk_store_i8_x86.h: the rounding of a tile of bytes, for kernels that include dwk_panel_x86.h before; once for each
 * form, which takes the name DWK_STORE away behind itself. */
#define DWK_STORE DWK_JOIN(DWK_NAME, _store, )

/* R1 to R4 of a tile. One vector of bytes holds 4 / V pixels. Where it is fused, what `fused` takes besides stands
 * behind the multipliers. */
DWK_INLINE void DWK_STORE(const dwk_product *shape, int pixels, DWK_X(sums) (*sum)[DWK_VECTORS],
                          const uint32_t *restrict multipliers, const dwk_rounding *to, uint8_t *restrict output)
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
            if (i >= TOGETHER * DWK_VECTORS || q >= pixels) {
                r[i] = r[0];
                continue;
            }
#if DWK_JOIN(DWK_FUSES_, DWK_SET, )
            if (to->fused) {
                r[i] = DWK_X(fused)(sum[q][v], multiplier[v], multipliers + (DWK_VECTORS + v) * DWK_L);
                continue;
            }
#endif
            r[i] = DWK_X(rounded)(sum[q][v], multiplier[v]);
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
