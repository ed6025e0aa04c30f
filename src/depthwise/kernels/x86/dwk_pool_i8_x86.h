/* dwk_pool_i8_x86.h: the sum of each channel's bytes, to a byte (Q7 of docs/int8.md).
 *
 * dwk_pool_i8_c<B>__<set>: B channels at a time; of the last ones only as many as there are. Four pixels are
 * interleaved to quads, whose factors are ones.
 *
 * Form: DWK_SET.
 *
 * Weights, for each B channels: B sums to begin with, B multipliers. Channels as in dwk_x86.h. */
#define DWK_L DWK_JOIN(DWK_LANES_, DWK_SET, )
#define DWK_B (4 * DWK_L)
#define DWK_BYTES DWK_JOIN(DWK_BYTES_, DWK_SET, )
#define DWK_NAME DWK_JOIN(dwk_pool_i8_c, DWK_JOIN(DWK_BYTES, __, DWK_SET), )

/* input: height x width x channels without padding. output: channels; of these `first`, a multiple of B, to before
 * `end`, another one or all of them, are computed. */
DWK_FUNCTION void DWK_NAME(const uint8_t *restrict input, int32_t height, int32_t width, int32_t channels,
                           int32_t first, int32_t end, const uint32_t *restrict weights, const dwk_rounding *to,
                           uint8_t *restrict output)
{
    const int32_t pixels = height * width;
    weights += 2 * first;
    for (int32_t c = first; c < end; c += DWK_B) {
        const int32_t count = end - c < DWK_B ? end - c : DWK_B;
        const uint8_t *from = input + c;
        DWK_X(sums) sum[4];
        DWK_UNROLL
        for (int j = 0; j < 4; j++) {
            sum[j] = DWK_X(sums_at)(weights + j * DWK_L);
        }
        for (int32_t p = 0; p < pixels; p += 4) {
            DWK_X(bytes) r[4];
            DWK_X(quads) quads[4];
            DWK_UNROLL
            for (int i = 0; i < 4; i++) {
                r[i] = p + i >= pixels  ? DWK_X(zeros)()
                       : count == DWK_B ? DWK_X(load)(from + i * channels)
                                        : DWK_X(part)(from + i * channels, count);
            }
            DWK_X(interleave)(r[0], r[1], r[2], r[3], quads);
            DWK_UNROLL
            for (int j = 0; j < 4; j++) {
                DWK_X(dot)(&sum[j], quads[j], DWK_X(ones)());
            }
            from += 4 * channels;
        }
        DWK_UNROLL
        for (int j = 0; j < 4; j++) {
            sum[j] = DWK_X(rounded)(sum[j], DWK_X(multiplier_at)(weights + DWK_B + j * DWK_L));
        }
        DWK_X(store)(output + c, DWK_X(packed)(sum[0], sum[1], sum[2], sum[3], to), 0, count);
        weights += 2 * DWK_B;
    }
}

#undef DWK_NAME
#undef DWK_BYTES
#undef DWK_B
#undef DWK_L
#undef DWK_SET
