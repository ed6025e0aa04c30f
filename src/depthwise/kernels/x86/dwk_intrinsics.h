/* dwk_intrinsics.h: the instructions of x86 by their names. */
#ifndef DWK_INTRINSICS_H
#define DWK_INTRINSICS_H

/* immintrin.h wants stdlib.h for allocations that nobody here makes; a build without the C library has none. */
#ifndef __MM_MALLOC_H
#define __MM_MALLOC_H
#endif
#ifndef _MM_MALLOC_H_INCLUDED
#define _MM_MALLOC_H_INCLUDED
#endif
#include <immintrin.h>

#endif
