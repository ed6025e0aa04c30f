/* dwk_window_riscv.h: the factors of a depthwise convolution 3x3 of bytes, in registers.
 *
 * Weights: for each B channels the biases (s32), the multipliers (f32), then the nine factors (s8) from the top left to
 * the bottom right; of the last ones only as many as there are. B is DWK_CHUNK. */
#ifndef DWK_WINDOW_RISCV_H
#define DWK_WINDOW_RISCV_H

#include "dwk_riscv.h"

/* Words of the weights of so many channels. */
#define DWK_FACTORS_WORDS(channels) ((channels) * 17 / 4)

#define DWK_FACTORS(weights, i, apart, n)                                                                              \
    dwk_factors_at_m4((const int8_t *)((weights) + 2 * (apart)) + (i) * (apart), n)
/* w0 to w8 of n channels, whose rows are `apart` from each other. */
#define DWK_NINE_FACTORS(weights, apart, n)                                                                            \
    const dwk_halves_m4 w0 = DWK_FACTORS(weights, 0, apart, n), w1 = DWK_FACTORS(weights, 1, apart, n);                \
    const dwk_halves_m4 w2 = DWK_FACTORS(weights, 2, apart, n), w3 = DWK_FACTORS(weights, 3, apart, n);                \
    const dwk_halves_m4 w4 = DWK_FACTORS(weights, 4, apart, n), w5 = DWK_FACTORS(weights, 5, apart, n);                \
    const dwk_halves_m4 w6 = DWK_FACTORS(weights, 6, apart, n), w7 = DWK_FACTORS(weights, 7, apart, n);                \
    const dwk_halves_m4 w8 = DWK_FACTORS(weights, 8, apart, n);

#endif
