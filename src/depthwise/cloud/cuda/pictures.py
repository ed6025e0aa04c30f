"""Training pictures made on the device, from decoded images that lie there as bytes.

The same pure function of (seed, epoch, step) as augment.py: what happens to each picture is drawn there, on the CPU,
and carried out here for a whole batch. Scaling is docs/preprocessing.md P2 to P5, byte for byte, which is what Pillow
does up to version 12; later versions take columns first where that is quicker, and some bytes differ by one
(decision 196). Where colours change, sums are added in another order, and such a difference grows with the change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthwise.cloud.augment import LUMA, Changes, source_box
from depthwise.cloud.cuda.resample import BITS, Weights, weights
from depthwise.cloud.recipe import Recipe
from depthwise.data.store import Store

# Pictures that are scaled at a time, and the share of a device's memory that images may take.
TOGETHER, SHARE = 64, 0.4


def fits(store: Store, device: torch.device) -> bool:
    """Whether the images of a store may lie on a GPU while it trains.

    By the memory that it has and not by what is free, so that a run that goes on finds the same.
    """
    return store.nbytes <= SHARE * torch.cuda.get_device_properties(device).total_memory


class DevicePictures:
    """Makes the pictures of a batch from the images of a store, which are copied to a device once."""

    def __init__(self, store: Store, device: torch.device) -> None:
        self._device = device
        # Copied on the CPU too: torch has no tensors that may not be written to.
        self._bytes = torch.from_numpy(store.packed.copy()).to(device)
        self._starts = store.starts
        self._shapes = np.array([store.shape(index) for index in range(len(store))], dtype=np.int64)

    def __call__(
        self,
        store: Store,
        indices: NDArray[np.int64],
        changes: Changes,
        rows: Sequence[int],
        side: int,
        recipe: Recipe,
    ) -> Tensor:
        """`augment.pictures`, as a tensor (len(rows), side, side, C) uint8 on the device."""
        own = np.asarray(rows)
        if changes.share == 1:
            return self._changed(indices, changes, own, side, recipe)
        partners = changes.partner[own]
        needed, places = np.unique(np.concatenate([own, partners]), return_inverse=True)
        made = self._changed(indices, changes, needed, side, recipe)
        where = torch.from_numpy(places).to(self._device)
        return _mixed(made[where[: len(own)]], made[where[len(own) :]], changes)

    def _changed(
        self, indices: NDArray[np.int64], changes: Changes, rows: NDArray[np.int64], side: int, recipe: Recipe
    ) -> Tensor:
        """Pictures of rows of a batch before any are mixed."""
        boxes = np.array(
            [source_box(tuple(self._shapes[indices[row]]), changes, int(row), side, recipe) for row in rows]
        )
        out = torch.cat(
            [
                self._scaled(indices[rows[at : at + TOGETHER]], boxes[at : at + TOGETHER], side)
                for at in range(0, len(rows), TOGETHER)
            ]
        )
        mirrored = torch.from_numpy(changes.mirrored[rows]).to(self._device)
        out = torch.where(mirrored[:, None, None, None], out.flip(2), out)
        return _coloured(out, changes.colour[rows]) if recipe.colour else out

    def _scaled(self, images: NDArray[np.int64], boxes: NDArray[np.float64], side: int) -> Tensor:
        """Boxes (left, top, right, bottom) of images as squares (B, side, side, C): first along rows, then columns."""
        heights, widths, channels = self._shapes[images].T
        across = weights(boxes[:, 0], boxes[:, 2], widths, side)
        down = weights(boxes[:, 1], boxes[:, 3], heights, side)
        top = down.first.min(1)
        rows = int((down.first.max(1) + down.weights.shape[2] - top).max())
        y = np.minimum(top[:, None] + np.arange(rows), heights[:, None] - 1)
        lines = self._starts[images][:, None] + y * (widths * channels)[:, None]
        here = torch.from_numpy(lines).to(self._device)[:, :, None]
        middle = self._along_rows(here, across, widths, int(channels[0]))
        return self._along_columns(middle, Weights(down.first - top[:, None], down.weights))

    def _along_rows(self, lines: Tensor, across: Weights, widths: NDArray[np.int64], channels: int) -> Tensor:
        """(B, R, side, C) of lines of pixels that begin at (B, R, 1)."""
        total: Tensor | int = 1 << (BITS - 1)
        colours = torch.arange(channels, device=self._device)
        for place in range(across.weights.shape[2]):
            x = np.minimum(across.first + place, widths[:, None] - 1).astype(np.int64)
            at = lines + torch.from_numpy(x).to(self._device)[:, None] * channels
            weight = torch.from_numpy(across.weights[:, None, :, None, place]).to(self._device)
            total = total + self._bytes[at[:, :, :, None] + colours].to(torch.int32) * weight
        return _to_bytes(total)

    def _along_columns(self, middle: Tensor, down: Weights) -> Tensor:
        """(B, side, side, C) of (B, R, side, C)."""
        total: Tensor | int = 1 << (BITS - 1)
        batch = torch.arange(len(middle), device=self._device)[:, None]
        for place in range(down.weights.shape[2]):
            y = np.minimum(down.first + place, middle.shape[1] - 1).astype(np.int64)
            weight = torch.from_numpy(down.weights[:, :, None, None, place]).to(self._device)
            total = total + middle[batch, torch.from_numpy(y).to(self._device)].to(torch.int32) * weight
        return _to_bytes(total)


def _to_bytes(total: Tensor | int) -> Tensor:
    assert isinstance(total, Tensor)
    return (total >> BITS).clamp(0, 255).to(torch.uint8)


def _coloured(pictures: Tensor, factors: NDArray[np.float32]) -> Tensor:
    """Brightness, then contrast about the mean, then saturation about the luma, as augment.py has them."""
    device = pictures.device
    brightness, contrast, saturation = torch.from_numpy(factors.astype(np.float64)).to(device).T[:, :, None, None, None]
    middle = pictures.to(torch.float64).mean((1, 2, 3), keepdim=True) * brightness
    x = pictures.float() * (brightness * contrast).float() + (middle * (1 - contrast)).float()
    if pictures.shape[3] == 3:
        luma = (x * torch.from_numpy(LUMA).to(device)).sum(3, keepdim=True)
        x = x * saturation.float() + luma * (1 - saturation).float()
    changed: Tensor = (x + 0.5).clamp(0, 255).to(torch.uint8)
    return changed


def _mixed(own: Tensor, other: Tensor, changes: Changes) -> Tensor:
    if changes.cut is None:
        return (own.double() * changes.share + other.double() * (1 - changes.share) + 0.5).to(torch.uint8)
    top, bottom, left, right = changes.cut
    out = own.clone()
    out[:, top:bottom, left:right] = other[:, top:bottom, left:right]
    return out
