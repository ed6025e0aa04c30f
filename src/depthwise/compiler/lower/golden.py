"""The golden cases: images that C and Python make alike, and the oracle's answers to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower import reference_bf16
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.lower.noise import noise
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec
from depthwise.precision import Precision

Pixels = NDArray[np.uint8]
# DWK_GOLDEN_CASES of kernels/artifact/dwk_golden.h.
CASES = 4


def images(spec: Spec) -> NDArray[np.uint8]:
    """(4, H, W, C): black, white, a gradient, noise; as `dwk_golden_image` of dwk_golden.h makes them."""
    H = W = spec.resolution
    C = spec.channels
    y, x, c = np.meshgrid(np.arange(H), np.arange(W), np.arange(C), indexing="ij")
    gradient = ((255 * y // H + 255 * x // W) // 2 + 40 * c).astype(np.uint8)
    noisy = noise(gradient.size).reshape(gradient.shape)
    return np.stack([np.zeros_like(gradient), np.full_like(gradient, 255), gradient, noisy])


def answers(model: Model | QuantizedModel, lowered: Lowered) -> NDArray[np.float32]:
    """(4, classes), from the oracle: probabilities of the golden images, or in int8, bf16 and float16 the logits.

    Those of int8 are the same everywhere to the last bit (docs/int8.md Q8), and probabilities are not; those of bf16
    and float16 are judged by their own size.

    Args:
        lowered: the model, as it is compiled.
    """
    # Before images are made: whether there is memory for them.
    reference.together(model.spec)
    return np.asarray(_ANSWERS[lowered.precision](model, lowered, images(model.spec)), np.float32)


def _probabilities(model: Any, lowered: Lowered, pixels: Pixels) -> NDArray[Any]:
    return np.asarray(reference.run(model, pixels).probabilities)


def _logits(model: Any, lowered: Lowered, pixels: Pixels) -> NDArray[Any]:
    return np.asarray(reference.run(model, pixels).logits)


def _logits_int8(model: Any, lowered: Lowered, pixels: Pixels) -> NDArray[Any]:
    return np.asarray(reference_int8.run(model, pixels).logits)


def _logits_bf16(model: Any, lowered: Lowered, pixels: Pixels) -> NDArray[Any]:
    count = reference.together(model.spec)
    return np.concatenate([reference_bf16.logits(lowered, pixels[at : at + count]) for at in range(0, CASES, count)])


_ANSWERS: dict[Precision, Callable[[Any, Lowered, Pixels], NDArray[Any]]] = {
    "float32": _probabilities,
    "bf16": _logits_bf16,
    "int8": _logits_int8,
    "float16": _logits,
}
