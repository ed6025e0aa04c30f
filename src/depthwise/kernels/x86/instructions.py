"""The instruction sets of x86 that kernels are written for."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions

AVX2 = Instructions(name="avx2", family="x86", needs=frozenset({"__AVX2__"}), lanes=8, registers=16, pairs=True)
AVXVNNI = Instructions(
    name="avxvnni", family="x86", needs=frozenset({"__AVX2__", "__AVXVNNI__"}), lanes=8, registers=16
)
AVX512VNNI = Instructions(
    name="avx512vnni",
    family="x86",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__", "__AVX512VNNI__"}),
    lanes=16,
    registers=32,
    narrow=AVXVNNI,
)
AVX512BF16VL = Instructions(
    name="avx512bf16vl",
    family="x86",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__", "__AVX512BF16__"}),
    lanes=8,
    registers=32,
    together=2,
)
AVX512BF16 = Instructions(
    name="avx512bf16",
    family="x86",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__", "__AVX512BF16__"}),
    lanes=16,
    registers=32,
    together=2,
    narrow=AVX512BF16VL,
)
# Any AVX-512: bfloat16 is multiplied as float32.
AVX512 = Instructions(
    name="avx512",
    family="x86",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__"}),
    lanes=16,
    registers=32,
    together=2,
)
AVX512VBMI = Instructions(
    name="avx512vbmi",
    family="x86",
    needs=AVX512VNNI.needs | {"__AVX512VBMI__"},
    lanes=16,
    registers=32,
    words="avx512vnni",
)
# Tiles, of bytes and of bfloat16: no processor has one without the other. Beside them the words are those of
# AVX512-VNNI, and of any AVX-512.
AMX = Instructions(
    name="amx",
    family="x86",
    needs=AVX512VNNI.needs | {"__AMX_TILE__", "__AMX_INT8__", "__AMX_BF16__"},
    lanes=16,
    registers=32,
    words="amxint8",
)
AMXBF16 = Instructions(
    name="amxbf16",
    family="x86",
    needs=AMX.needs,
    lanes=16,
    registers=32,
    together=2,
)
