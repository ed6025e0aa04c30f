"""The operators `torch.ops.depthwise.*`: kernels on a GPU, elsewhere the expressions of reference.py.

They are registered with what torch.compile and export ask of an operator (shapes without values), with gradients, and
with a rule for autocast. y is as channels_last as x may be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from depthwise.cloud.cuda import reference
from depthwise.cloud.cuda.reference import Backward, Gradients, Measured
from depthwise.cloud.cuda.support import runs_kernels

NAMESPACE = "depthwise"


def _by(x: Tensor) -> Any:
    """The kernels or the reference, which have the same functions."""
    if runs_kernels(x):
        from depthwise.cloud.cuda import launch

        return launch
    return reference


@torch.library.custom_op("depthwise::depthwise", mutates_args=())
def depthwise(
    x: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    weight: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`reference.depthwise`."""
    found: Measured = _by(x).depthwise(x, scale, shift, weight, stride, padding, ceiling)
    return found


@torch.library.custom_op("depthwise::depthwise_backward", mutates_args=())
def depthwise_backward(
    dy: Tensor,
    dmean: Tensor,
    dvariance: Tensor,
    x: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    weight: Tensor,
    y: Tensor,
    mean: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`reference.depthwise_backward`."""
    given = Backward(dy, dmean, dvariance, x, scale, shift, weight, y, mean)
    found: Gradients = _by(x).depthwise_backward(given, stride, padding, ceiling)
    return found


@torch.library.custom_op("depthwise::pointwise", mutates_args=())
def pointwise(
    x: Tensor, scale: Tensor | None, shift: Tensor | None, weight: Tensor, ceiling: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`reference.pointwise`."""
    found: Measured = _by(x).pointwise(x, scale, shift, weight, ceiling)
    return found


@torch.library.custom_op("depthwise::pointwise_backward", mutates_args=())
def pointwise_backward(
    dy: Tensor,
    dmean: Tensor,
    dvariance: Tensor,
    x: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    weight: Tensor,
    y: Tensor,
    mean: Tensor,
    ceiling: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`reference.pointwise_backward`."""
    given = Backward(dy, dmean, dvariance, x, scale, shift, weight, y, mean)
    found: Gradients = _by(x).pointwise_backward(given, ceiling)
    return found


@torch.library.custom_op("depthwise::separable", mutates_args=())
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
    """`reference.separable`, which has no gradient: it is for answers."""
    weights = (depthwise_weight, depthwise_bias, pointwise_weight, pointwise_bias)
    found: Tensor = _by(x).separable(x, *weights, stride, padding, ceiling)
    return found


# Shapes, types and orders in memory of the results, from those of the arguments.


def _out_like(x: Tensor, channels: int, stride: int, padding: Sequence[int]) -> Tensor:
    top, bottom, left, right = padding
    height, width = (
        (size + zeros - 3) // stride + 1 for size, zeros in zip(x.shape[2:], (top + bottom, left + right), strict=True)
    )
    out = x.new_empty((x.shape[0], channels, height, width))
    return out.to(memory_format=torch.channels_last)


def _moments_like(x: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    kind = reference.wide(x)
    return x.new_empty(channels, dtype=kind), x.new_empty(channels, dtype=kind)


def _gradients_like(x: Tensor, scale: Tensor | None, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    dx = torch.empty_like(x, memory_format=torch.preserve_format).contiguous(memory_format=torch.channels_last)
    by_scale, by_shift = _moments_like(x, 0 if scale is None else x.shape[1])
    return dx, by_scale, by_shift, weight.new_empty(weight.shape)


@depthwise.register_fake
def _(x, scale, shift, weight, stride, padding, ceiling):  # type: ignore[no-untyped-def]
    return _out_like(x, x.shape[1], stride, padding), *_moments_like(x, x.shape[1])


@pointwise.register_fake
def _(x, scale, shift, weight, ceiling):  # type: ignore[no-untyped-def]
    y = x.new_empty((x.shape[0], weight.shape[0], *x.shape[2:])).to(memory_format=torch.channels_last)
    return y, *_moments_like(x, weight.shape[0])


@depthwise_backward.register_fake
def _(dy, dmean, dvariance, x, scale, shift, weight, y, mean, stride, padding, ceiling):  # type: ignore[no-untyped-def]
    return _gradients_like(x, scale, weight)


@pointwise_backward.register_fake
def _(dy, dmean, dvariance, x, scale, shift, weight, y, mean, ceiling):  # type: ignore[no-untyped-def]
    return _gradients_like(x, scale, weight)


@separable.register_fake
def _(x, depthwise_weight, depthwise_bias, pointwise_weight, pointwise_bias, stride, padding, ceiling):  # type: ignore[no-untyped-def]
    return _out_like(x, pointwise_weight.shape[0], stride, padding)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Measured) -> None:
    """What the backward pass needs: input and output as they were written, and not what lies between them."""
    x, scale, shift, weight, *ctx.settings = inputs
    y, mean, _ = output
    ctx.save_for_backward(x, scale, shift, weight, y, mean)


def _backward_by(operator: Callable[..., Gradients]) -> Callable[..., tuple[Tensor | None, ...]]:
    """A backward pass by an operator, as autograd calls it."""

    def backward(ctx: Any, dy: Tensor, dmean: Tensor, dvariance: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the tensors; the settings have none."""
        found = operator(dy, dmean, dvariance, *ctx.saved_tensors, *ctx.settings)
        by_scale, by_shift = (None, None) if ctx.saved_tensors[1] is None else found[1:3]
        return (found[0], by_scale, by_shift, found[3], *(None for _ in ctx.settings))

    return backward


depthwise.register_autograd(_backward_by(depthwise_backward), setup_context=_keep)
pointwise.register_autograd(_backward_by(pointwise_backward), setup_context=_keep)


def _follow_autocast(operator: Any, device: str) -> None:
    """Under autocast the input is taken in its type; weights, scale and shift stay in float32.

    The rule of `torch.library.register_autocast` would round those too.
    """

    def narrowed(_: Any, x: Tensor, *rest: Any) -> Any:
        """The operator without autocast, of a narrower input."""
        narrow = x.to(torch.get_autocast_dtype(device)) if x.dtype == torch.float32 else x
        with torch.autocast(device, enabled=False):
            return operator(narrow, *rest)

    _RULES.impl(operator._name, narrowed, f"Autocast{device.upper()}", with_keyset=True)


_RULES = torch.library.Library(NAMESPACE, "FRAGMENT")
for _operator in (depthwise, pointwise, separable):
    for _device in ("cpu", "cuda"):
        _follow_autocast(_operator, _device)
