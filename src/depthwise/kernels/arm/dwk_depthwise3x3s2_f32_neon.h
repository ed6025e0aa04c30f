/* dwk_depthwise3x3s2_f32_neon.h: 3x3 depthwise convolution of floats, of stride 2, with bias and activation.
 *
 * dwk_depthwise3x3s2_f32_<activation>_c4__neon: four channels at a time, two rows of outputs at once, which share rows
 * of the image. The last column of an output is the first of the next. All factors stay in registers.
 *
 * Form: DWK_ACTIVATION.
 *
 * Weights: for each four channels the bias, then the nine factors from the top left to the bottom right. Output: pairs
 * as in dwk_pairs_arm.h. */
#define DWK_STRIDE 2
#define DWK_STEPS DWK_TWICE
#include "dwk_depthwise3x3_f32_neon.h"
