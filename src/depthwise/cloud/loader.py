"""Batches for training, made ahead of use by one thread, in an order that (seed, epoch, step) alone decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from depthwise.cloud import augment
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.store import Store

AHEAD = 3


@dataclass(frozen=True)
class Batch:
    """One process's part of a step.

    Attributes:
        pixels: (B, H, W, C) uint8.
        labels, partners: (B,) classes of the images and of those mixed in.
        share: weight of `labels` in the loss; `partners` has the rest.
    """

    pixels: Tensor
    labels: Tensor
    partners: Tensor
    share: float


@dataclass(frozen=True, kw_only=True)
class Loader:
    """Training batches of a store.

    Attributes:
        rank, world: this process takes rows rank, rank + world, ... of each global batch.
    """

    store: Store
    recipe: Recipe
    resolution: int
    rank: int = 0
    world: int = 1

    @property
    def global_batch(self) -> int:
        """Images a step over all processes: the recipe's batch, less where there are not so many images."""
        return max(min(self.recipe.batch, len(self.store)) // self.world * self.world, self.world)

    @property
    def steps(self) -> int:
        """Steps an epoch; the images left over come first in no epoch, but others each time."""
        return max(1, len(self.store) // self.global_batch)

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of one step: a pure function of its arguments."""
        count = self.global_batch
        indices = augment.order(self.recipe.seed, epoch, len(self.store))[step * count : (step + 1) * count]
        changes = augment.draw(self.recipe, epoch, step, count)
        rows = range(self.rank, count, self.world)
        side = self.recipe.resolution(epoch, self.resolution)
        pixels = augment.pictures(self.store, indices, changes, rows, side, self.recipe)
        labels = self.store.labels[indices]
        own = np.asarray(rows)
        return Batch(
            torch.from_numpy(pixels),
            torch.from_numpy(labels[own]),
            torch.from_numpy(labels[changes.partner[own]]),
            changes.share,
        )

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from a step on, prepared ahead."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            steps = iter(range(first_step, self.steps))
            waiting = deque(pool.submit(self.batch, epoch, step) for step in islice(steps, AHEAD))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(self.batch, epoch, step) for step in islice(steps, 1))
                yield batch
