"""Auto-PGD: projected gradient descent whose step halves where it no longer gains, and which needs no tuning.

Source: arXiv:2003.01690, section 4 (the checkpoints, the two conditions and the restart from the best image), with the
constants given there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from depthwise.attack.budget import Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.gradient.losses import best_wrong, dlr, log_odds, targeted_dlr
from depthwise.attack.gradient.network import Differentiable, Loss
from depthwise.attack.gradient.steps import ascent, broad, network_of, project, start, tensors, to_numpy
from depthwise.attack.gradient.walk import Taken
from depthwise.attack.subject import Ints
from depthwise.errors import Refused

# The first step, in budgets; the share of a new step beside the movement before it; the share of steps that must gain.
FIRST_STEP, NEW_SHARE, GAINING = 2.0, 0.75, 0.75
# Shares of all steps: the first checkpoint, how much shorter the next stretch is, and the shortest.
FIRST_CHECK, SHORTER, SHORTEST = 0.22, 0.03, 0.06
# Steps and comparisons are those of the cross-entropy by either form of it.
LOSSES: dict[str, Loss] = {"cross-entropy": log_odds, "dlr": dlr, "targeted": targeted_dlr}


@dataclass(frozen=True, kw_only=True)
class APGD:
    """Auto-PGD with one of its losses.

    Attributes:
        loss: "cross-entropy", "dlr", or "targeted", which wants wrong labels, one after the other.
        steps: from each start.
        restarts: how many random starts there are, for images that stand.
        targets: of "targeted", how many wrong labels are tried: those with the largest logits.
    """

    budget: Budget = field(default_factory=Budget)
    loss: Literal["cross-entropy", "dlr", "targeted"] = "cross-entropy"
    steps: int = 100
    restarts: int = 1
    targets: int = 9
    asks: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1 or self.targets < 1 or self.loss not in LOSSES:
            raise Refused(f"{self} has no sense; give at least one step, start and target, and a loss that is known")

    @property
    def name(self) -> str:
        """As the field calls it."""
        return {"cross-entropy": "apgd-ce", "dlr": "apgd-dlr", "targeted": "apgd-t"}[self.loss]

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Floats:
        """The images after the walks."""
        network = network_of(model, self.name)
        x, right = tensors(network, images, labels)
        logits = network.logits(x)
        best, fooled = x.clone(), torch.zeros(len(x), dtype=torch.bool, device=x.device)
        wanted = range(min(self.targets, logits.shape[1] - 1)) if self.loss == "targeted" else range(1)
        for turn, place in ((turn, place) for turn in range(self.restarts) for place in wanted):
            left = (~fooled).nonzero()[:, 0]
            if not len(left):
                break
            rows = right[left]
            if self.loss == "targeted":
                rows = torch.stack([rows, best_wrong(logits[left], rows, place)], 1)
            places = left.cpu().numpy()
            purpose = f"{self.name} {turn} {place}"
            begun = x[left] + start(self.budget, draws.of(places), images[places], purpose, network)
            walk = _Walk(self, network, x[left], project(self.budget, x[left], begun), rows)
            best[left], fooled[left] = walk.to_end()
        return to_numpy(best)


class _Walk:
    """One walk of N images from one start each."""

    def __init__(self, attack: APGD, network: Differentiable, x: Tensor, now: Tensor, labels: Tensor) -> None:
        self.attack, self.network, self.x, self.labels = attack, network, x, labels
        self.budget, self.loss = attack.budget, LOSSES[attack.loss]
        self.now = self.before = now
        self.taken = Taken(now)
        self.slope, losses = self._look(now)
        self.best, self.best_slope, self.best_loss = now.clone(), self.slope.clone(), losses
        self.last_loss, self.loss_at_check = losses, losses
        self.size = torch.full_like(losses, FIRST_STEP * attack.budget.radius)
        self.gained = torch.zeros_like(losses)
        self.halved = torch.ones(len(x), dtype=torch.bool, device=x.device)

    def to_end(self) -> tuple[Tensor, Tensor]:
        """The image to take of each walk, and whether the network gets it wrong."""
        steps = self.attack.steps
        stretch, since = max(int(FIRST_CHECK * steps), 1), 0
        for number in range(steps):
            self._step(first=number == 0)
            since += 1
            if since == stretch:
                self._check(stretch)
                stretch, since = max(stretch - max(int(SHORTER * steps), 1), max(int(SHORTEST * steps), 1)), 0
        return self.taken.images, self.taken.fooled

    def _look(self, now: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient and loss at images, which are offered to be taken."""
        slope, losses, logits = self.network.gradient(now, self.labels, self.loss)
        right = self.labels if self.labels.ndim == 1 else self.labels[:, 0]
        self.taken.see(now, losses, logits.argmax(1) != right)
        return slope, losses

    def _step(self, *, first: bool) -> None:
        moved, share = self.now - self.before, 1.0 if first else NEW_SHARE
        self.before = self.now
        stepped = self.now + broad(self.size) * ascent(self.budget, self.slope)
        stepped = project(self.budget, self.x, stepped)
        stepped = self.now + (stepped - self.now) * share + moved * (1 - share)
        self.now = project(self.budget, self.x, stepped)
        self.slope, losses = self._look(self.now)
        self.gained += losses > self.last_loss
        self.last_loss = losses
        better = losses > self.best_loss
        self.best = torch.where(broad(better), self.now, self.best)
        self.best_slope = torch.where(broad(better), self.slope, self.best_slope)
        self.best_loss = torch.where(better, losses, self.best_loss)

    def _check(self, stretch: int) -> None:
        """Halve the step of those that gained too seldom or nothing, and let them go on from their best image."""
        seldom = self.gained <= GAINING * stretch
        nothing = ~self.halved & (self.best_loss <= self.loss_at_check)
        self.halved = seldom | nothing
        self.loss_at_check = self.best_loss
        self.size = torch.where(self.halved, self.size / 2, self.size)
        self.now = torch.where(broad(self.halved), self.best, self.now)
        self.slope = torch.where(broad(self.halved), self.best_slope, self.slope)
        self.gained = torch.zeros_like(self.gained)
