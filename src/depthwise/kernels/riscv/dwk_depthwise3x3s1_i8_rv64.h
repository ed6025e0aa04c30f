/* dwk_depthwise3x3s1_i8_rv64.h: dwk_depthwise3x3_i8_rv64.h of stride 1. */
#define DWK_STRIDE 1
#include "dwk_depthwise3x3_i8_rv64.h"
