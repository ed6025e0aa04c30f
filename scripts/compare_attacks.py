#!/usr/bin/env python3
"""Attack one float model by our attacks and by those of others: python scripts/compare_attacks.py --help

The code of github.com/fra31/auto-attack lies in a folder that is named; foolbox is used where it is installed. Both get
the same images in real numbers, one thread, the same budget, steps and questions, and attack what the attack before
them left. Behind each attack stand the images that are still right, and seconds of processor time.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from depthwise.attack.blackbox.square import Square
from depthwise.attack.budget import Budget, parse_eps
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Attack, attacked
from depthwise.attack.gradient.apgd import APGD
from depthwise.attack.gradient.fab import FAB
from depthwise.attack.gradient.walk import PGD
from depthwise.attack.subject import Subject, answers
from depthwise.cloud.folded import FoldedNetwork
from depthwise.jobs.attack.ready import ready
from depthwise.network.model import Model
from depthwise.progress import Silent

Rows = NDArray[np.int64]
# In the order of AutoAttack's standard version.
STANDARD = ("apgd-ce", "apgd-t", "fab-t", "square")


class Shares(nn.Module):
    """A model as others want it: logits of (N, C, H, W) from 0 to 1. Its norms are folded in, as they are for ours."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.network = FoldedNetwork(model)
        self.mean = torch.tensor(model.preprocessing.mean, dtype=torch.float32)
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, classes)."""
        levels = (x * 255).permute(0, 2, 3, 1) - self.mean
        logits: Tensor = self.network(levels.contiguous().permute(0, 3, 1, 2))
        return logits


@dataclass(frozen=True, kw_only=True, eq=False)
class Beside:
    """One model and its images, for both sides."""

    own: Subject
    others: nn.Module
    images: NDArray[Any]
    labels: Rows
    budget: Budget
    steps: int
    queries: int
    seed: int

    def ours(self, name: str, rows: Rows) -> Rows:
        """The rows that stand after our attack."""
        budget, steps = self.budget, self.steps
        attacks: dict[str, Attack] = {
            "pgd": PGD(budget=budget, steps=steps),
            "apgd-ce": APGD(budget=budget, steps=steps),
            "apgd-dlr": APGD(budget=budget, steps=steps, loss="dlr"),
            "apgd-t": APGD(budget=budget, steps=steps, loss="targeted"),
            "fab-t": FAB(budget=budget, steps=steps),
            "square": Square(budget=budget, queries=self.queries),
        }
        draws = Draws(self.seed, tuple(rows.tolist()))
        found = attacked(attacks[name], self.own, self.images[rows], self.labels[rows], draws)
        return rows[~found.fooled]

    def theirs(self, name: str, rows: Rows) -> Rows:
        """The rows that stand after theirs."""
        x = torch.from_numpy(self.images[rows]).permute(0, 3, 1, 2).float().div(255).contiguous()
        y = torch.from_numpy(self.labels[rows])
        changed = self._foolbox(x, y) if name == "pgd" else self._autoattack(name, x, y)
        with torch.no_grad():
            standing: Rows = rows[(self.others(changed).argmax(1) == y).numpy()]
        return standing

    def _foolbox(self, x: Tensor, y: Tensor) -> Tensor:
        foolbox = importlib.import_module("foolbox")
        model = foolbox.PyTorchModel(self.others, bounds=(0, 1), device="cpu")
        attack = foolbox.attacks.LinfPGD(rel_stepsize=2.5 / self.steps, steps=self.steps)
        changed: Tensor = attack(model, x, y, epsilons=self.budget.eps)[1]
        return changed

    def _autoattack(self, name: str, x: Tensor, y: Tensor) -> Tensor:
        made = importlib.import_module("autoattack").AutoAttack(
            self.others,
            norm={"linf": "Linf", "l2": "L2"}[self.budget.norm],
            eps=self.budget.eps,
            version="custom",
            attacks_to_run=[name],
            device="cpu",
            verbose=False,
            seed=self.seed,
        )
        targets = min(9, self.others(x[:1]).shape[1] - 1)
        for part in (made.apgd, made.apgd_targeted, made.fab):
            part.n_iter, part.n_restarts, part.n_target_classes = self.steps, 1, targets
        made.square.n_queries, made.square.rescale_schedule = self.queries, True
        changed: Tensor = made.run_standard_evaluation(x, y, bs=100)
        return changed


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("model", type=Path, help="a float model folder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--autoattack", type=Path, help="folder of a clone of github.com/fra31/auto-attack")
    parser.add_argument("--attacks", default=",".join(STANDARD), help="in their order, or one of pgd, apgd-dlr")
    parser.add_argument("--eps", type=parse_eps, default=8 / 255)
    parser.add_argument("--norm", default="linf")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.autoattack:
        sys.path.insert(0, str(given.autoattack))
    budget = Budget(norm=given.norm, eps=given.eps, whole=False)
    checked: Callable[[Any], None] = lambda target: None  # noqa: E731
    where = {"images": given.images, "seed": given.seed, "gradients": (), "check": checked, "reporter": Silent()}
    with ready(given.model, given.data, **where) as here:
        torch.set_num_threads(1)
        own, sample = here.target.judge, here.sample
        beside = Beside(
            own=own,
            others=Shares(Model.load(given.model)).eval(),
            images=np.asarray(sample.images),
            labels=sample.labels,
            budget=budget,
            steps=given.steps,
            queries=given.queries,
            seed=given.seed,
        )
        right = np.flatnonzero(answers(own.scores(sample.images)) == sample.labels)
        print(f"{len(right)} of {len(sample.labels)} images are right; eps {budget.text}, {budget.norm}")
        left = {"ours": right, "theirs": right}
        for name in given.attacks.split(","):
            for side, attack in (("theirs", beside.theirs), ("ours", beside.ours)):
                begun = time.process_time()
                left[side] = attack(name, left[side]) if len(left[side]) else left[side]
                share = len(left[side]) / len(sample.labels)
                print(f"{side:8}{name:10}{share:8.2%} right, {time.process_time() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
