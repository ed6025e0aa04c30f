"""Weights in the order in which the kernels read them, as one array of 32-bit words.

How they lie is a property of the kernel that the plan chose: its `packing` names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.compiler.lower.wide import narrow, pack_wide, wide_channels, wide_of
from depthwise.compiler.plan.plan import Plan
from depthwise.compiler.step import NO_BORDER, Call, Step
from depthwise.compiler.words import Array, Words
from depthwise.kernels.bfloat16 import halves
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.layout import LESS
from depthwise.kernels.packing import packing
from depthwise.kernels.weights import Cut, Floats
from depthwise.network.layers import Layer

# DWK_MEANS of kernels/portable/dwk_image_f32.h and DWK_BORDER of dwk_image_u8.h.
EDGE = 48
# Words; each part begins at a multiple, as the widest vector must.
ALIGNMENT = 16


@dataclass(frozen=True, kw_only=True)
class Laid:
    """Where the weights of one call lie.

    Attributes:
        offset: the first word, from the beginning of its layer's.
        unit: words of each of its units (`Call.units`).
    """

    offset: int
    unit: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The constants of one level of instructions, part by part.

    Attributes:
        arrays: the bits of float32 or int32 values, or four int8 each (the first in the lowest byte), in the order in
            which they are read, of each part: `edge`, layers by name, `<layer>.wide` (int8: channels with factors
            beyond a signed byte), `<layer>.zeros` (bf16: what stands around its output), `features` (int8: what a step
            of each pooled feature is worth), `constant_features` (where channels are left out: what those features
            are), `golden`.
        laid: by name of each layer that has weights, where those of each of its calls lie.
    """

    arrays: dict[str, Array]
    laid: Mapping[str, tuple[Laid, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """All constants of an artifact, as one of its levels reads them.

    Attributes:
        words: the parts of all levels, one after the other.
        offsets: the first word of each part of this level.
        laid: as in `Parts`.
    """

    words: Words
    offsets: Mapping[str, int]
    laid: Mapping[str, tuple[Laid, ...]]

    @property
    def weight_bytes(self) -> int:
        """All but the golden answers, which stand last."""
        return self.offsets["golden"] * 4


def zeros_of(layer: Layer) -> str:
    """The name, among all constants, of what stands for 0 in the channels of a layer's output in bf16."""
    return f"{layer.name}.zeros"


def pack(lowered: Lowered, plan: Plan, golden: Floats) -> Parts:
    """The constants of a network, planned for a machine.

    Args:
        golden: (cases, classes), the oracle's answers to the golden images.
    """
    by_name = {operation.layer.name: operation for operation in lowered.operations}
    edge = lowered.edge ^ LESS if plan.layout.stored == "signed" else lowered.edge
    parts: dict[str, NDArray[Any]] = {"edge": np.resize(edge, EDGE)}
    laid: dict[str, tuple[Laid, ...]] = {}
    for step in plan.steps:
        for layer, kernel in zip(step.layers, step.kernels, strict=True):
            operation = by_name[layer.name]
            if (channels := wide_channels(operation, kernel)).size:
                parts[wide_of(layer)] = pack_wide(operation, channels, plan.layout)
            if kernel.packing:
                pieces = packing(kernel)(narrow(operation, kernel), _cut(step, layer, kernel))
                parts[layer.name] = np.concatenate(pieces)
                laid[layer.name] = _laid(pieces, [call for call in step.calls if call.layer == layer.name])
        if step.output.border != NO_BORDER and by_name[step.layers[-1].name].bounds is not None:
            parts[zeros_of(step.layers[-1])] = _zeros(by_name[step.layers[-1].name])
    if lowered.rounds:
        pool = next(step.layers[0] for step in plan.steps if step.kind == "pool")
        some = lowered.features
        parts["features"] = lowered.rounding(pool).scale if some is None else some.scale
    if lowered.features is not None:
        parts["constant_features"] = lowered.features.values
    parts["golden"] = golden.astype(np.float32).ravel()
    return Parts(arrays={name: _whole_words(part) for name, part in parts.items()}, laid=laid)


def _whole_words(part: NDArray[Any]) -> Array:
    return np.ascontiguousarray(part).view("<u4").ravel()


def _cut(step: Step, layer: Layer, kernel: Kernel) -> Cut:
    """How a layer of a step is cut for its kernel."""
    return Cut(
        instructions=kernel.instructions,
        groups=(*(step.tiles.panels if step.tiles else ()), *step.tiling.panels),
        strassen=() if step.strassen is None else step.strassen.panels,
        lanes=step.lanes,
        stride=layer.stride,
        way=step.ways[step.layers.index(layer)] if step.ways else "",
    )


def _zeros(operation: Operation) -> Array:
    """What stands for 0 in each channel of a bf16 layer's output, two to a word."""
    assert operation.bounds is not None
    return np.resize(halves(operation.bounds.low), -(-operation.bias.size // 2) * 2).view(np.uint32)


def _laid(pieces: Sequence[NDArray[Any]], calls: Sequence[Call]) -> tuple[Laid, ...]:
    """Where the weights of each call lie among those of its layer."""
    found = []
    start = 0
    for piece, call in zip(pieces, calls, strict=True):
        words = piece.nbytes // 4
        assert words % call.units == 0, call
        found.append(Laid(offset=start, unit=words // call.units))
        start += words
    return tuple(found)


def merged(levels: Iterable[Parts]) -> tuple[Packed, ...]:
    """The constants of several levels one after the other, parts that are the same only once, the golden answers last.

    The arrays of each level are let go before the next is asked for: large networks fill the memory.
    """
    places: dict[bytes, int] = {}
    words = Words()

    def placed(name: str, part: Array) -> int:
        filled = np.pad(part, (0, -part.size % ALIGNMENT))
        key = name.encode() + hashlib.sha256(filled.data).digest()
        if key not in places:
            places[key] = words.append(filled)
        return places[key]

    found: list[Packed] = []
    golden = np.zeros(0, np.uint32)
    for parts in levels:
        golden = parts.arrays.pop("golden")
        offsets = {name: placed(name, parts.arrays.pop(name)) for name in tuple(parts.arrays)}
        found.append(Packed(words=words, offsets=offsets, laid=parts.laid))
        del parts
    end = placed("golden", golden)
    return tuple(replace(packed, offsets={**packed.offsets, "golden": end}) for packed in found)
