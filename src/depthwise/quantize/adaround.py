"""Learn for each weight whether it is rounded up or down, so that the layer's outputs change least.

Source: AdaRound, arXiv:2004.10568; here the wanted outputs are the float network's, the inputs the bytes that really
arrive, and both sides go through the activation. The one file of this stage that needs PyTorch.

Sizes: P output places drawn from all images, N output channels, K values under the kernel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthwise.network.folding import Doubles
from depthwise.network.layers import Layer
from depthwise.network.reference_int8 import Bytes
from depthwise.network.spec import ACTIVATIONS
from depthwise.quantize.floats import Floats
from depthwise.quantize.places import draw
from depthwise.quantize.weights import LARGEST, Draft

# Places that are learned from, and those that judge the result.
LEARNED, JUDGED = 8192, 4096
STEPS, BATCH, RATE = 600, 1024, 3e-2
# The soft step of the paper's equation 23 reaches beyond 0 and 1 by this much, so that both are reached.
STRETCH = 0.1
# Its equation 24: how hard undecided weights are pushed, from the first exponent to the last, after a free beginning.
WEIGHT, EXPONENTS, FREE = 10.0, (20.0, 2.0), 0.2


class _Lesson(NamedTuple):
    """Inputs under the kernel (P, G, K), as `places.Places` has them, and wanted sums (P, N)."""

    inputs: Tensor
    wanted: Tensor


def learn_rounding(
    layer: Layer,
    made: Draft,
    bias: Doubles,
    inputs: Bytes,
    zero: Doubles,
    border: tuple[int, ...],
    sums: Floats,
    activation: str,
    *,
    seed: int,
) -> NDArray[np.int8]:
    """Weights rounded up or down; those of `made`, where learning did not help.

    Args:
        made: the layer with its weights rounded in another way.
        bias: (N,) in real numbers.
        inputs: (M, H, W, C) bytes that the layer gets.
        zero, border: (C,) the byte that stands for 0, and the one that pads.
        sums: (M, H', W', N) what the float network has there before its activation.
        activation: "relu6", "relu" or "" for none.
        seed: of the places and their order.
    """
    rng = np.random.default_rng(seed)
    learned, judged = _lesson(layer, inputs, zero, border, sums, rng)
    problem = _Problem(layer, made, bias, activation)
    before = torch.from_numpy(made.weight.astype(np.float32)).reshape(problem.low.shape)
    found = problem.solve(learned, before, rng)
    better = problem.error(found, judged) < problem.error(before, judged)
    weight = (found if better else before).numpy()
    return np.asarray(weight.reshape(made.weight.shape), np.int8)


class _Problem:
    """One layer's weights in steps, (N, K), between the whole numbers below and above."""

    def __init__(self, layer: Layer, made: Draft, bias: Doubles, activation: str) -> None:
        exact = torch.from_numpy(made.exact.reshape(len(made.step), -1)).float()
        self.low = exact.floor().clamp(-LARGEST, LARGEST)
        self._share = (exact - self.low).clamp(0, 1)
        self._step = torch.from_numpy(made.step).float()
        self._bias = torch.from_numpy(bias).float()
        self._is_depthwise = layer.kind == "depthwise"
        self._top = ACTIVATIONS.get(activation)

    def error(self, weight: Tensor, places: _Lesson) -> Tensor:
        """Mean squared difference of the outputs."""
        x = places.inputs
        products = (x * weight).sum(2) if self._is_depthwise else x[:, 0] @ weight.T
        difference = self._activated(products * self._step + self._bias) - self._activated(places.wanted)
        return (difference**2).mean()

    def solve(self, places: _Lesson, before: Tensor, rng: np.random.Generator) -> Tensor:
        """The learned weights, each decided."""
        stretched = (self._share + STRETCH) / (1 + 2 * STRETCH)
        choice = torch.logit(stretched.clamp(1e-4, 1 - 1e-4)).requires_grad_()
        optimizer = torch.optim.Adam([choice], lr=RATE)
        scale = 1 / self.error(before, places).clamp_min(1e-12)
        for step in range(STEPS):
            rows = torch.from_numpy(rng.integers(0, len(places.wanted), BATCH))
            up = self._up(choice)
            loss = scale * self.error(
                (self.low + up).clamp(-LARGEST, LARGEST), _Lesson(places.inputs[rows], places.wanted[rows])
            )
            done = (step / STEPS - FREE) / (1 - FREE)
            if done > 0:
                exponent = EXPONENTS[0] + (EXPONENTS[1] - EXPONENTS[0]) * done
                loss = loss + WEIGHT * (1 - (2 * up - 1).abs() ** exponent).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            return (self.low + (self._up(choice) >= 0.5)).clamp(-LARGEST, LARGEST)

    @staticmethod
    def _up(choice: Tensor) -> Tensor:
        return (torch.sigmoid(choice) * (1 + 2 * STRETCH) - STRETCH).clamp(0, 1)

    def _activated(self, sums: Tensor) -> Tensor:
        return sums if self._top is None else sums.clamp(0, self._top)


def _lesson(
    layer: Layer,
    inputs: Bytes,
    zero: Doubles,
    border: tuple[int, ...],
    sums: Floats,
    rng: np.random.Generator,
) -> tuple[_Lesson, _Lesson]:
    """Places to learn from, and others to judge by."""
    places = draw(layer, inputs, zero, border, rng, LEARNED + JUDGED)
    under = torch.from_numpy(places.inputs)
    wanted = torch.from_numpy(sums[places.image, places.row, places.column])
    learned = len(under) * LEARNED // (LEARNED + JUDGED)
    return _Lesson(under[:learned], wanted[:learned]), _Lesson(under[learned:], wanted[learned:])
