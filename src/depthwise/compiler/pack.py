"""Weights in the order in which the kernels read them, as one array of 32-bit words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower import Floats, Lowered, Operation
from depthwise.compiler.plan import Panels, Plan, Step

# DWK_MEANS of kernels/dwk_image_f32.h.
MEANS = 48
# Words; each part begins at a multiple, as the widest vector must.
ALIGNMENT = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """All constants of an artifact.

    Attributes:
        words: float32, in the order in which they are read.
        offsets: the first word of each part: `means`, layers by name, `golden`.
    """

    words: Floats
    offsets: Mapping[str, int]


def pack(lowered: Lowered, plan: Plan, golden: NDArray[np.float64]) -> Packed:
    """The constants of a network, planned for a machine.

    Args:
        golden: (cases, classes), the oracle's probabilities of the golden images.
    """
    by_name = {operation.layer.name: operation for operation in lowered.operations}
    parts: dict[str, Floats] = {"means": np.resize(lowered.means, MEANS)}
    for step in plan.steps:
        for layer in step.layers:
            if layer.kind != "pool":
                parts[layer.name] = _packed(by_name[layer.name], step)
    parts["golden"] = golden.astype(np.float32).ravel()
    offsets: dict[str, int] = {}
    pieces: list[Floats] = []
    size = 0
    for name, part in parts.items():
        offsets[name] = size
        pieces.append(np.pad(part, (0, -part.size % ALIGNMENT)))
        size += pieces[-1].size
    return Packed(words=np.concatenate(pieces), offsets=offsets)


def _packed(operation: Operation, step: Step) -> Floats:
    if operation.layer.kind == "depthwise":
        return depthwise(operation, step.lanes)
    assert step.tiling is not None
    return product(operation, step.tiling.panels)


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
