"""Random changes to training images, drawn for a whole batch at once from (seed, epoch, step) alone.

Nothing here keeps a state: the same numbers give the same batch on any machine and any number of processes, which is
what lets a killed run go on to the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from depthwise.cloud.recipe import Recipe
from depthwise.data.store import Pixels, Store, resized

# Range of width / height of a random crop, as in the Inception training that the paper builds on (arXiv:1409.4842).
ASPECT = (3 / 4, 4 / 3)
ORDER, CHANGES = 0, 1
# Weights of R, G and B in luma, ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@lru_cache(maxsize=2)
def order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of the images in one epoch; not to be written to."""
    found = np.random.default_rng([ORDER, seed, epoch]).permutation(count)
    found.setflags(write=False)
    return found


@dataclass(frozen=True)
class Changes:
    """What happens to each image of a batch of B.

    Attributes:
        whole: no crop.
        area, aspect, across, down, mirrored: (B,) crop as shares of the image, and the flip.
        colour: (B, 3) factors of brightness, contrast and saturation.
        partner: (B,) the image of the batch that is mixed in.
        share: how much of the own image stays, 1 for all.
        cut: (top, bottom, left, right) in pixels of what comes from the partner; None mixes all pixels.
    """

    whole: bool
    area: NDArray[np.float64]
    aspect: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    mirrored: NDArray[np.bool_]
    colour: NDArray[np.float32]
    partner: NDArray[np.int64]
    share: float
    cut: tuple[int, int, int, int] | None


def draw(recipe: Recipe, epoch: int, step: int, count: int, side: int) -> Changes:
    """The changes to the `count` images of one step, which become `side` pixels wide and high."""
    rng = np.random.default_rng([CHANGES, recipe.seed, epoch, step])
    area = rng.uniform(recipe.crop, 1, count)
    aspect = np.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1]), count))
    across, down = rng.uniform(size=count), rng.uniform(size=count)
    mirrored = rng.uniform(size=count) < (0.5 if recipe.flip else 0)
    colour = rng.uniform(1 - recipe.colour, 1 + recipe.colour, (count, 3)).astype(np.float32)
    partner = rng.permutation(count)
    share, cut = 1.0, None
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(recipe, kind) > 0]
    if kinds:
        kind = kinds[int(rng.integers(len(kinds)))]
        share = float(rng.beta(getattr(recipe, kind), getattr(recipe, kind)))
        if kind == "cutmix":
            cut = _cut(rng, share, side)
            # What is really cut out: less where the square reaches over the edge.
            share = 1 - (cut[1] - cut[0]) * (cut[3] - cut[2]) / side**2
    return Changes(recipe.whole(epoch), area, aspect, across, down, mirrored, colour, partner, share, cut)


def _cut(rng: np.random.Generator, share: float, side: int) -> tuple[int, int, int, int]:
    """A square of the area 1 - share about a random place, in whole pixels, cut off at the edge."""
    half = math.sqrt(1 - share) / 2
    y, x = rng.uniform(size=2)
    top, bottom, left, right = (
        round(min(max(value, 0), 1) * side) for value in (y - half, y + half, x - half, x + half)
    )
    return top, bottom, left, right


def pictures(
    store: Store, indices: NDArray[np.int64], changes: Changes, rows: Sequence[int], side: int, recipe: Recipe
) -> Pixels:
    """Changed images (len(rows), side, side, C) of the rows of a batch that this process works on."""
    channels = store.shape(0)[2]
    out = np.empty((len(rows), side, side, channels), dtype=np.uint8)
    for place, row in enumerate(rows):
        out[place] = _picture(store, indices, changes, row, side, recipe)
        if changes.share < 1:
            other = _picture(store, indices, changes, int(changes.partner[row]), side, recipe)
            out[place] = _mixed(out[place], other, changes)
    return out


def _picture(store: Store, indices: NDArray[np.int64], changes: Changes, row: int, side: int, recipe: Recipe) -> Pixels:
    image = store[int(indices[row])]
    box = source_box(image.shape, changes, row, side, recipe)
    if _is_cut_out(image.shape, changes, side, recipe):
        left, top, right, bottom = map(int, box)
        image = image[top:bottom, left:right]
    else:
        image = resized(image, (side, side), box=box)
    if changes.mirrored[row]:
        image = image[:, ::-1]
    return _coloured(image, changes.colour[row]) if recipe.colour else image


def source_box(
    shape: tuple[int, ...], changes: Changes, row: int, side: int, recipe: Recipe
) -> tuple[float, float, float, float]:
    """The part (left, top, right, bottom) of an image (H, W, C) that becomes a picture."""
    if _is_cut_out(shape, changes, side, recipe):
        return _part(shape, changes, row, side)
    return _box(shape, changes, row) if recipe.crop < 1 and not changes.whole else _square(shape)


def _is_cut_out(shape: tuple[int, ...], changes: Changes, side: int, recipe: Recipe) -> bool:
    """Whether a picture is a part of an image as it is, and not one that is scaled."""
    return not recipe.resample and not changes.whole and _holds_enough(shape, side, recipe.crop)


def _holds_enough(shape: tuple[int, ...], side: int, least: float) -> bool:
    """Whether a square of `side` pixels fits into an image and shows at least that share of its area."""
    height, width = shape[:2]
    enough: bool = side <= min(height, width) and side * side >= least * height * width
    return enough


def _part(shape: tuple[int, ...], changes: Changes, row: int, side: int) -> tuple[float, float, float, float]:
    """A square of `side` pixels at the drawn place, as a box in whole pixels."""
    height, width = shape[:2]
    # A share is below 1, so that each place, the last included, is as likely as the others.
    top, left = int(changes.down[row] * (height - side + 1)), int(changes.across[row] * (width - side + 1))
    return left, top, left + side, top + side


def _box(shape: tuple[int, ...], changes: Changes, row: int) -> tuple[float, float, float, float]:
    """The random crop (left, top, right, bottom); a long picture gives less than the area drawn, never another form."""
    height, width = shape[:2]
    wanted = changes.area[row] * height * width
    across = min(float(width), math.sqrt(wanted * changes.aspect[row]))
    down = min(float(height), math.sqrt(wanted / changes.aspect[row]))
    left, top = changes.across[row] * (width - across), changes.down[row] * (height - down)
    return left, top, min(left + across, float(width)), min(top + down, float(height))


def _square(shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """The largest square in the middle, as a box."""
    height, width = shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _coloured(image: Pixels, factors: NDArray[np.float32]) -> Pixels:
    """Brightness, then contrast about the mean, then saturation about the luma."""
    brightness, contrast, saturation = (float(f) for f in factors)
    x = image.astype(np.float32)
    middle = float(x.mean()) * brightness
    x = x * (brightness * contrast) + middle * (1 - contrast)
    if image.shape[2] == 3:
        x = x * saturation + (x @ LUMA)[:, :, None] * (1 - saturation)
    changed: Pixels = np.clip(x + 0.5, 0, 255).astype(np.uint8)
    return changed


def _mixed(own: Pixels, other: Pixels, changes: Changes) -> Pixels:
    if changes.cut is None:
        mixed = own * changes.share + other * (1 - changes.share)
        return (mixed + 0.5).astype(np.uint8)
    top, bottom, left, right = changes.cut
    out = own.copy()
    out[top:bottom, left:right] = other[top:bottom, left:right]
    return out
