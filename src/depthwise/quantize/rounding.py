"""Rounding with feedback: what one weight loses in rounding, those not yet rounded make good.

Source: GPTQ, arXiv:2210.17323 (its equations 2 and 3, in the Cholesky form of section 3.3). Sizes: G groups of input
channels, R output channels in each (G R = N), K weights in each of those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthwise.network.folding import Doubles
from depthwise.quantize.places import Floats
from depthwise.quantize.weights import LARGEST

# Added to the diagonal, as a share of its mean: inputs that go together almost always would make it singular.
DAMPING = 0.01
# Larger matrices (of the widest standard convolutions) take too long to invert.
MOST_WEIGHTS = 5000


def round_with_feedback(exact: Doubles, inputs: Floats) -> NDArray[np.int8]:
    """Weights as whole numbers -127 to 127, so that sums over real inputs change least.

    Each output channel keeps plain rounding to nearest where feedback does not lower its squared error.

    Args:
        exact: the weights before rounding, in steps, any shape with N first.
        inputs: (P, G, K) what lies under the kernel at places of real images.
    Returns: the shape of `exact`.
    """
    _, groups, size = inputs.shape
    weight = exact.reshape(groups, -1, size)
    nearest = np.clip(np.rint(weight), -LARGEST, LARGEST)
    if size > MOST_WEIGHTS:
        return np.asarray(nearest.reshape(exact.shape), np.int8)
    by_group = inputs.transpose(1, 2, 0)
    products = (by_group @ by_group.transpose(0, 2, 1)).astype(np.float64) / len(inputs)
    found = _feedback(weight, products)
    better = _error(weight - found, products) < _error(weight - nearest, products)
    return np.asarray(np.where(better[..., None], found, nearest).reshape(exact.shape), np.int8)


def _feedback(weight: Doubles, products: Doubles) -> Doubles:
    """Round one weight after the other, those with the strongest inputs first."""
    size = weight.shape[-1]
    strength = np.diagonal(products, axis1=1, axis2=2)
    order = np.argsort(-strength, axis=1, kind="stable")
    ordered = np.take_along_axis(np.take_along_axis(products, order[:, :, None], 1), order[:, None, :], 2)
    damping = DAMPING * strength.mean(axis=1) + 1e-6
    inverse = np.linalg.inv(ordered + damping[:, None, None] * np.eye(size))
    # inverse = upper' upper, with `upper` upper triangular.
    upper = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
    left = np.take_along_axis(weight, order[:, None, :], 2)
    rounded = np.empty_like(left)
    for k in range(size):
        rounded[..., k] = np.clip(np.rint(left[..., k]), -LARGEST, LARGEST)
        lost = (left[..., k] - rounded[..., k]) / upper[:, None, k, k]
        left[..., k + 1 :] -= lost[..., None] * upper[:, None, k, k + 1 :]
    back = np.argsort(order, axis=1)
    return np.take_along_axis(rounded, back[:, None, :], 2)


def _error(difference: Doubles, products: Doubles) -> Doubles:
    """(G, R) mean squared error of each output channel's sums."""
    return np.asarray(np.einsum("grk,gkl,grl->gr", difference, products, difference, optimize=True), np.float64)
