"""The constants as C, and as assembly for each format of files."""

from __future__ import annotations

import itertools

from depthwise.compiler.emit.ctext import Lines, words
from depthwise.compiler.pack import Packed

# Words on a line of weights.c.
_WORDS = 9


def emit_weights(packed: Packed) -> str:
    """weights.c: the constants as 32-bit words, part by part.

    Where several levels have a part of the same name, the name stands at one of them.
    """
    out = Lines()
    out.add(
        "/* weights.c: the constants of model.c, which says where each part begins. */",
        "#include <stdint.h>",
        "",
        "extern const uint32_t dwl_weights[];",
        "",
    )
    names = {0: "", **{start: f"{name}: " for name, start in packed.offsets.items()}}
    starts = [*sorted(names), packed.words.size]
    out.add(f"_Alignas(64) const uint32_t dwl_weights[{packed.words.size}] = {{")
    for start, end in itertools.pairwise(starts):
        out.add(f"    /* {names[start]}words {start} to {end - 1} */")
        row = words(packed.words[start:end])
        for at in range(0, len(row), _WORDS):
            is_last = end == packed.words.size and at + _WORDS >= len(row)
            out.add(f"    {', '.join(row[at : at + _WORDS])}{'};' if is_last else ','}")
    return str(out)


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
