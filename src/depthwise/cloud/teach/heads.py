"""A linear classifier on a teacher's features, fitted in folds: no picture is judged by a head that has seen it.

A head fitted on its own pictures flatters itself: on Tiny ImageNet it was right for 80% of them and for 54% of others,
and its answers for the former are of no use to a student (docs/training.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.cloud.teach.teacher import VIEWS

Halves = NDArray[np.float16]
Longs = NDArray[np.int64]

FOLDS = 5
# How a head is fitted: AdamW over so many passes, the rate falling along half a cosine.
PASSES, BATCH, RATE, DECAY = 6, 512, 2e-3, 1e-2
# Rows that are looked at together where nothing is learned.
TOGETHER = 4096
# Temperatures that are tried, the best by the likelihood of what no head has seen.
TEMPERATURES = tuple(round(0.5 * 1.1**power, 3) for power in range(20))


@dataclass(frozen=True)
class Told:
    """What heads say: logarithms of probabilities, the mean of both views.

    Attributes:
        train: (N, classes) of the training pictures, each by the head that has not seen it.
        validation: (M, classes) by the mean of all heads.
        temperature: by which logits were divided.
    """

    train: Tensor
    validation: Tensor
    temperature: float


def folds(names: Sequence[str]) -> Longs:
    """(N,) the fold of each picture, by a hash of its name alone: another picture moves none of the others."""
    return np.array([int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:8]) % FOLDS
                     for name in names], dtype=np.int64)  # fmt: skip


def fit_heads(
    train: Halves, labels: Longs, validation: Halves, fold: Longs, *, classes: int, seed: int, tick: Callable[[], None]
) -> Told:
    """Fit a head for each fold on the pictures of all others, and let it judge that fold.

    Args:
        train: (N, VIEWS, width) features of the training pictures, with `labels` and `fold` (N,).
        validation: (M, VIEWS, width) features of the validation pictures.
        tick: told after every pass over the pictures; there are `FOLDS * PASSES`.
    """
    mean, spread = _statistics(train)
    said = torch.zeros(len(train), VIEWS, classes)
    judged = torch.zeros(FOLDS, len(validation), VIEWS, classes)
    for number in range(FOLDS):
        head = _Head(mean, spread, classes)
        _fit(head, train, labels, np.flatnonzero(fold != number), np.random.default_rng([seed, number]), tick)
        held_out = np.flatnonzero(fold == number)
        said[held_out] = head.logits(train, held_out)
        judged[number] = head.logits(validation, np.arange(len(validation)))
    temperature = best_temperature(said, torch.from_numpy(labels))
    return Told(
        mean_of((said / temperature).log_softmax(2), 1),
        mean_of(mean_of((judged / temperature).log_softmax(3), 2), 0),
        temperature,
    )


def answers(train: Halves, validation: Halves) -> Told:
    """What a network tells that answers for the student's classes: logarithms (N, VIEWS, classes) of probabilities."""
    said, judged = (torch.from_numpy(part.astype(np.float32)) for part in (train, validation))
    return Told(mean_of(said, 1), mean_of(judged, 1), 1.0)


def best_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature of `TEMPERATURES` at which the views' mean (N, VIEWS, classes) is likeliest to be right."""

    def loss(temperature: float) -> float:
        return float(F.nll_loss(mean_of((logits / temperature).log_softmax(2), 1), labels))

    return min(TEMPERATURES, key=loss)


def mean_of(logarithms: Tensor, axis: int) -> Tensor:
    """The logarithm of the mean of probabilities whose logarithms are given."""
    found: Tensor = logarithms.logsumexp(axis) - np.log(logarithms.shape[axis])
    return found


class _Head(nn.Module):
    """Features, brought to mean 0 and spread 1, to logits."""

    def __init__(self, mean: Tensor, spread: Tensor, classes: int) -> None:
        super().__init__()
        self.mean, self.spread = mean, spread
        self.linear = nn.Linear(len(mean), classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear((x - self.mean) / self.spread)
        return found

    @torch.no_grad()
    def logits(self, features: Halves, rows: Longs) -> Tensor:
        """(len(rows), VIEWS, classes) of rows of features."""
        parts = [
            self(torch.from_numpy(features[rows[start : start + TOGETHER]].astype(np.float32)))
            for start in range(0, len(rows), TOGETHER)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, VIEWS, self.linear.out_features)


def _statistics(features: Halves) -> tuple[Tensor, Tensor]:
    """Mean and spread (width,) of each feature; the spread of one that never changes is taken for 1."""
    sums, squares = np.zeros(features.shape[2]), np.zeros(features.shape[2])
    for start in range(0, len(features), TOGETHER):
        part = features[start : start + TOGETHER].astype(np.float64)
        sums += part.sum((0, 1))
        squares += (part * part).sum((0, 1))
    count = features.shape[0] * features.shape[1]
    mean = sums / count
    spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return torch.from_numpy(mean).float(), torch.from_numpy(np.where(spread > 1e-6, spread, 1.0)).float()


def _fit(
    head: _Head, features: Halves, labels: Longs, rows: Longs, rng: np.random.Generator, tick: Callable[[], None]
) -> None:
    """Fit a head on some rows; each pass sees each picture in one of its views."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    steps = PASSES * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    for _ in range(PASSES):
        order, view = rng.permutation(rows), rng.integers(VIEWS, size=len(rows))
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            x = torch.from_numpy(features[order[part], view[part]].astype(np.float32))
            loss = F.cross_entropy(head(x), torch.from_numpy(labels[order[part]]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        tick()
