"""Weights in the order in which the kernels read them, as one array of 32-bit words.

How they lie is a property of the kernel that the plan chose: its `packing` is a row of `PACKINGS`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler import pack_bf16, pack_int8, pack_x86
from depthwise.compiler.dialect import zeros_of
from depthwise.compiler.lower import Floats, Lowered, Operation
from depthwise.compiler.plan import Plan
from depthwise.compiler.step import NO_BORDER, Step
from depthwise.compiler.tiles import Panels
from depthwise.compiler.words import channel_words
from depthwise.kernels.table import Kernel
from depthwise.network.layers import Layer

# DWK_MEANS of kernels/dwk_image_f32.h and DWK_BORDER of dwk_image_u8.h.
EDGE = 48
# Words; each part begins at a multiple, as the widest vector must.
ALIGNMENT = 16

Words = NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """All constants of an artifact.

    Attributes:
        words: the bits of float32 or int32 values, or four int8 each (the first in the lowest byte), in the order in
            which they are read.
        offsets: the first word of each part: `edge`, layers by name, `<layer>.zeros` (bf16: what stands around its
            output), `features` (int8: what a step of each pooled feature is worth), `constant_features` (where channels
            are left out: what those features are), `golden`.
    """

    words: Words
    offsets: Mapping[str, int]

    @property
    def weight_bytes(self) -> int:
        """All but the golden answers, which stand last."""
        return self.offsets["golden"] * 4


def pack(lowered: Lowered, plan: Plan, golden: Floats) -> Packed:
    """The constants of a network, planned for a machine.

    Args:
        golden: (cases, classes), the oracle's answers to the golden images.
    """
    by_name = {operation.layer.name: operation for operation in lowered.operations}
    parts: dict[str, NDArray[Any]] = {"edge": np.resize(lowered.edge, EDGE)}
    for step in plan.steps:
        for layer, kernel in zip(step.layers, step.kernels, strict=True):
            if kernel.packing:
                parts[layer.name] = PACKINGS[kernel.packing](by_name[layer.name], step)
                _check(parts[layer.name], layer, kernel, step)
        if step.output.border != NO_BORDER and lowered.precision == "bf16":
            parts[zeros_of(step.layers[-1])] = pack_bf16.zeros(by_name[step.layers[-1].name])
    if lowered.precision == "int8":
        pool = next(step.layers[0] for step in plan.steps if step.kind == "pool")
        whole = lowered.features
        parts["features"] = lowered.rounding(pool).scale if whole is None else whole.scale
    if lowered.features is not None:
        parts["constant_features"] = lowered.features.values
    parts["golden"] = golden.astype(np.float32).ravel()
    offsets: dict[str, int] = {}
    pieces: list[Words] = []
    size = 0
    for name, part in parts.items():
        offsets[name] = size
        words = np.ascontiguousarray(part).view("<u4").astype(np.uint32)
        pieces.append(np.pad(words, (0, -words.size % ALIGNMENT)))
        size += pieces[-1].size
    return Packed(words=np.concatenate(pieces), offsets=offsets)


def _check(part: NDArray[Any], layer: Layer, kernel: Kernel, step: Step) -> None:
    """What is laid has the size by which channels are found in it."""
    words, rest = channel_words(layer, kernel), channel_words(layer, kernel, rest=True)
    if words is None or rest is None or step.tiling is None:
        return
    first = () if step.strassen is None else step.strassen.panels
    counts = [sum(group.count * group.vectors * group.lanes for group in of) for of in (first, step.tiling.panels)]
    assert part.nbytes == 4 * (counts[0] * words + counts[1] * rest), layer.name


def merged(packs: Sequence[Packed]) -> tuple[Packed, ...]:
    """The constants of several levels in one array, parts that are the same only once, the golden answers last."""
    parts: dict[bytes, int] = {}
    pieces: list[Words] = []
    size = 0

    def place(name: str, words: Words) -> int:
        nonlocal size
        key = name.encode() + words.tobytes()
        if key not in parts:
            parts[key] = size
            pieces.append(words)
            size += words.size
        return parts[key]

    offsets = [{name: place(name, words) for name, words in _parts(packed) if name != "golden"} for packed in packs]
    golden = place("golden", dict(_parts(packs[0]))["golden"])
    words = np.concatenate(pieces)
    return tuple(Packed(words=words, offsets={**places, "golden": golden}) for places in offsets)


def _parts(packed: Packed) -> list[tuple[str, Words]]:
    starts = list(packed.offsets.values())
    ends = [*starts[1:], packed.words.size]
    return [(n, packed.words[start:end]) for n, start, end in zip(packed.offsets, starts, ends, strict=True)]


def depthwise(operation: Operation, lanes: int) -> Floats:
    """For each `lanes` channels the bias, then the nine factors: (C / lanes, 10, lanes)."""
    rows = np.concatenate([operation.bias[None], operation.weight])
    return rows.reshape(10, -1, lanes).transpose(1, 0, 2).ravel()


def product(operation: Operation, panels: tuple[Panels, ...]) -> Floats:
    """For each panel the bias, then for each value under the kernel the panel's factors; zeros after the last one."""
    N = operation.bias.size
    rows = np.concatenate([operation.bias[None], operation.weight.reshape(-1, N)])
    width = sum(group.count * group.channels for group in panels)
    rows = np.pad(rows, ((0, 0), (0, width - N)))
    pieces = []
    start = 0
    for group in panels:
        end = start + group.count * group.channels
        pieces.append(rows[:, start:end].reshape(len(rows), group.count, -1).transpose(1, 0, 2).ravel())
        start = end
    return np.concatenate(pieces)


def strassen(operation: Operation, panels: Panels) -> Floats:
    """For each two panels the bias of the first, what is added for that of the second, and the seven blocks of factors.

    The identities stand in kernels/dwk_strassen_f32.h. Sums are taken in float64 and rounded once.
    """
    width, count = panels.channels, panels.count * panels.channels
    half = operation.weight.shape[1] // 2
    # (pair of panels, panel, channel) and (pair of panels, panel, half of the values, value, channel)
    bias = operation.bias[:count].reshape(-1, 2, width).astype(np.float64)
    weight = operation.weight[0, :, :count].reshape(2, half, -1, 2, width).transpose(2, 3, 0, 1, 4).astype(np.float64)
    (b11, b21), (b12, b22) = weight[:, 0].swapaxes(0, 1), weight[:, 1].swapaxes(0, 1)
    t1 = b12 - b11
    t2 = b22 - t1
    blocks = np.stack([b11, b21, t2, b22 - b12, b21 - t2, t1, b22], axis=1)
    ends = np.stack([bias[:, 0], bias[:, 1] - bias[:, 0]], axis=1)
    return np.concatenate([ends.reshape(len(ends), -1), blocks.reshape(len(blocks), -1)], axis=1).astype(np.float32)


def _product(operation: Operation, step: Step) -> Floats:
    assert step.tiling is not None
    return product(operation, step.tiling.panels)


def _strassen(operation: Operation, step: Step) -> Floats:
    """The channels of Strassen's products, then the others as plain ones."""
    assert step.strassen is not None
    assert step.tiling is not None
    (panels,) = step.strassen.panels
    done = panels.count * panels.channels
    rest = dataclasses.replace(operation, weight=operation.weight[..., done:], bias=operation.bias[done:])
    pieces = [strassen(operation, panels).ravel()]
    if step.tiling.panels:
        pieces.append(product(rest, step.tiling.panels))
    return np.concatenate(pieces)


# What `Kernel.packing` names: the weights of a layer in a step, in the order in which the kernel's header says.
PACKINGS: dict[str, Callable[[Operation, Step], NDArray[Any]]] = {
    "product_f32": _product,
    "strassen_f32": _strassen,
    "depthwise_f32": lambda operation, step: depthwise(operation, step.lanes),
    "product_bf16": pack_bf16.product,
    "classifier_bf16": pack_bf16.classifier,
    "depthwise_bf16": pack_bf16.depthwise,
    "depthwise_bf16_x86": pack_bf16.depthwise_x86,
    "product_i8": pack_int8.product,
    "depthwise_i8": pack_int8.depthwise,
    "pool_i8": pack_int8.pool,
    "classifier_i8": pack_int8.classifier,
    "product_x86": pack_x86.product,
    "stem_x86": pack_x86.stem,
    "stem_abreast_x86": pack_x86.stem_abreast,
    "depthwise_x86": pack_x86.depthwise,
    "depthwise3x3s2_avx512vnni": pack_x86.alternating,
    "pool_x86": pack_x86.pool,
    "classifier_x86": pack_x86.classifier,
}
