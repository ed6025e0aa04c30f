"""The instruction sets that kernels are written for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """The instructions that a kernel is written for, beyond portable C.

    Attributes:
        name: the end of the kernel's name, after two underscores; empty for portable C.
        family: the processors that have them, by name of a row of `kernels.table.FAMILIES`.
        needs: macros that a compiler predefines for the machines that have them.
        lanes: 32-bit sums in a vector; 0 where the form of a kernel says it.
        registers: number of vector registers.
        words: name of the vocabulary in which its kernels are written, where it is not its own.
        pairs: whether a quad of int8 factors lies as two pairs of 16-bit numbers (dwk_avx2.h).
        together: values that go into one sum at a time: four bytes, or two bfloat16.
        reads: bytes of an image that a kernel reads at a time, where it may read behind the last one.
        least: the least int8 factor that its kernels take.
        narrow: the same instructions in vectors of half the width, where a machine that has these has those too.
    """

    name: str = ""
    family: str = "portable"
    needs: frozenset[str] = frozenset()
    lanes: int = 0
    registers: int = 0
    words: str = ""
    pairs: bool = False
    together: int = 4
    reads: int = 0
    least: int = -128
    narrow: Instructions | None = None

    @property
    def behind(self) -> int:
        """Values that a product may read behind the last one of a kernel row, as it takes several together."""
        return max(self.together, self.reads) - 1 if self.name else 0

    @property
    def vocabulary(self) -> str:
        """The header that a kernel in these instructions needs before its own; empty for portable C."""
        return f"dwk_{self.words or self.name}.h" if self.name else ""


PORTABLE = Instructions()
