/* dwk_as_level.h: a network with what comes before and after it, as one level of an artifact.
 *
 * Needs dwl_network, dwl_features and the constants DWK_... and DWL_... of the C above it. */
#ifndef DWK_AS_LEVEL_H
#define DWK_AS_LEVEL_H

#include "depthwise.h"
#include "dwk_level.h"
#include "dwk_softmax_f32.h"
#ifdef DWL_WITHOUT_PREPARE
#define DWK_PREPARED
#else
#include "dwk_prepare.h"
#define DWK_PREPARED , .at_prepare = DWL_AT_PREPARE, .prepare = dwk_prepare, .prepare_yuv = dwk_prepare_yuv
#endif
#ifdef DWL_MAKER
#define DWK_CHOSEN , .maker = DWL_MAKER
#else
#define DWK_CHOSEN
#endif

/* Golden cases hold the sums of labels, but of float32 their probabilities. */
#define DWK_LEVEL(level)                                                                                               \
    {.name = level,                                                                                                    \
     .needs = &dwk_needed,                                                                                             \
     .at_pixels = DWL_AT_PIXELS,                                                                                       \
     .at_sums = DWL_AT_CLASSIFIER,                                                                                     \
     .at_probabilities = DWL_AT_PROBABILITIES,                                                                         \
     .at_judged = DWL_INT8 || DWL_BF16 || DWL_FLOAT16 ? DWL_AT_CLASSIFIER : DWL_AT_PROBABILITIES,                      \
     .network = dwl_network,                                                                                           \
     .softmax = dwk_softmax_f32,                                                                                       \
     .features = dwl_features DWK_PREPARED DWK_CHOSEN}

#endif
