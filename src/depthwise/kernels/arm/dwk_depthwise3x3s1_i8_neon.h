/* dwk_depthwise3x3s1_i8_neon.h: 3x3 depthwise convolution of bytes, of stride 1, rounded to bytes.
 *
 * dwk_depthwise3x3s1_i8_<way>_c8__neon: eight channels at a time, two rows of outputs at once, which share rows of the
 * image. Two columns of an output are kept for the next one. All factors stay in registers.
 *
 * Form: DWK_WAY (of dwk_arm.h).
 *
 * Weights: for each eight channels the biases (s32), the multipliers, then the nine factors (s8) from the top left to
 * the bottom right. */
#define DWK_STRIDE 1
#include "dwk_depthwise3x3_neon.h"
