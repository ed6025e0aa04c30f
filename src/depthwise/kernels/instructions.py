"""The instruction sets that kernels are written for."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """The instructions that a kernel is written for, beyond portable C.

    Attributes:
        name: the end of the kernel's name, after two underscores; empty for portable C.
        needs: macros that a compiler predefines for the machines that have them.
        lanes: 32-bit sums in a vector; 0 where the form of a kernel says it.
        registers: number of vector registers.
        words: name of the vocabulary in which its kernels are written, where it is not its own.
        pairs: whether a quad of int8 factors lies as two pairs of 16-bit numbers (dwk_avx2.h).
        together: values that go into one sum at a time: four bytes, or two bfloat16.
    """

    name: str = ""
    needs: frozenset[str] = frozenset()
    lanes: int = 0
    registers: int = 0
    words: str = ""
    pairs: bool = False
    together: int = 4

    @property
    def behind(self) -> int:
        """Values that a product may read behind the last one of a kernel row, as it takes several together."""
        return self.together - 1 if self.name else 0

    @property
    def vocabulary(self) -> str:
        """The header that a kernel in these instructions needs before its own; empty for portable C."""
        return f"dwk_{self.words or self.name}.h" if self.name else ""


PORTABLE = Instructions()
AVX2 = Instructions(name="avx2", needs=frozenset({"__AVX2__"}), lanes=8, registers=16, pairs=True)
AVXVNNI = Instructions(name="avxvnni", needs=frozenset({"__AVX2__", "__AVXVNNI__"}), lanes=8, registers=16)
AVX512VNNI = Instructions(
    name="avx512vnni",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__", "__AVX512VNNI__"}),
    lanes=16,
    registers=32,
)
AVX512BF16 = Instructions(
    name="avx512bf16",
    needs=frozenset({"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__", "__AVX512BF16__"}),
    lanes=16,
    registers=32,
    together=2,
)
AVX512VBMI = Instructions(
    name="avx512vbmi",
    needs=AVX512VNNI.needs | {"__AVX512VBMI__"},
    lanes=16,
    registers=32,
    words="avx512vnni",
)
# The same instructions in vectors of half the width.
AVX512BF16VL = replace(AVX512BF16, name="avx512bf16vl", lanes=8)
