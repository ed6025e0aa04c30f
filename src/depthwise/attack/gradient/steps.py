"""The three things in which the norms differ for an attack that walks: where it starts, its step, and its ball."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from depthwise.attack.budget import LEVELS, Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.subject import GROUP, Ints
from depthwise.errors import Refused

TINY = 1e-12
# Images that are worked on at once, where there are targets enough: the last group of a network is then one of many.
FULL = 8 * GROUP


def network_of(model: Asked, name: str) -> Differentiable:
    """The network that gradients come from.

    Raises: Refused, where there is none.
    """
    if model.network is None:
        raise Refused(f"{name} goes by gradients, and an artifact has none; use square, or attack the model folder")
    return model.network


def tensors(network: Differentiable, images: Images, labels: Ints) -> tuple[Tensor, Tensor]:
    """Images and labels of numpy, where the network is."""
    x = torch.from_numpy(np.ascontiguousarray(images, np.float32)).to(network.device)
    return x, torch.from_numpy(np.ascontiguousarray(labels)).to(network.device)


def start(budget: Budget, draws: Draws, images: Images, purpose: str, network: Differentiable) -> Tensor:
    """Changes (N, H, W, C) to start from, anywhere in the ball: each pixel (linf), or direction and length (l2)."""
    shape = images.shape[1:]
    if budget.norm == "linf":
        change = draws.uniform(purpose, shape, -budget.radius, budget.radius)
    else:
        change = draws.normal(purpose, shape)
        length = np.sqrt(np.square(change.reshape(len(change), -1)).sum(axis=1))
        share = draws.uniform(f"{purpose} length", ())
        change = change * (budget.radius * share / np.maximum(length, TINY))[:, None, None, None]
    return torch.from_numpy(change.astype(np.float32)).to(network.device)


def ascent(budget: Budget, slope: Tensor) -> Tensor:
    """The step of length 1 that gains most: the sign of the gradient (linf), or its direction (l2)."""
    return slope.sign() if budget.norm == "linf" else slope / length(slope).clamp_min(TINY)


def length(change: Tensor) -> Tensor:
    """(N, 1, 1, 1) of changes (N, H, W, C), the square root of the sum of squares."""
    return broad(torch.linalg.vector_norm(change.flatten(1), dim=1))


def project(budget: Budget, originals: Tensor, changed: Tensor) -> Tensor:
    """The nearest images that the budget and valid pixels allow."""
    change = changed - originals
    if budget.norm == "linf":
        change = change.clamp(-budget.radius, budget.radius)
    else:
        change = change * (budget.radius / length(change).clamp_min(TINY)).clamp_max(1)
    return (originals + change).clamp(0, LEVELS)


def to_numpy(images: Tensor) -> Floats:
    """Back to numpy."""
    return np.asarray(images.cpu().numpy(), np.float32)


def broad(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1), to go with images."""
    return values[:, None, None, None]


def at_once(standing: int) -> int:
    """How many wrong labels are tried at once on the images that stand.

    One after the other would ask less of those that fall, but fill the last group of images up in vain each time. What
    an image becomes is the same: the first label that fools it counts.
    """
    return max(FULL // max(standing, 1), 1)
