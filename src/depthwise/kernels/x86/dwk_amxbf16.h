/* dwk_amxbf16.h: words for bfloat16 on the tiles of AMX, beside which the vectors are those of any AVX-512. */
#ifndef DWK_AMXBF16_H
#define DWK_AMXBF16_H

#include "dwk_amx.h"
#include "dwk_avx512.h"

#endif
