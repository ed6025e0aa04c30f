"""The int8 network as a torch module that can learn: what it computes are the very bytes of docs/int8.md.

Activations are bytes held as float32, which has every whole number below 2**24; each convolution is cut into parts
whose sums stay below that, so that they are exact in whatever order they are added. Rounding passes gradients on
unchanged (arXiv:1308.3432), to the images too, and since weights are parameters in real numbers, gradients are those of
a float network.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.cloud.module import Network, _place
from depthwise.network.dequantize import dequantize
from depthwise.network.layers import Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, input_border

# Weights under the kernel that are summed in one part: 255 * 128 * 512 is below 2**24, and so is 255 * 255 * 256 where
# weights have a zero point.
EXACT_WEIGHTS, EXACT_FACTORS = 512, 256
# Float32 has all whole numbers up to this one.
EXACT = 2**24
LARGEST_WEIGHT = 127

Doubles = NDArray[np.float64]


class QuantizedNetwork(Network):
    """An int8 model whose weights and biases can be trained; ranges and multipliers stay as they are.

    Input and output are those of `Network`, and so are the names of weights; batch normalisation is folded, and every
    layer with weights has a bias. It is an int8 model byte for byte at every moment: at first the one it starts from,
    later the one that `to_quantized` gives.

    Args:
        start: the model to start from, as `quantize` makes it.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, start: QuantizedModel) -> None:
        nn.Module.__init__(self)
        self.spec, self.softness = start.spec, 0.0
        mean, scale = (np.array(part) for part in (start.preprocessing.mean, start.preprocessing.scale))
        _constant(self, "mean", mean[:, None, None], torch.float32)
        _constant(self, "scale", scale[:, None, None], torch.float32)
        real = dequantize(start)
        given, zero = np.ones(len(mean)), mean.astype(np.float64)
        for layer in layers(start.spec):
            numbers = start.layers[layer.name]
            if layer.kind == "pool":
                made = _Sums(layer, numbers)
            else:
                border = np.array(input_border(start, layer), np.float64)
                made = _Products(layer, numbers, real[layer.name].weight, scale=given, zero=zero, border=border)
            _place(self, layer.name, made)
            given = numbers.scale.astype(np.float64)
            zero = np.full(len(given), float(numbers.zero_point))

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """What each layer makes of normalised images (B, C, H, W): bytes (B, N, H, W) as float32; last the logits."""
        found = {}
        # Reduced precision would round the sums.
        with torch.autocast(x.device.type, enabled=False):
            x = _rounded(x.float() / self.scale + self.mean, self.softness).clamp(0, 255)
            for layer in layers(self.spec):
                x = self.get_submodule(layer.name)(x)
                found[layer.name] = x
        return found

    def soften(self, softness: float) -> None:
        """Let gradients of images know of the steps: a rounding at x multiplies them by 1 - softness cos(2 pi x).

        That is the slope of a smooth staircase, steep between two bytes and flat at them. Answers stay what they are.

        Args:
            softness: 0, the gradient passed on unchanged, to below 1, above which gradients would vanish.
        """
        self.softness = softness
        for part in self.modules():
            if isinstance(part, _Sums):
                part.softness = softness

    def settle(self) -> None:
        """Compute whole weights once, and not for each batch: for a network that learns no more, where it lies."""
        for part in self.modules():
            if isinstance(part, _Products):
                part.settle()

    def features(self, x: Tensor) -> Tensor:
        """Pooled features (B, channels) of normalised images (B, C, H, W), in real numbers."""
        pool = self.get_submodule("global_pool")
        assert isinstance(pool, _Sums)
        return pool.real(self.outputs(x)["global_pool"])[:, :, 0, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of normalised images (B, C, H, W)."""
        return self.outputs(x)["classifier"][:, :, 0, 0]


class _Sums(nn.Module):
    """R1 to R4 of the sums of a pool, and what all layers have in common."""

    start: Tensor
    multiplier: Tensor
    scale: Tensor

    def __init__(self, layer: Layer, numbers: QuantizedLayer) -> None:
        super().__init__()
        self.layer = layer
        self.zero_point, self.low, self.high = numbers.zero_point, numbers.low, numbers.high
        self.is_rounded, self.softness = numbers.rounded, 0.0
        _constant(self, "start", numbers.bias[:, None, None], torch.float64)
        _constant(self, "multiplier", numbers.multiplier[:, None, None], torch.float32)
        _constant(self, "scale", numbers.scale[:, None, None], torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Bytes (B, N, 1, 1) of bytes (B, N, H, W)."""
        return self._finish(x.double().sum((2, 3), keepdim=True) + self.start)

    def real(self, x: Tensor) -> Tensor:
        """Bytes (B, N, H, W) in real numbers (Q1)."""
        return (x - self.zero_point) * self.scale

    def _finish(self, acc: Tensor) -> Tensor:
        """Bytes of accumulators (B, N, H, W), or the logits of a classifier (Q8)."""
        product = acc.float() * self.multiplier  # R1, R2
        if not self.is_rounded:
            return product
        # R3, R4. Bounds are whole numbers, so clamping first is the same, and gradients end where those of ReLU6 do.
        zero = self.zero_point
        whole = _rounded(F.hardtanh(product, self.low - zero, self.high - zero), self.softness)
        whole = whole + zero if zero else whole
        return self.real(whole) if self.layer.kind == "classifier" else whole


class _Products(_Sums):
    """A convolution or classifier. Sums are taken over `input - border`, so that padding is 0.

    Parameters, in real numbers: `weight`, shaped as in PyTorch, and `bias`, (N,), the change of the one at the start.
    """

    steps: Tensor
    unit: Tensor
    border: Tensor
    origin: Tensor
    beyond: Tensor
    borders: Tensor
    settled: tuple[Tensor, Tensor] | None = None

    def __init__(
        self, layer: Layer, numbers: QuantizedLayer, real: Doubles, *, scale: Doubles, zero: Doubles, border: Doubles
    ) -> None:
        super().__init__(layer, numbers)
        weight = numbers.factors.astype(np.float64)
        rest = (None,) * (weight.ndim - 2)
        by_input = (slice(None), None, *rest) if layer.kind == "depthwise" else (None, slice(None), *rest)
        unit = numbers.multiplier.astype(np.float64) * (numbers.scale if numbers.rounded else 1)
        self.weight_zero_point = numbers.weight_zero_point
        self.least = min(-LARGEST_WEIGHT - self.weight_zero_point, int(weight.min()))
        self.most = LARGEST_WEIGHT - self.weight_zero_point
        self.weight = nn.Parameter(torch.from_numpy(real.astype(np.float32)))
        self.bias = nn.Parameter(torch.zeros(len(unit)))
        # What a real weight of 1 is in steps of the accumulator.
        _constant(self, "steps", scale[by_input] / unit[:, None, *rest], torch.float32)
        _constant(self, "unit", unit, torch.float64)
        _constant(self, "border", border[:, None, None], torch.float32)
        # Where sums start (Q4): what is the same for all weights, and what each step of a weight takes off that.
        zeros = (weight * zero[by_input]).reshape(len(unit), -1).sum(axis=1)
        _constant(self, "origin", numbers.bias + zeros, torch.float64)
        _constant(self, "beyond", np.broadcast_to((zero - border)[by_input], weight.shape), torch.float64)
        _constant(self, "borders", np.broadcast_to(border[by_input], weight.shape), torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """Bytes, or logits, (B, N, H', W') of bytes (B, C, H, W)."""
        pad = self.layer.padding
        x = x - self.border
        if pad.top or pad.left or pad.bottom or pad.right:
            x = F.pad(x, (pad.left, pad.right, pad.top, pad.bottom))
        weight, start = self.settled or self._numbers()
        products = self._products(x, weight)
        if products.dtype == torch.float32 and bool((start.abs() < EXACT).all()):
            # Both are whole numbers that float32 holds, so that their sum is rounded once, as R1 does.
            return self._finish(products + start.float())
        return self._finish(products.double() + start)

    def settle(self) -> None:
        """Keep the weights and sums' starts that there are."""
        with torch.no_grad():
            self.settled = self._numbers()

    def _numbers(self) -> tuple[Tensor, Tensor]:
        """Whole weights, and (N, 1, 1) where sums start."""
        weight = self.whole_weight()
        return weight, self._start(weight)[:, None, None]

    def whole_weight(self) -> Tensor:
        """The weight in steps, less its zero point, as float32."""
        return torch.clamp(_rounded(self.weight * self.steps), self.least, self.most)

    def whole_bias(self) -> Tensor:
        """(N,) float64, where accumulators of plain bytes start."""
        weight = self.whole_weight()
        return self._start(weight) - (weight.double() * self.borders).flatten(1).sum(1)

    def _start(self, weight: Tensor) -> Tensor:
        """(N,) where sums over `input - border` start."""
        beyond = (weight.double() * self.beyond).flatten(1).sum(1)
        return _rounded(self.origin + self.bias.double() / self.unit - beyond)

    def _products(self, x: Tensor, weight: Tensor) -> Tensor:
        """Exact sums of products, as float32 where it surely holds them, else as float64."""
        layer = self.layer
        if layer.kind == "depthwise":
            return F.conv2d(x, weight, stride=layer.stride, groups=layer.input.channels)
        if layer.kind == "classifier":
            weight = weight[:, :, None, None]
        together = (EXACT_FACTORS if self.weight_zero_point else EXACT_WEIGHTS) // layer.kernel**2
        parts = [slice(first, first + together) for first in range(0, layer.input.channels, together)]
        sums = [F.conv2d(x[:, part], weight[:, part], stride=layer.stride) for part in parts]
        return sums[0] if len(sums) == 1 else torch.stack([part.double() for part in sums]).sum(0)


class _Round(torch.autograd.Function):
    """To the nearest whole number, halves to even; the gradient goes through as it is, or by a smooth staircase."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, softness: float) -> Tensor:
        ctx.softness = softness
        if softness:
            ctx.save_for_backward(x)
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        if not ctx.softness:
            return gradients[0], None
        (x,) = ctx.saved_tensors
        return gradients[0] * (1 - ctx.softness * torch.cos(2 * torch.pi * x)), None


def _rounded(x: Tensor, softness: float = 0.0) -> Tensor:
    rounded: Tensor = _Round.apply(x, softness)  # type: ignore[no-untyped-call]
    return rounded


def _constant(module: nn.Module, name: str, values: NDArray[Any], dtype: torch.dtype) -> None:
    """A tensor that moves with the module and is neither trained nor kept."""
    module.register_buffer(name, torch.from_numpy(np.array(values)).to(dtype), persistent=False)


def to_quantized(network: QuantizedNetwork, start: QuantizedModel) -> QuantizedModel:
    """The int8 model that a network computes.

    Args:
        start: the model that the network was made from.
    Raises: Refused, when training made a sum possible that leaves 32 bits.
    """
    made = dict(start.layers)
    for name in made:
        part = network.get_submodule(name)
        if isinstance(part, _Products):
            with torch.no_grad():
                factors, bias = part.whole_weight().cpu().numpy(), part.whole_bias().cpu().numpy()
            made[name] = dataclasses.replace(
                made[name],
                weight=(factors + part.weight_zero_point).astype(np.int8),
                bias=np.rint(bias).astype(np.int32),
            )
    return start.replace(layers=made)
