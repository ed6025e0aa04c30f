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
from depthwise.attack.gradient.steps import ascent, at_once, broad, network_of, project, start, tensors, to_numpy
from depthwise.attack.gradient.walk import Taken
from depthwise.attack.subject import Ints
from depthwise.errors import Refused

# The first step, in budgets; the share of a new step beside the movement before it; the share of steps that must gain.
FIRST_STEP, NEW_SHARE, GAINING = 2.0, 0.75, 0.75
# Shares of all steps: the first checkpoint, how much shorter the next stretch is, and the shortest.
FIRST_CHECK, SHORTER, SHORTEST = 0.22, 0.03, 0.06
# Steps that a walk goes on once its image is wrong, so that it ends well beyond the boundary and not on it, where whole
# levels or another form of the network would take it back.
BEYOND = 10
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
        targets = min(self.targets, logits.shape[1] - 1) if self.loss == "targeted" else 1
        for turn in range(self.restarts):
            place = 0
            while place < targets and not fooled.all():
                left = (~fooled).nonzero()[:, 0]
                places = range(place, min(place + at_once(len(left)), targets))
                place = places.stop
                rows = [self._wanted(logits[left], right[left], one) for one in places]
                begun = [self._begun(network, x[left], images, left, draws, f"{turn} {one}") for one in places]
                walk = _Walk(
                    self, network, x[left].repeat(len(places), 1, 1, 1), torch.cat(begun), torch.cat(rows), len(left)
                )
                for found, wrong in zip(*(part.split(len(left)) for part in walk.to_end()), strict=True):
                    stands = ~fooled[left]
                    best[left[stands]] = found[stands]
                    fooled[left] |= wrong
        return to_numpy(best)

    def _wanted(self, logits: Tensor, right: Tensor, place: int) -> Tensor:
        """What the loss is of: right labels (N,), or (N, 2) these and the wrong ones that are wanted."""
        return right if self.loss != "targeted" else torch.stack([right, best_wrong(logits, right, place)], 1)

    def _begun(
        self, network: Differentiable, x: Tensor, images: Images, left: Tensor, draws: Draws, purpose: str
    ) -> Tensor:
        """Where the walks of some images begin."""
        places = left.cpu().numpy()
        change = start(self.budget, draws.of(places), images[places], f"{self.name} {purpose}", network)
        return project(self.budget, x, x + change)


@dataclass(kw_only=True, eq=False)
class _State:
    """Where N walks are, and what each of them knows; the first axis of all of it is N."""

    x: Tensor
    labels: Tensor
    now: Tensor
    before: Tensor
    slope: Tensor
    best: Tensor
    best_slope: Tensor
    best_loss: Tensor
    last_loss: Tensor
    loss_at_check: Tensor
    size: Tensor
    gained: Tensor
    halved: Tensor

    def of(self, which: Tensor) -> _State:
        """Of some walks."""
        return _State(**{name: value[which] for name, value in vars(self).items()})


class _Walk:
    """One walk of N images from one start each; the same images come again for each wrong label that is wanted.

    Args:
        images: how many there are, before the first comes again.
    """

    def __init__(
        self, attack: APGD, network: Differentiable, x: Tensor, now: Tensor, labels: Tensor, images: int
    ) -> None:
        self.attack, self.network, self.count = attack, network, images
        self.budget, self.loss = attack.budget, LOSSES[attack.loss]
        self.images, self.fooled = x.clone(), torch.zeros(len(x), dtype=torch.bool, device=x.device)
        self.places = torch.arange(len(x), device=x.device)
        self.taken, self.was_wrong = Taken(now), self.fooled
        slope, losses = self._look(now, labels)
        self.at = _State(
            x=x,
            labels=labels,
            now=now,
            before=now,
            slope=slope,
            best=now,
            best_slope=slope,
            best_loss=losses,
            last_loss=losses,
            loss_at_check=losses,
            size=torch.full_like(losses, FIRST_STEP * attack.budget.radius),
            gained=torch.zeros_like(losses),
            halved=torch.ones(len(x), dtype=torch.bool, device=x.device),
        )

    def to_end(self) -> tuple[Tensor, Tensor]:
        """The image to take of each walk, and whether the network gets it wrong."""
        steps = self.attack.steps
        stretch, since = max(int(FIRST_CHECK * steps), 1), 0
        for number in range(steps):
            if number % BEYOND == 0:
                self._end_some()
            if not len(self.places):
                break
            self._step(first=number == 0)
            since += 1
            if since == stretch:
                self._check(stretch)
                stretch, since = max(stretch - max(int(SHORTER * steps), 1), max(int(SHORTEST * steps), 1)), 0
        self._put()
        return self.images, self.fooled

    def _end_some(self) -> None:
        """Walks whose images were wrong at the last such look already are over, and those towards later labels of an
        image that is wrong by now, of which nothing would be taken; those of the others go on."""
        over, self.was_wrong = self.was_wrong, self.taken.fooled.clone()
        over = over | self._later()
        if over.any():
            self._put()
            going = ~over
            self.places, self.was_wrong = self.places[going], self.was_wrong[going]
            self.at, self.taken = self.at.of(going), self.taken.of(going)

    def _later(self) -> Tensor:
        """The walks whose image an earlier label has fooled."""
        turn, image = self.places // self.count, self.places % self.count
        first = torch.full((self.count,), len(self.fooled), device=turn.device)
        fooled = torch.where(self.taken.fooled, turn, len(self.fooled))
        first.scatter_reduce_(0, image, fooled, "amin")
        # Those that are over have fooled theirs as well.
        done = self.fooled.nonzero()[:, 0]
        first.scatter_reduce_(0, done % self.count, done // self.count, "amin")
        return turn > first[image]

    def _put(self) -> None:
        """Note what the walks that still go on have found."""
        self.images[self.places], self.fooled[self.places] = self.taken.images, self.taken.fooled

    def _look(self, now: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient and loss at images, which are offered to be taken."""
        slope, losses, logits = self.network.gradient(now, labels, self.loss)
        right = labels if labels.ndim == 1 else labels[:, 0]
        self.taken.see(now, losses, logits.argmax(1) != right)
        return slope, losses

    def _step(self, *, first: bool) -> None:
        at = self.at
        moved, share = at.now - at.before, 1.0 if first else NEW_SHARE
        stepped = project(self.budget, at.x, at.now + broad(at.size) * ascent(self.budget, at.slope))
        stepped = at.now + (stepped - at.now) * share + moved * (1 - share)
        at.before, at.now = at.now, project(self.budget, at.x, stepped)
        at.slope, losses = self._look(at.now, at.labels)
        at.gained += losses > at.last_loss
        better = losses > at.best_loss
        at.best = torch.where(broad(better), at.now, at.best)
        at.best_slope = torch.where(broad(better), at.slope, at.best_slope)
        at.best_loss = torch.where(better, losses, at.best_loss)
        at.last_loss = losses

    def _check(self, stretch: int) -> None:
        """Halve the step of those that gained too seldom or nothing, and let them go on from their best image."""
        at = self.at
        seldom = at.gained <= GAINING * stretch
        nothing = ~at.halved & (at.best_loss <= at.loss_at_check)
        at.halved = seldom | nothing
        at.loss_at_check = at.best_loss
        at.size = torch.where(at.halved, at.size / 2, at.size)
        at.now = torch.where(broad(at.halved), at.best, at.now)
        at.slope = torch.where(broad(at.halved), at.best_slope, at.slope)
        at.gained = torch.zeros_like(at.gained)
