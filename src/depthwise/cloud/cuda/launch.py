"""The kernels with the arguments of reference.py: memory for their results, their tiles, and the last sums.

Imported where the kernels run; it needs Triton.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton.language as tl
from torch import Tensor

from depthwise.cloud.cuda import tiles
from depthwise.cloud.cuda.kernels import depthwise as depthwise_kernels
from depthwise.cloud.cuda.kernels import pointwise as pointwise_kernels
from depthwise.cloud.cuda.kernels import separable as separable_kernels
from depthwise.cloud.cuda.reference import Backward, Gradients, Measured, wide
from depthwise.cloud.cuda.tiles import Tile, parts

_TYPES = {torch.float16: tl.float16, torch.bfloat16: tl.bfloat16, torch.float32: tl.float32, torch.float64: tl.float64}


def depthwise(
    x: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    weight: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> Measured:
    """`reference.depthwise`."""
    x, weight = _laid_out(x), weight.contiguous()
    height, width = x.shape[2:]
    y = _empty(x, x.shape[1], *out_shape(height, width, stride, padding))
    pixels, channels = _pixels(y), x.shape[1]
    tile = tiles.depthwise_tile(pixels, channels)
    programs = parts(pixels, tile.pixels * tile.rounds)
    moments = x.new_empty((2, programs, channels), dtype=wide(x))
    depthwise_kernels.forward[programs, parts(channels, tile.channels)](
        x, _given(scale, x), _given(shift, x), weight, y, moments,
        pixels, channels, height, width, y.shape[2], y.shape[3], padding[0], padding[2], ceiling, tile.rounds,
        stride=stride, normed=scale is not None, wide=_TYPES[wide(x)], block_p=tile.pixels, block_c=tile.channels,
    )  # fmt: skip
    return y, *_together(moments, pixels, tile)


def depthwise_backward(given: Backward, stride: int, padding: Sequence[int], ceiling: float) -> Gradients:
    """`reference.depthwise_backward`."""
    x, y, weight, normed = _laid_out(given.x), given.y, given.weight.contiguous(), given.scale is not None
    dx = torch.empty_like(x)
    pixels, channels = _pixels(x), x.shape[1]
    tile = tiles.depthwise_tile(pixels, channels)
    programs = parts(pixels, tile.pixels * tile.rounds)
    sums = x.new_empty((programs, 16, channels), dtype=wide(x))
    depthwise_kernels.backward[programs, parts(channels, tile.channels)](
        *_seen(given, x), weight, dx, sums,
        pixels, channels, x.shape[2], x.shape[3], y.shape[2], y.shape[3], padding[0], padding[2], ceiling, tile.rounds,
        stride=stride, normed=normed, wide=_TYPES[wide(x)], block_p=tile.pixels, block_c=tile.channels,
    )  # fmt: skip
    total = sums.sum(0)
    by_weight = total[:9].t().reshape(weight.shape).to(weight.dtype)
    if not normed:
        return dx, total.new_empty(0), total.new_empty(0), by_weight
    return dx, total[9].clone(), total[10].clone(), by_weight


def pointwise(x: Tensor, scale: Tensor | None, shift: Tensor | None, weight: Tensor, ceiling: float) -> Measured:
    """`reference.pointwise`."""
    x, weight = _laid_out(x), weight.contiguous()
    channels, outputs = x.shape[1], weight.shape[0]
    y = _empty(x, outputs, *x.shape[2:])
    pixels = _pixels(x)
    tile = tiles.pointwise_tile(pixels, channels, outputs)
    programs = parts(pixels, tile.pixels)
    moments = x.new_empty((2, programs, outputs), dtype=wide(x))
    pointwise_kernels.forward[programs, parts(outputs, tile.outputs)](
        x, _given(scale, x), _given(shift, x), weight, y, moments, pixels, channels, outputs, ceiling,
        **_products(x, tile), normed=scale is not None,
    )  # fmt: skip
    return y, *_together(moments, pixels, tile)


def pointwise_backward(given: Backward, ceiling: float) -> Gradients:
    """`reference.pointwise_backward`."""
    x, weight, normed = _laid_out(given.x), given.weight.contiguous(), given.scale is not None
    pixels, channels, outputs = _pixels(x), x.shape[1], weight.shape[0]
    seen, dx = _seen(given, x), torch.empty_like(x)
    tile = tiles.input_tile(pixels, channels, outputs)
    programs = parts(pixels, tile.pixels)
    sums = x.new_zeros((2, programs, channels) if normed else (2, 1, 0), dtype=wide(x))
    pointwise_kernels.backward_input[programs, parts(channels, tile.channels)](
        *seen, weight, dx, sums, pixels, channels, outputs, ceiling, **_products(x, tile), normed=normed
    )
    tile = tiles.weight_tile(pixels, channels, outputs)
    splits = parts(pixels, tile.pixels * tile.rounds)
    slopes = x.new_empty((splits, outputs, channels), dtype=wide(x))
    pointwise_kernels.backward_weight[splits, parts(outputs, tile.outputs), parts(channels, tile.channels)](
        *seen, slopes, pixels, channels, outputs, ceiling, tile.rounds, **_products(x, tile), normed=normed
    )
    by_scale, by_shift = sums.sum(1).unbind(0)
    return dx, by_scale.clone(), by_shift.clone(), slopes.sum(0).reshape(weight.shape).to(weight.dtype)


def separable(
    x: Tensor,
    depthwise_weight: Tensor,
    depthwise_bias: Tensor,
    pointwise_weight: Tensor,
    pointwise_bias: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> Tensor:
    """`reference.separable`."""
    x = _laid_out(x)
    (height, width), channels, outputs = x.shape[2:], x.shape[1], pointwise_weight.shape[0]
    z = _empty(x, outputs, *out_shape(height, width, stride, padding))
    pixels = _pixels(z)
    tile = tiles.separable_tile(pixels, channels, outputs)
    separable_kernels.forward[parts(pixels, tile.pixels), parts(outputs, tile.outputs)](
        x, depthwise_weight.contiguous(), depthwise_bias, pointwise_weight.contiguous(), pointwise_bias, z,
        pixels, channels, outputs, height, width, z.shape[2], z.shape[3], padding[0], padding[2], ceiling,
        **_products(x, tile), stride=stride,
    )  # fmt: skip
    return z


def out_shape(height: int, width: int, stride: int, padding: Sequence[int]) -> tuple[int, int]:
    """Height and width behind a 3x3 window."""
    top, bottom, left, right = padding
    return (height + top + bottom - 3) // stride + 1, (width + left + right - 3) // stride + 1


def _laid_out(x: Tensor) -> Tensor:
    """As the kernels read it. Gradients come in whatever order the operator behind them wrote."""
    return x.contiguous(memory_format=torch.channels_last)


def _empty(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    shape = (x.shape[0], channels, height, width)
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)


def _pixels(x: Tensor) -> int:
    return x.shape[0] * x.shape[2] * x.shape[3]


def _given(values: Tensor | None, x: Tensor) -> Tensor:
    """What a kernel is given in the place of values that it will not use: something of the right kind."""
    return x.new_zeros(x.shape[1], dtype=wide(x)) if values is None else values


def _products(x: Tensor, tile: Tile) -> dict[str, object]:
    """How products are taken: on tensor cores in the type of the values, in TF32 where torch's convolutions may."""
    product = _TYPES[x.dtype]
    if not x.is_cuda and x.dtype == torch.bfloat16:
        # Triton's interpreter multiplies the bit patterns of bfloat16; as float32 the products are those of a GPU.
        product = tl.float32
    exact = "tf32" if x.dtype == torch.float32 and torch.backends.cudnn.allow_tf32 else "ieee"
    return {
        "wide": _TYPES[wide(x)], "product": product, "exact": exact,
        "block_p": tile.pixels, "block_n": tile.outputs, "block_c": tile.channels,
    }  # fmt: skip


def _seen(given: Backward, x: Tensor) -> tuple[Tensor, ...]:
    """What all kernels of a backward pass read, x as they read it."""
    dy, scale, shift = _laid_out(given.dy), _given(given.scale, x), _given(given.shift, x)
    return dy, given.y, given.mean, *given.by_moments(), x, scale, shift


def _together(moments: Tensor, pixels: int, tile: Tile) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) from those of each program."""
    size, programs = tile.pixels * tile.rounds, moments.shape[1]
    means, spreads = moments.unbind(0)
    # All programs have as many pixels but the last.
    last = pixels - size * (programs - 1)
    mean = (means[:-1].sum(0) * size + means[-1] * last) / pixels
    off = (means - mean).square()
    spread = spreads.sum(0) + off[:-1].sum(0) * size + off[-1] * last
    return mean, spread / pixels
