"""Batches for training, made ahead of use by threads, in an order that (seed, epoch, step) alone decides."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthwise.cloud import augment
from depthwise.cloud.recipe import Recipe
from depthwise.data.store import Store
from depthwise.errors import Refused

# Makes changed pictures (len(rows), side, side, C) uint8, as `augment.pictures` does.
Maker = Callable[[Store, NDArray[np.int64], augment.Changes, Sequence[int], int, Recipe], Tensor]

# One thread for so many cores: the network itself needs most of them.
CORES_A_THREAD, MOST_THREADS = 2, 8


@dataclass(frozen=True)
class Batch:
    """One process's part of a step.

    Attributes:
        pixels: (B, H, W, C) uint8.
        labels, partners: (B,) classes of the images and of those mixed in.
        share: weight of `labels` in the loss; `partners` has the rest. A number, or a tensor () of it.
        taught: (B, classes) float32 probabilities that the teachers give at the recipe's temperature, mixed as the
            pictures are; None without teachers.
    """

    pixels: Tensor
    labels: Tensor
    partners: Tensor
    share: float | Tensor
    taught: Tensor | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of it as tensors: `Batch(*batch.tensors)` is the same batch, with `share` as one of them."""
        share = torch.as_tensor(self.share, dtype=torch.float32)
        given = (self.pixels, self.labels, self.partners, share)
        return given if self.taught is None else (*given, self.taught)


def on_the_cpu(
    store: Store, indices: NDArray[np.int64], changes: augment.Changes, rows: Sequence[int], side: int, recipe: Recipe
) -> Tensor:
    """`augment.pictures`, as a tensor."""
    return torch.from_numpy(augment.pictures(store, indices, changes, rows, side, recipe))


@dataclass(frozen=True, kw_only=True)
class Loader:
    """Training batches of a store.

    Attributes:
        rank, world: this process takes rows rank, rank + world, ... of each global batch.
        make: what makes the pictures, and where they then lie.
        lessons: (N, classes) logarithms of the probabilities that teachers give for each picture, or None.

    Raises: Refused, when the batch or the images cannot be shared among the processes.
    """

    store: Store
    recipe: Recipe
    resolution: int
    rank: int = 0
    world: int = 1
    make: Maker = on_the_cpu
    lessons: NDArray[np.float16] | None = None

    def __post_init__(self) -> None:
        if self.recipe.batch % self.world:
            raise Refused(
                f"--batch {self.recipe.batch} cannot be shared among {self.world} processes evenly; give a multiple"
            )
        if len(self.store) < self.world:
            raise Refused(f"there are {len(self.store)} training images for {self.world} processes; start fewer")

    @property
    def global_batch(self) -> int:
        """Images a step over all processes: the recipe's batch, less where there are not so many images."""
        return min(self.recipe.batch, len(self.store)) // self.world * self.world

    @property
    def steps(self) -> int:
        """Steps an epoch; the few images left over are others each time."""
        return len(self.store) // self.global_batch

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of one step: a pure function of its arguments."""
        count = self.global_batch
        indices = augment.order(self.recipe.seed, epoch, len(self.store))[step * count : (step + 1) * count]
        side = self.recipe.resolution(epoch, self.resolution)
        changes = augment.draw(self.recipe, epoch, step, count, side)
        rows = range(self.rank, count, self.world)
        pixels = self.make(self.store, indices, changes, rows, side, self.recipe)
        labels = self.store.labels[indices]
        own = np.asarray(rows)
        return Batch(
            pixels,
            torch.from_numpy(labels[own]),
            torch.from_numpy(labels[changes.partner[own]]),
            changes.share,
            None if self.lessons is None else self._taught(indices[own], indices[changes.partner[own]], changes.share),
        )

    def _taught(self, own: NDArray[np.int64], partners: NDArray[np.int64], share: float) -> Tensor:
        """(B, classes) what the teachers say of pictures with others mixed in."""
        assert self.lessons is not None

        def said(rows: NDArray[np.int64]) -> Tensor:
            logarithms = torch.from_numpy(self.lessons[rows].astype(np.float32))  # type: ignore[index]
            return (logarithms / self.recipe.temperature).softmax(1)

        return said(own) if share == 1 else share * said(own) + (1 - share) * said(partners)

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from a step on, prepared ahead."""
        threads = min(MOST_THREADS, max(1, (os.cpu_count() or 1) // (CORES_A_THREAD * self.world)))
        pool = ThreadPoolExecutor(max_workers=threads)
        try:
            steps = iter(range(first_step, self.steps))
            waiting = deque(pool.submit(self.batch, epoch, step) for step in islice(steps, threads + 2))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(self.batch, epoch, step) for step in islice(steps, 1))
                yield batch
        finally:
            pool.shutdown(cancel_futures=True)
