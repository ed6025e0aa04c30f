"""Weights that are moved against the network while it looks at a batch, so that it learns to do well around them, too.

Source: arXiv:2004.05884 (adversarial weight perturbation), equation 9, with one step; of batches that are not attacked
it is what arXiv:2010.01412 does, a layer at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from depthwise.cloud.adversarial import still

# Below it a layer has no gradient, and its weights stay where they are.
TINY = 1e-12


@contextlib.contextmanager
def perturbed(network: nn.Module, loss: Callable[[], Tensor], size: float) -> Iterator[None]:
    """For a while the weights of each layer lie so far up the slope of a loss; then they are again what they were.

    Args:
        loss: of the network as it is; it is asked for once, and running means stay where they are.
        size: how far, as a share of the length of the layer's weights; 0 leaves all as it is and asks nothing.
    """
    # Biases and norms have no length of their own to measure a share by.
    weights = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim > 1] if size else []
    if not weights:
        yield
        return
    before = [weight.detach().clone() for weight in weights]
    with still(network):
        slopes = torch.autograd.grad(loss(), weights)
    with torch.no_grad():
        for weight, slope in zip(weights, slopes, strict=True):
            weight.add_(slope * (size * weight.norm() / slope.norm().clamp_min(TINY)))
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, own in zip(weights, before, strict=True):
                weight.copy_(own)
