"""Output channels with factors that a kernel's signed bytes cannot hold; kernels/dwk_wide_i8.h computes them beside it.

Weights with a zero point have factors of -255 to 255 (docs/int8.md Q4). Most fit into a signed byte: those networks
have one or two channels a layer with a factor that does not. Sizes: N output channels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.compiler.step import Step
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.layout import LESS, Layout
from depthwise.network.layers import Layer

# The most that a signed byte holds.
_MOST = np.iinfo(np.int8).max
# DWK_WIDE_DEPTH of dwk_wide_i8.h: factors that are multiplied together.
_TOGETHER = 16


def wide_of(layer: Layer) -> str:
    """The name, among all constants, of a layer's wide channels."""
    return f"{layer.name}.wide"


def wide_channels(operation: Operation, kernel: Kernel) -> NDArray[np.intp]:
    """Numbers of the output channels with a factor that the kernel cannot hold, in rising order."""
    # Kernels that take pairs have factors of 16 bits.
    if operation.rounding is None or kernel.instructions.pairs:
        return np.zeros(0, np.intp)
    factors = _by_channel(operation)
    return np.flatnonzero(((factors < kernel.instructions.least) | (factors > _MOST)).any(axis=0))


def has_wide(steps: tuple[Step, ...], lowered: Lowered) -> bool:
    """Whether any step has wide channels."""
    pairs = (pair for step in steps for pair in zip(step.layers, step.kernels, strict=True))
    return any(wide_channels(lowered.operation(layer), kernel).size for layer, kernel in pairs)


def narrow(operation: Operation, kernel: Kernel) -> Operation:
    """The operation as the kernel takes it: factors of wide channels are 0, and the others are signed bytes."""
    if operation.rounding is None or kernel.instructions.pairs:
        return operation
    weight = operation.weight.copy()
    weight[..., wide_channels(operation, kernel)] = 0
    return replace(operation, weight=weight.astype(np.int8))


def pack_wide(operation: Operation, channels: NDArray[np.intp], layout: Layout) -> NDArray[np.uint32]:
    """For each of the channels its number, bias, multiplier, scale and factors, in words of 32 bits.

    Nine factors of a depthwise layer take a word each. Those of other layers take half a word each, and the K factors
    of each row of the kernel are filled up to a multiple of 16.
    """
    assert operation.rounding is not None
    factors = operation.weight[..., channels].astype(np.int16)
    bias = operation.bias[channels]
    if layout.stored == "signed":
        bias = bias + LESS * factors.reshape(-1, channels.size).sum(axis=0, dtype=np.int32)
    words = (channels, bias, operation.rounding.multiplier[channels], operation.rounding.scale[channels])
    heads = np.stack([_bits(word) for word in words], axis=1)
    if operation.layer.kind == "depthwise":
        return np.concatenate([heads, _bits(factors.T)], axis=1).ravel()
    filled = np.pad(factors, ((0, 0), (0, -factors.shape[1] % _TOGETHER), (0, 0)))
    halves = np.ascontiguousarray(np.moveaxis(filled, -1, 0)).reshape(channels.size, -1)
    return np.concatenate([heads, halves.view(np.uint32)], axis=1).ravel()


def _by_channel(operation: Operation) -> NDArray[Any]:
    """(values under the kernel in the order in which they are read, N) factors."""
    return operation.weight.reshape(-1, operation.bias.size)


def _bits(values: NDArray[Any]) -> NDArray[np.uint32]:
    """The bits of float32 or whole numbers, as the words that hold them."""
    wide = values if values.dtype == np.float32 else values.astype(np.int32)
    return np.ascontiguousarray(wide).view(np.uint32)
