"""Fast gradient sign and projected gradient descent: steps along the gradient, each put back into the budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from depthwise.attack.budget import Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.gradient.losses import log_odds, margin
from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.gradient.steps import TINY, ascent, broad, network_of, project, start, tensors, to_numpy
from depthwise.attack.subject import Ints
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class FGSM:
    """One step as long as the budget, along the sign of the gradient (arXiv:1412.6572); under l2 along the gradient.

    Attributes:
        random_start: begin at a random place in the budget, and step 1.25 times as far (arXiv:2001.03994).
    """

    budget: Budget = field(default_factory=Budget)
    random_start: bool = False
    name: str = "fgsm"
    asks: bool = False

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Floats:
        """The images after the step."""
        step = 1.25 if self.random_start else 1.0
        walk = PGD(budget=self.budget, steps=1, step=step, random_start=self.random_start)
        return walk(model, images, labels, draws)


@dataclass(frozen=True, kw_only=True)
class PGD:
    """Projected gradient descent (arXiv:1706.06083), with momentum where that is above 0 (arXiv:1710.06081).

    Of all images on the way, the one with the largest loss is taken, among those that the network gets wrong if any is.

    Attributes:
        steps: from each start.
        step: length of a step as a share of the budget; 0 for 2.5 / steps.
        restarts: how many starts there are, for images that stand.
        momentum: share of the steps before that a step keeps.
        random_start: begin at a random place in the budget; the second start and those after it always do.
    """

    budget: Budget = field(default_factory=Budget)
    steps: int = 20
    step: float = 0.0
    restarts: int = 1
    momentum: float = 0.0
    random_start: bool = True
    loss: Literal["cross-entropy", "margin"] = "cross-entropy"
    name: str = "pgd"
    asks: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1 or not 0 <= self.momentum < 10 or self.step < 0:
            raise Refused(f"{self} has no sense; give at least one step and one start, and nothing below 0")

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Floats:
        """The images after the walk."""
        network = network_of(model, self.name)
        x, wanted = tensors(network, images, labels)
        best, standing = x.clone(), torch.ones(len(x), dtype=torch.bool, device=x.device)
        for turn in range(self.restarts):
            left = standing.nonzero()[:, 0]
            if not len(left):
                break
            begun = x[left]
            if self.random_start or turn:
                places = left.cpu().numpy()
                begun = project(
                    self.budget,
                    begun,
                    begun + start(self.budget, draws.of(places), images[places], f"start {turn}", network),
                )
            found, fooled = self._walk(network, x[left], begun, wanted[left])
            best[left] = found
            standing[left] = ~fooled
        return to_numpy(best)

    def _walk(self, network: Differentiable, x: Tensor, now: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The image to take of each walk, and whether the network gets it wrong."""
        loss = {"cross-entropy": log_odds, "margin": margin}[self.loss]
        size = self.budget.radius * (self.step or 2.5 / self.steps)
        taken = Taken(now)
        speed = torch.zeros_like(x)
        for _ in range(self.steps):
            slope, losses, logits = network.gradient(now, labels, loss)
            taken.see(now, losses, logits.argmax(1) != labels)
            if self.momentum:
                speed = self.momentum * speed + slope / broad(slope.abs().flatten(1).mean(1).clamp_min(TINY))
                slope = speed
            now = project(self.budget, x, now + size * ascent(self.budget, slope))
        logits = network.logits(now)
        taken.see(now, loss(logits, labels), logits.argmax(1) != labels)
        return taken.images, taken.fooled


class Taken:
    """Of the images that a walk comes by, the one to take: with the largest loss, a wrong one before a right one."""

    def __init__(self, images: Tensor) -> None:
        self.images = images.clone()
        self.fooled = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        self.loss = torch.full((len(images),), -torch.inf, device=images.device)

    def of(self, which: Tensor) -> Taken:
        """Of some walks."""
        found = Taken(self.images[which])
        found.fooled, found.loss = self.fooled[which], self.loss[which]
        return found

    def see(self, images: Tensor, losses: Tensor, wrong: Tensor) -> None:
        """Look at the images that the walks are at."""
        better = (wrong & ~self.fooled) | ((wrong == self.fooled) & (losses > self.loss))
        self.images = torch.where(broad(better), images, self.images)
        self.loss = torch.where(better, losses, self.loss)
        self.fooled |= wrong
