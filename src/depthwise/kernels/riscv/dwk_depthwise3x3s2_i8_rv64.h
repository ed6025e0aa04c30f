/* dwk_depthwise3x3s2_i8_rv64.h: dwk_depthwise3x3_i8_rv64.h of stride 2. */
#define DWK_STRIDE 2
#include "dwk_depthwise3x3_i8_rv64.h"
