"""The training loop: epochs, the best of them, checkpoints and interrupts, over any number of processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from depthwise.cloud import checkpoint
from depthwise.cloud.adversarial import ROBUST_STEPS, has_collapsed, withstood
from depthwise.cloud.interrupts import Interrupts
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Loader
from depthwise.cloud.runlog import RunLog
from depthwise.cloud.validate import validate
from depthwise.data.store import Store
from depthwise.errors import Refused
from depthwise.progress import Reporter

# Validation images that are looked at in epochs that are not measured on all.
PART = 1000
# How many times the loss of guessing a loss is that no network learns with.
FAR = 10
# Steps between two looks at the loss. On a GPU a look waits for all work that is under way.
STEPS_A_LOOK = {"cpu": 1, "cuda": 10}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a run ends with.

    Attributes:
        state: the best epoch's network, as its `state_dict` gives it, on the CPU.
        best: figures of that epoch, which is counted from 0; -1 is the network before the first.
        seconds: time spent in training, over all starts of the run.
    """

    state: Mapping[str, Tensor]
    best: Mapping[str, Any]
    seconds: float


class Run:
    """One training run; `train()` carries it out and may be called again after a kill and `restore`.

    Args:
        log: of the run; None in all processes but the first.
        folder: where the first process writes checkpoints.
        checkpoint_seconds: time between two checkpoints; one is also written after each epoch.
        publish: in the first process, called with the best epoch so far whenever there is a new one.
        facts: what the weights depend on beside the recipe; kept in the checkpoint.
    """

    def __init__(
        self,
        learner: Learner,
        loader: Loader,
        validation: Store,
        *,
        folder: Path,
        log: RunLog | None,
        reporter: Reporter,
        checkpoint_seconds: float,
        facts: Mapping[str, Any],
        publish: Callable[[Trained], object] = lambda trained: None,
    ) -> None:
        self.learner, self.loader, self.validation = learner, loader, validation
        self.recipe, self.world = learner.recipe, learner.world
        self.folder, self.log, self.reporter = folder, log, reporter
        self.checkpoint_seconds, self.facts, self.publish = checkpoint_seconds, facts, publish
        self.epoch = self.step = 0
        self.seconds = 0.0
        # Loss, right answers and images of the epoch up to the last look, over all processes; and since then, of this.
        self.sums = torch.zeros(3, dtype=torch.float64)
        self.fresh = torch.zeros(3, dtype=torch.float64, device=self.world.device)
        self.best: dict[str, Any] = {"epoch": -1, "top1": -1.0}
        self.best_weights: dict[str, Tensor] = {}
        self.interrupts = Interrupts()
        self._clock = self._saved = time.monotonic()

    def train(self) -> Trained:
        """Train from where the run stands to its end.

        Raises: Refused, when the loss diverges or a checkpoint cannot be written; KeyboardInterrupt, once all is saved.
        """
        self._clock = self._saved = time.monotonic()
        with self.interrupts:
            while not self._finished():
                self.learner.prepare(frozen=self.epoch < self.recipe.frozen)
                try:
                    self._train_epoch()
                finally:
                    self.reporter.end()
                self._finish_epoch()
        return self.so_far()

    def so_far(self) -> Trained:
        """The best epoch up to now.

        Raises: Refused, when none is finished that can be kept.
        """
        if not self.best_weights:
            raise Refused(
                f"{self.folder}: no epoch at full size is finished yet, so there is nothing to keep; go on by --resume"
            )
        return Trained(state=self.best_weights, best=self.best, seconds=self.seconds)

    def keep_start(self, figures: Mapping[str, float]) -> None:
        """Keep the network as it is before the first step, until an epoch is better.

        Args:
            figures: of the network, as `validate` gives them.
        """
        self._keep({"epoch": -1, **figures})
        self.save()
        self._publish()

    def withstood(self) -> dict[str, float]:
        """Top-1 under a short attack, where the recipe trains against attacks; all processes call this together."""
        if self.recipe.adversarial == "none":
            return {}
        learner = self.learner
        return withstood(learner.kept, self.validation, learner.preprocessing, self.world, self.recipe)

    def measure_start(self) -> float:
        """Validation top-1 of the network as it is, on a part of the images."""
        every = -(-len(self.validation) // PART)
        found = validate(self.learner.kept, self.validation, self.learner.preprocessing, self.world, every=every)
        return found["top1"]

    @property
    def side(self) -> int:
        """Resolution of the pictures in this epoch."""
        return self.recipe.resolution(self.epoch, self.loader.resolution)

    def _finished(self) -> bool:
        since = self.epoch - 1 - self.best["epoch"]
        tired = bool(self.recipe.patience) and bool(self.best_weights) and since >= self.recipe.patience
        return tired or self.epoch >= self.recipe.epochs

    def _train_epoch(self) -> None:
        title = f"epoch {self.epoch + 1}/{self.recipe.epochs}" + (f" at {self.side} px" if self.recipe.small else "")
        self.reporter.begin(title, self.loader.steps, self.step)
        every = STEPS_A_LOOK.get(self.world.device.type, 1)
        for batch in self.loader.epoch(self.epoch, self.step):
            self.fresh += self.learner.step(batch)
            self.step += 1
            # At the same steps in all processes and after every restart, so that sums end in the same bits.
            if self.step % every == 0 or self.step == self.loader.steps:
                self._look()
            else:
                self.reporter.advance()

    def _look(self) -> None:
        """Add up over all processes, stop where the loss diverged, and keep the run where it is time to."""
        due = self.world.first and time.monotonic() - self._saved > self.checkpoint_seconds
        votes = torch.tensor([due, self.interrupts.asked], dtype=torch.float64, device=self.world.device)
        total = self.world.total(torch.cat([self.fresh, votes]))
        self.fresh.zero_()
        self.sums += total[:3]
        loss, right, images = self.sums.tolist()
        self._check(loss)
        speed = total[2].item() / max(self._tick(), 1e-9)
        self.reporter.advance(
            loss=f"{loss / images:.3f}", top1=f"{right / images:.1%}", speed=f"{speed:.0f}/s", left=self._left()
        )
        if total[3] > 0 or total[4] > 0:
            self.save()
        if total[4] > 0:
            self._stop()

    def _check(self, loss: float) -> None:
        if not abs(loss) < float("inf"):
            raise Refused(
                f"the loss is no longer finite in epoch {self.epoch + 1}; remove {self.folder} and train again with a"
                f" lower --rate (it is {self.recipe.rate:g}) or with --precision float32"
            )

    def _warn(self, loss: float) -> None:
        guessing = math.log(self.learner.kept.spec.classes)
        if loss > FAR * guessing:
            self.reporter.notice(
                f"warning: the loss of {loss:,.1f} is far above that of guessing ({guessing:.2f}); --rate is likely"
                f" too high (it is {self.recipe.rate:g})"
            )

    def _tick(self) -> float:
        """Seconds since the last call, which are added to the time of the run."""
        now = time.monotonic()
        passed, self._clock = now - self._clock, now
        self.seconds += passed
        return passed

    def _left(self) -> str:
        """Time that the rest of the run takes, when a step's time goes with the number of pixels."""
        sides = [self.recipe.resolution(epoch, self.loader.resolution) for epoch in range(self.recipe.epochs)]
        steps, squares = self.loader.steps, [side * side for side in sides]
        done = sum(squares[: self.epoch]) * steps + squares[self.epoch] * self.step
        return _duration(self.seconds * (sum(squares) * steps - done) / done)

    def _finish_epoch(self) -> None:
        loss, right, images = self.sums.tolist()
        side, kept = self.side, self.learner.kept
        # Epochs with small pictures are measured on small pictures, which says nothing about the full size.
        whole = side == self.recipe.resolution(self.recipe.epochs - 1, self.loader.resolution)
        all_seen = self.recipe.measured(self.epoch)
        every = 1 if all_seen else -(-len(self.validation) // PART)
        figures = validate(
            kept, self.validation, self.learner.preprocessing, self.world, side=None if whole else side, every=every
        )
        self._check(figures["validation_loss"])
        self._warn(loss / images)
        if whole and all_seen:
            figures |= self.withstood()
        self._tick()
        entry = {
            "epoch": self.epoch, "resolution": side, "loss": loss / images, "train_top1": right / images,
            "rate": self.learner.rate, "seconds": round(self.seconds, 1), **figures,
        }  # fmt: skip
        collapsed = "robust_top1" in entry and has_collapsed(
            entry["robust_top1"], self.best.get("robust_top1", 0.0), entry["train_top1"]
        )
        entry |= {"collapsed": True} if collapsed else {}
        better = whole and all_seen and _goodness(entry) > _goodness(self.best)
        if better:
            self._keep(entry)
        left = "" if self.epoch + 1 == self.recipe.epochs else f", some {self._left()} left"
        self.epoch, self.step = self.epoch + 1, 0
        self.sums.zero_()
        self.world.together(lambda: self.log.epoch(entry) if self.log is not None else None)
        self.save()
        if better:
            self._publish()
        self.reporter.notice(
            f"epoch {self.epoch}/{self.recipe.epochs}: loss {entry['loss']:.3f}, validation top-1 {figures['top1']:.2%}"
            f"{_robust(entry)} at {self.loader.resolution if whole else side} px; {_duration(self.seconds)} since the"
            f" start{left}"
        )
        if collapsed:
            self.reporter.notice(_collapse(entry, self.best))
        asked = torch.tensor([float(self.interrupts.asked)], dtype=torch.float64)
        if not self._finished() and self.world.total(asked).item() > 0:
            self._stop()

    def _keep(self, entry: dict[str, Any]) -> None:
        """Remember the network as it is now, with its figures, as the best."""
        self.best = entry
        state = self.learner.kept.state_dict()
        self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def _publish(self) -> None:
        self.world.together(lambda: self.publish(self.so_far()) if self.world.first else None)

    def _stop(self) -> None:
        self.reporter.end()
        self.reporter.notice(
            f"stopped in epoch {self.epoch + 1}, after step {self.step} of {self.loader.steps}, and kept in"
            f" {self.folder}; the same command with --resume goes on from here, and with --finish"
            " ends with the best epoch so far"
        )
        raise KeyboardInterrupt

    def save(self) -> None:
        """Write the checkpoint; all processes call this together."""
        self.world.together(lambda: checkpoint.save(self.folder, self._state()) if self.world.first else None)
        self._saved = time.monotonic()

    def _state(self) -> dict[str, Any]:
        return {
            **self.facts,
            **self.learner.state(),
            "recipe": self.recipe.to_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "sums": self.sums,
            "best": self.best,
            "best_weights": self.best_weights,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint's state.

        Raises: Refused, when something is missing in it or does not fit.
        """
        try:
            self.learner.restore(state)
            self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]
            self.sums, self.best, self.best_weights = state["sums"], state["best"], state["best_weights"]
            if state["recipe"]["epochs"] != self.recipe.epochs:
                self.learner.spread_anew(self.epoch * self.loader.steps + self.step)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise Refused(
                f"{self.folder / checkpoint.NAME}: does not fit this network ({reason}); remove it to start anew"
            ) from None


def _goodness(entry: Mapping[str, Any]) -> tuple[float, float, float]:
    """What the best epoch is chosen by: top-1 under attack where it was measured, validation top-1, and the loss."""
    return entry.get("robust_top1", 0.0), entry["top1"], -entry.get("validation_loss", float("inf"))


def _robust(entry: Mapping[str, Any]) -> str:
    return f", under PGD-{ROBUST_STEPS} {entry['robust_top1']:.2%}" if "robust_top1" in entry else ""


def _collapse(entry: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    before = best.get("robust_top1", 0.0)
    kept = f" the network of epoch {best['epoch'] + 1}, with {before:.2%}, is kept;" if before else ""
    return (
        f"warning: catastrophic overfitting: top-1 is {entry['robust_top1']:.2%} under PGD-{ROBUST_STEPS}, and"
        f" {entry['train_top1']:.2%} under the attack that is trained on;{kept} take --adversarial pgd, or a lower"
        " --rate or --eps"
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
