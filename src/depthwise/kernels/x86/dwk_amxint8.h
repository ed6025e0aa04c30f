/* dwk_amxint8.h: words for bytes on the tiles of AMX, beside which the vectors are those of AVX512-VNNI. */
#ifndef DWK_AMXINT8_H
#define DWK_AMXINT8_H

#include "dwk_amx.h"
#include "dwk_avx512vnni.h"

#endif
