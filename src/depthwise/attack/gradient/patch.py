"""A patch to print: one square of colours that is taken for something else wherever it lies in a picture.

Source: arXiv:1712.09665: the expectation over places, sizes and brightness is climbed, and over pictures too. It is
made on one half of the pictures and measured on the other, beside a grey patch in the same places, since what covers a
picture costs answers whatever it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from depthwise.attack.budget import LEVELS
from depthwise.attack.draws import Draws
from depthwise.attack.gradient.losses import cross_entropy
from depthwise.attack.subject import Ints, Subject, answers
from depthwise.errors import Refused
from depthwise.evaluate.metrics import Share
from depthwise.progress import Reporter

Pixels = NDArray[np.uint8]
# Pictures of a step, places in which each picture is measured, and how sizes and brightness vary.
BATCH, PLACES = 32, 4
SCALES, LIGHTS = (0.8, 1.2), (0.8, 1.2)
MOMENTUM = 0.9


@dataclass(frozen=True, kw_only=True)
class Patch:
    """How a patch is made.

    Attributes:
        share: of a picture's side, that of the patch: 0.3 is 9% of its area.
        steps: of the climb, each over a batch of pictures in other places.
    """

    share: float = 0.3
    steps: int = 200

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.8 or self.steps < 1:
            raise Refused(f"a patch of {self.share:g} of a picture's side in {self.steps} steps has no sense")


@dataclass(frozen=True, kw_only=True, eq=False)
class Patched:
    """What a patch does, on pictures that it was not made on.

    Attributes:
        patch: (P, P, C) bytes.
        clean, grey, patched: right answers without a patch, with a grey one, and with this one, over all places.
        example: (M, H, W, C) some pictures with it.
    """

    patch: Pixels
    clean: Share
    grey: Share
    patched: Share
    example: Pixels


def make(
    settings: Patch, source: Subject, judge: Subject, images: Pixels, labels: Ints, draws: Draws, reporter: Reporter
) -> Patched:
    """Make a patch on every second picture and measure it on the others.

    Args:
        source: whose gradients are climbed.
        judge: whose answers count.
    Raises: Refused, when there are fewer than two pictures.
    """
    if len(images) < 2:
        raise Refused("a patch is made on some images and measured on others; give at least two")
    made, held = np.arange(0, len(images), 2), np.arange(1, len(images), 2)
    patch = _climb(settings, source, images[made], labels[made], draws.of(made), reporter)
    rows, shown = np.tile(held, PLACES), draws.of(held)
    truth, grey = labels[rows], np.full_like(patch, 128)

    def with_patch(one: Pixels) -> Pixels:
        parts = [_laid(settings, one, images[held], shown, f"measure {place}") for place in range(PLACES)]
        return np.concatenate(parts)

    changed = with_patch(patch)
    return Patched(
        patch=patch,
        clean=_share(judge, images[held], labels[held]),
        grey=_share(judge, with_patch(grey), truth),
        patched=_share(judge, changed, truth),
        example=changed[: min(8, len(held))],
    )


def _share(judge: Subject, images: Pixels, labels: Ints) -> Share:
    return Share(int((answers(judge.scores(images)) == labels).sum()), len(labels))


def _climb(settings: Patch, source: Subject, images: Pixels, labels: Ints, draws: Draws, reporter: Reporter) -> Pixels:
    network = source.network
    assert network is not None
    side = max(2, round(settings.share * images.shape[1]))
    patch = torch.full((side, side, images.shape[3]), 128.0, device=network.device)
    speed = torch.zeros_like(patch)
    reporter.begin("making a patch", settings.steps)
    try:
        for step in range(settings.steps):
            rows = (np.arange(min(BATCH, len(images))) + step * BATCH) % len(images)
            x = torch.from_numpy(images[rows].astype(np.float32)).to(network.device)
            y = torch.from_numpy(labels[rows]).to(network.device)
            wanted = patch.clone().requires_grad_(True)
            laid = _lay(wanted, x, *_places(settings, draws.of(rows), f"make {step}", network.device))
            slope, _, _ = network.gradient(laid.detach(), y, cross_entropy)
            (climb,) = torch.autograd.grad((laid * slope).sum(), wanted)
            speed = MOMENTUM * speed + climb / climb.abs().mean().clamp_min(1e-12)
            # From large steps to small ones, which together reach across the whole range.
            size = 24 * (1 - step / settings.steps)
            patch = (patch + size * speed.sign()).clamp(0, LEVELS)
            reporter.advance()
    finally:
        reporter.end()
    return patch.round().cpu().numpy().astype(np.uint8)


def _places(settings: Patch, draws: Draws, purpose: str, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Where patches lie (B, 2), in halves of the picture from its middle; their sides (B,); their brightness (B,)."""
    drawn = torch.from_numpy(draws.uniform(f"patch {purpose}", (4,))).to(device)
    side = settings.share * (SCALES[0] + (SCALES[1] - SCALES[0]) * drawn[:, 0])
    light = LIGHTS[0] + (LIGHTS[1] - LIGHTS[0]) * drawn[:, 1]
    return (2 * drawn[:, 2:] - 1) * (1 - side)[:, None], side, light


def _lay(patch: Tensor, images: Tensor, middle: Tensor, side: Tensor, light: Tensor) -> Tensor:
    """Pictures (B, H, W, C) with the patch laid over them."""
    zero = torch.zeros_like(side)
    rows = torch.stack(
        [
            torch.stack([1 / side, zero, -middle[:, 1] / side], 1),
            torch.stack([zero, 1 / side, -middle[:, 0] / side], 1),
        ],
        1,
    )
    count, height, width, channels = images.shape
    grid = F.affine_grid(rows, [count, channels, height, width], align_corners=False)
    planes = patch.permute(2, 0, 1)[None].expand(count, -1, -1, -1)
    seen = F.grid_sample(planes, grid, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)
    inside = (grid.abs() <= 1).all(3, keepdim=True)
    return torch.where(inside, (seen * light[:, None, None, None]).clamp(0, LEVELS), images)


def _laid(settings: Patch, patch: Pixels, images: Pixels, draws: Draws, purpose: str) -> Pixels:
    """The same with whole bytes."""
    places = _places(settings, draws, purpose, torch.device("cpu"))
    changed = _lay(torch.from_numpy(patch.astype(np.float32)), torch.from_numpy(images.astype(np.float32)), *places)
    return changed.round().clamp(0, LEVELS).numpy().astype(np.uint8)
