"""Fast adaptive boundary: the nearest image that is taken for a certain wrong label, by steps on the boundary.

Source: arXiv:1907.02044, algorithm 1, targeted form; the constants are those given there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from depthwise.attack.budget import LEVELS, Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.gradient.losses import best_wrong, towards
from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.gradient.steps import TINY, at_once, broad, length, network_of, project, start, tensors, to_numpy
from depthwise.attack.subject import Ints

# How much the boundary is overstepped, the most that a step goes back to the original, and how far back after success.
OVERSHOOT, MOST_BACK, BACK = 1.05, 0.1, 0.9


@dataclass(frozen=True, kw_only=True)
class FAB:
    """Looks for the smallest change, whatever the budget; those beyond the budget are then cut to it.

    Attributes:
        steps: towards each label, from each start.
        restarts: the first start is the image itself, those after it are random.
        targets: how many wrong labels are tried: those with the largest logits.
    """

    budget: Budget = field(default_factory=Budget)
    steps: int = 100
    restarts: int = 1
    targets: int = 9
    name: str = "fab-t"
    asks: bool = False

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Floats:
        """The nearest wrong images that were found; the originals where there is none."""
        network = network_of(model, self.name)
        x, right = tensors(network, images, labels)
        logits = network.logits(x)
        best, distance = x.clone(), torch.full((len(x),), torch.inf, device=x.device)
        targets = min(self.targets, logits.shape[1] - 1)
        for turn in range(self.restarts):
            place = 0
            while place < targets and bool((distance > self.budget.radius).any()):
                left = (distance > self.budget.radius).nonzero()[:, 0]
                places = range(place, min(place + at_once(len(left)), targets))
                place = places.stop
                rows = [torch.stack([right[left], best_wrong(logits[left], right[left], one)], 1) for one in places]
                begun = [self._begun(network, x[left], images, left, draws, turn, one) for one in places]
                originals = x[left].repeat(len(places), 1, 1, 1)
                walks = self._walk(network, originals, torch.cat(begun), torch.cat(rows))
                for found, far in zip(*(part.split(len(left)) for part in walks), strict=True):
                    nearer = (far < distance[left]) & (distance[left] > self.budget.radius)
                    best[left] = torch.where(broad(nearer), found, best[left])
                    distance[left] = torch.where(nearer, far, distance[left])
        return to_numpy(best)

    def _begun(
        self, network: Differentiable, x: Tensor, images: Images, left: Tensor, draws: Draws, turn: int, place: int
    ) -> Tensor:
        """Where the walks of some images begin: at the images themselves, and from the second start on beside them."""
        if not turn:
            return x
        places = left.cpu().numpy()
        change = start(self.budget, draws.of(places), images[places], f"fab {turn} {place}", network)
        return project(self.budget, x, x + change)

    def _walk(self, network: Differentiable, x: Tensor, now: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest wrong image of each walk, and its distance; infinite where none was found."""
        best, nearest = x.clone(), torch.full((len(x),), torch.inf, device=x.device)
        norm = self.budget.norm
        for _ in range(self.steps):
            slope, value, _ = network.gradient(now, rows, towards)
            # Where the linear form of the boundary lies: slope * (z - now) + value = 0.
            step = nearest_on_plane(now, slope, -value, norm)
            offset = -value - (slope * (x - now)).flatten(1).sum(1)
            home = nearest_on_plane(x, slope, offset, norm)
            first, second = _size(step, norm), _size(home, norm)
            share = broad((first / (first + second).clamp_min(TINY)).clamp_max(MOST_BACK))
            now = (1 - share) * (now + OVERSHOOT * step) + share * (x + OVERSHOOT * home)
            now = now.clamp(0, LEVELS)
            wrong = network.logits(now).argmax(1) != rows[:, 0]
            far = _size(now - x, norm)
            nearer = wrong & (far < nearest)
            best = torch.where(broad(nearer), now, best)
            nearest = torch.where(nearer, far, nearest)
            now = torch.where(broad(wrong), (1 - BACK) * x + BACK * now, now)
        return best, nearest


def nearest_on_plane(x: Tensor, slope: Tensor, wanted: Tensor, norm: str) -> Tensor:
    """The smallest change of images (N, H, W, C) by which slope * change = wanted, with pixels that stay valid.

    Where no valid change reaches that, the change that comes nearest. With the change growing evenly, each pixel moves
    with it until it meets its bound, so that the product is a sum of ramps, and where it meets `wanted` is found
    exactly, in either norm.

    Args:
        wanted: (N,) what the product is to be.
    """
    w, flat = slope.flatten(1), x.flatten(1)
    way = w.sign() * wanted.sign()[:, None]
    room = torch.where(way > 0, LEVELS - flat, flat)
    size = w.abs()
    # A ramp rises by `rise` until it ends at `end`: under linf all pixels move alike, under l2 by their slope.
    rise = size if norm == "linf" else size.square()
    end = room if norm == "linf" else room / size.clamp_min(TINY)
    reach = _meeting(rise, end, wanted.abs())
    moved = torch.minimum(reach[:, None].expand_as(end), end)
    change = way * (moved if norm == "linf" else torch.minimum(moved * size, room))
    return change.reshape(x.shape)


def _meeting(rise: Tensor, end: Tensor, wanted: Tensor) -> Tensor:
    """(N,) the least t at which sum(rise * min(t, end)) = wanted; the last end where that is never.

    The sum bends down at each end, so that a tangent (Newton's step) meets `wanted` no later than the sum does; once no
    ramp ends on the way there, it is the sum. That takes a few tangents, where sorting the ends takes far longer.
    """
    last = end.amax(1)
    reach = torch.zeros_like(last)
    rising = end > 0
    while True:
        speed = torch.where(rising, rise, 0).sum(1)
        done = torch.where(rising, 0, rise * end).sum(1)
        met = torch.where(speed > TINY, (wanted - done) / speed.clamp_min(TINY), last)
        reach = torch.minimum(torch.maximum(met, reach), last)
        left = rising & (end > reach[:, None])
        if torch.equal(left, rising):
            return reach
        rising = left


def _size(change: Tensor, norm: str) -> Tensor:
    """(N,) in levels."""
    return change.flatten(1).abs().amax(1) if norm == "linf" else length(change)[:, 0, 0, 0]
