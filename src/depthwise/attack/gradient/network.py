"""A network of torch as attacks see it: a function of images in levels, whose gradient can be asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from depthwise.attack.budget import Floats, Images
from depthwise.attack.subject import GROUP

# (B,) losses of (B, K) logits and (B,) labels.
Loss = Callable[[Tensor, Tensor], Tensor]


class Differentiable:
    """Logits (N, K) and gradients of images (N, H, W, C) in levels, 0 to 255.

    It is a copy in evaluation mode whose weights want no gradient, so that no attack changes what it attacks.

    Args:
        network: of (B, C, H, W) inputs.
        prepare: levels (B, H, W, C) as the network's input.
        together: images that go through it at a time.
    """

    def __init__(self, network: nn.Module, prepare: Callable[[Tensor], Tensor], *, together: int = GROUP) -> None:
        self._network = copy.deepcopy(network).eval()
        self._prepare, self._together = prepare, together
        for parameter in self._network.parameters():
            parameter.requires_grad_(False)
        first = next(iter([*self._network.parameters(), *self._network.buffers()]), torch.empty(0))
        self.device = first.device

    def behind(self, before: Callable[[Tensor], Tensor], *, together: int) -> Differentiable:
        """The same network, for what another function makes of images.

        Args:
            together: images that go through it at a time.
        """
        return Differentiable(self._network, lambda levels: self._prepare(before(levels)), together=together)

    def logits(self, images: Tensor) -> Tensor:
        """(N, K), without a gradient."""
        with torch.no_grad():
            return self._in_groups(images, lambda part, _: self._forward(part), None)[0]

    def gradient(self, images: Tensor, labels: Tensor, loss: Loss) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients (N, H, W, C) of the losses of images, the losses (N,), and the logits (N, K)."""

        def one(part: Tensor, wanted: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
            assert wanted is not None
            x = part.detach().requires_grad_(True)
            with torch.enable_grad():
                logits = self._forward(x)
                losses = loss(logits, wanted)
                (slope,) = torch.autograd.grad(losses.sum(), x)
            return slope, losses.detach(), logits.detach()

        found = self._in_groups(images, one, labels)
        return found[0], found[1], found[2]

    def scores(self, images: Images) -> Floats:
        """Logits (N, K) of images of numpy."""
        given = torch.from_numpy(np.ascontiguousarray(images, np.float32)).to(self.device)
        return np.asarray(self.logits(given).cpu().numpy(), np.float32)

    def _forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self._network(self._prepare(x)).float()
        return logits

    def _in_groups(
        self,
        images: Tensor,
        function: Callable[[Tensor, Tensor | None], Tensor | tuple[Tensor, ...]],
        labels: Tensor | None,
    ) -> list[Tensor]:
        """What a function gives for all images, asked for in groups of one size."""
        parts: list[tuple[Tensor, ...]] = []
        size = self._together
        for start in range(0, max(len(images), 1), size):
            part = images[start : start + size]
            wanted = None if labels is None else labels[start : start + size]
            count = len(part)
            found = function(_filled(part, size), None if wanted is None else _filled(wanted, size))
            parts.append(tuple(one[:count] for one in (found if isinstance(found, tuple) else (found,))))
        return [torch.cat(columns) for columns in zip(*parts, strict=True)]


def _filled(part: Tensor, size: int) -> Tensor:
    """As many rows as go through the network together; those that lack are the first again, or of nothing 0."""
    first = part[:1] if len(part) else torch.zeros((1, *part.shape[1:]), dtype=part.dtype, device=part.device)
    return torch.cat([part, first.expand(size - len(part), *part.shape[1:])])


def without_gradient(network: Differentiable, images: Tensor, labels: Tensor, loss: Loss) -> tuple[int, float]:
    """How many images have no gradient, and the share of all elements that are exactly 0 or no numbers.

    An image has none where all of it is 0, or any of it is no number, since a step along that leads nowhere.
    """
    if not len(images):
        return 0, 0.0
    slope, _, _ = network.gradient(images, labels, loss)
    flat = slope.flatten(1)
    lost = ~flat.isfinite()
    none = (flat == 0) | lost
    return int((none.all(1) | lost.any(1)).sum()), float(none.float().mean())
