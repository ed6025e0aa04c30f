"""The processors of x86 that a network can be compiled for, by what they have."""

from __future__ import annotations

from dataclasses import replace

from depthwise.kernels.machine import Level, Machine
from depthwise.kernels.x86.makers import AMD, INTEL
from depthwise.precision import Precision

# What every 64-bit processor of x86 has.
BASELINE = Machine(lanes=4, registers=16, family="x86")
_AVX2 = frozenset({"__AVX2__"})
_AVX512 = _AVX2 | {"__AVX512F__", "__AVX512BW__", "__AVX512DQ__", "__AVX512VL__"}
_ALL: frozenset[Precision] = frozenset({"float32", "bf16", "int8"})
_FLOATS: frozenset[Precision] = frozenset({"float32", "bf16"})
_FLOAT32: frozenset[Precision] = frozenset({"float32"})
_BF16: frozenset[Precision] = frozenset({"bf16"})
_INT8: frozenset[Precision] = frozenset({"int8"})


def _avx512(
    name: str,
    about: str,
    carried: frozenset[Precision],
    *more: str,
    unseen: frozenset[str] = frozenset(),
    maker: str = "",
    is_own: bool = False,
) -> Level:
    """A level of AVX-512 with more instructions, as compilers name them.

    Args:
        unseen: macros of instructions that compilers may use and kernels are not chosen for.
    """
    features = _AVX512 | {f"__{one.upper()}__" for one in more} - unseen
    return Level(
        name=name,
        about=about,
        machine=Machine(lanes=16, registers=32, family="x86", features=features, maker=maker, is_own=is_own),
        carried=carried,
        zig=(f"-mcpu=x86_64_v4{''.join(f'+{one}' for one in more)}-prefer_256_bit",),
        cc=("-march=x86-64-v4", *(f"-m{one.replace('_', '-')}" for one in more)),
    )


_AT_AVX512 = _avx512("avx512", "AVX-512", _FLOATS)
_AT_VBMI = _avx512("vbmi", "AVX-512 with VNNI and VBMI", _INT8, "avx512vnni", "avx512vbmi")


def _for_intel(level: Level, *, carried: frozenset[Precision]) -> Level:
    """The same instructions in tiles that are faster on Intel's processors."""
    machine = replace(level.machine, maker=INTEL, is_own=True)
    return replace(
        level, name=f"{level.name}_intel", about="the same, in tiles for Intel", machine=machine, carried=carried
    )


# From the lowest to the highest. VNNI without VBMI is Intel's alone; dot products of bf16 are slower than float32 on
# Intel, and twice as fast on AMD. Compilers split vectors of 512 bits for "x86_64_v4" unless they are told not to,
# which costs float32 a fifth of its speed on Zen 4; compilers of the system are told so by `Family.tuning`. Level `amx`
# is told of the instructions for bf16, of which only the one that rounds is used, and its machine is not.
LEVELS = (
    Level(
        name="portable",
        about="any 64-bit x86",
        machine=BASELINE,
        carried=_ALL,
        zig=("-mcpu=x86_64",),
        cc=("-march=x86-64",),
    ),
    Level(
        name="v2",
        about="SSE4.2",
        machine=BASELINE,
        carried=_INT8,
        zig=("-mcpu=x86_64_v2",),
        cc=("-march=x86-64-v2",),
    ),
    Level(
        name="avx2",
        about="AVX2 and FMA",
        machine=Machine(lanes=8, registers=16, family="x86", features=_AVX2),
        carried=_ALL,
        zig=("-mcpu=x86_64_v3",),
        cc=("-march=x86-64-v3",),
    ),
    Level(
        name="avxvnni",
        about="AVX2 with AVX-VNNI",
        machine=Machine(lanes=8, registers=16, family="x86", features=_AVX2 | {"__AVXVNNI__"}),
        carried=_INT8,
        zig=("-mcpu=x86_64_v3+avxvnni",),
        cc=("-march=x86-64-v3", "-mavxvnni"),
    ),
    _AT_AVX512,
    _for_intel(_AT_AVX512, carried=_FLOAT32),
    _avx512("vnni", "AVX-512 with VNNI", _INT8, "avx512vnni", maker=INTEL),
    _AT_VBMI,
    _for_intel(_AT_VBMI, carried=_INT8),
    _avx512("bf16", "AVX-512 with VNNI and BF16, of AMD", _BF16, "avx512vnni", "avx512bf16", maker=AMD, is_own=True),
    _avx512(
        "amx",
        "AVX-512 with VNNI and VBMI, and the tiles of AMX",
        _INT8 | _BF16,
        "avx512vnni",
        "avx512vbmi",
        "avx512bf16",
        "amx_tile",
        "amx_int8",
        "amx_bf16",
        unseen=frozenset({"__AVX512BF16__"}),
        maker=INTEL,
    ),
)
