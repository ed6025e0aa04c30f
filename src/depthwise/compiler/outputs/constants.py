"""The constants as C, and as assembly for each format of files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from depthwise.compiler.emit.ctext import words
from depthwise.compiler.pack import Packed

# Words on a line of weights.c, and lines that are made at a time.
_ROW, _ROWS = 9, 4096


def emit_weights(packed: Packed) -> Iterator[str]:
    """weights.c, line by line: the constants as 32-bit words, part by part.

    Where several levels have a part of the same name, the name stands at one of them.
    """
    yield "/* weights.c: the constants of model.c, which says where each part begins. */\n"
    yield "#include <stdint.h>\n\nextern const uint32_t dwl_weights[];\n\n"
    names = {0: "", **{start: f"{name}: " for name, start in packed.offsets.items()}}
    starts = [*sorted(names), packed.words.size]
    yield f"_Alignas(64) const uint32_t dwl_weights[{packed.words.size}] = {{\n"
    for start, end in itertools.pairwise(starts):
        yield f"    /* {names[start]}words {start} to {end - 1} */\n"
        for at in range(start, end, _ROW * _ROWS):
            row = words(packed.words[at : min(at + _ROW * _ROWS, end)])
            for of in range(0, len(row), _ROW):
                is_last = at + of + _ROW >= packed.words.size
                yield f"    {', '.join(row[of : of + _ROW])}{'};' if is_last else ','}\n"


def emit_assembly(words: int) -> str:
    """weights.s: the same constants out of weights.bin, for ELF; compilers read C arrays far more slowly."""
    return (
        '    .section .rodata,"a",%progbits\n'
        "    .balign 64\n"
        "    .globl dwl_weights\n"
        "    .hidden dwl_weights\n"
        "    .type dwl_weights, %object\n"
        f"    .size dwl_weights, {words * 4}\n"
        "dwl_weights:\n"
        '    .incbin "weights.bin"\n'
        '    .section .note.GNU-stack,"",%progbits\n'
    )


def emit_coff(words: int) -> str:
    """weights.s for COFF, which needs no length of the constants."""
    del words
    return '    .section .rdata,"dr"\n    .balign 64\n    .globl dwl_weights\ndwl_weights:\n    .incbin "weights.bin"\n'


def emit_macho(words: int) -> str:
    """weights.s for Mach-O, where names of C begin with one more underscore."""
    del words
    return (
        "    .section __TEXT,__const\n"
        "    .p2align 6\n"
        "    .globl _dwl_weights\n"
        "    .private_extern _dwl_weights\n"
        "_dwl_weights:\n"
        '    .incbin "weights.bin"\n'
    )
