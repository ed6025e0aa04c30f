/* dwk_depthwise3x3s1_f32_neon.h: 3x3 depthwise convolution of floats, of stride 1, with bias and activation.
 *
 * dwk_depthwise3x3s1_f32_<activation>_c4__neon: four channels at a time, two rows of outputs at once, which share rows
 * of the image. Two columns of an output are kept for the next one. All factors stay in registers.
 *
 * Form: DWK_ACTIVATION.
 *
 * Weights: for each four channels the bias, then the nine factors from the top left to the bottom right. Output: pairs
 * as in dwk_pairs_arm.h. */
#define DWK_STRIDE 1
#define DWK_STEPS DWK_THRICE
#include "dwk_depthwise3x3_f32_neon.h"
