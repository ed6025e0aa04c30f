"""The training loop: from a dataset and a recipe to a model, through kills and over many processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.cloud import checkpoint
from depthwise.cloud.device import autocast
from depthwise.cloud.loader import Batch, Loader
from depthwise.cloud.module import Network, normalise, to_weights
from depthwise.cloud.optimise import class_weights, make_average, make_optimizer, make_schedule, set_frozen, soft_loss
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.reporter import Reporter, RunLog
from depthwise.cloud.store import Store
from depthwise.errors import Refused
from depthwise.network.model import Array
from depthwise.network.preprocessing import Preprocessing

CHECKPOINT_SECONDS = 300.0
EVALUATION_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a run ends with.

    Attributes:
        weights: the best epoch's arrays by name.
        best: figures of that epoch.
        seconds: time spent in training, over all starts of the run.
    """

    weights: dict[str, Array]
    best: Mapping[str, Any]
    seconds: float


class Run:
    """One training run; `train()` carries it out and may be called again after a kill."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        preprocessing: Preprocessing,
        *,
        train: Store,
        validation: Store,
        folder: Path,
        world: World,
        reporter: Reporter,
    ) -> None:
        self.recipe, self.preprocessing, self.world, self.reporter = recipe, preprocessing, world, reporter
        self.validation, self.folder, self.log = validation, folder, RunLog(folder)
        self.loader = Loader(
            store=train, recipe=recipe, resolution=network.spec.resolution, rank=world.rank, world=world.size
        )
        self.network = network.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = make_average(self.network, recipe)
        self.optimizer = make_optimizer(self.network, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, self.loader.steps * recipe.epochs)
        counts = torch.bincount(torch.from_numpy(train.labels), minlength=network.spec.classes).tolist()
        self.class_weights = class_weights(counts, recipe.balance).to(world.device) if recipe.balance else None
        self.epoch = self.step = 0
        self.seconds = 0.0
        # Loss, right answers and images of the epoch so far; float64, so that sums over processes are exact counts.
        self.sums = torch.zeros(3, dtype=torch.float64)
        self.best: dict[str, Any] = {"epoch": -1, "top1": -1.0}
        self.best_weights: dict[str, Tensor] = {}

    def train(self) -> Trained:
        """Train from where the run stands to its end."""
        self._prepare_phase()
        while self.epoch < self.recipe.epochs and not self._out_of_patience():
            if self.step == 0 and self.epoch == self.recipe.frozen:
                self._prepare_phase()
            self._train_epoch()
        best = Network(self.network.spec)
        best.load_state_dict(self.best_weights)
        return Trained(weights=to_weights(best), best=self.best, seconds=self.seconds)

    def _prepare_phase(self) -> None:
        """Freeze or unfreeze; the wrapper is made anew since it knows which weights have gradients."""
        self.network.train()
        set_frozen(self.network, self.epoch < self.recipe.frozen)
        self.wrapped = self.world.wrap(self.network)

    def _out_of_patience(self) -> bool:
        since = self.epoch - 1 - self.best["epoch"]
        return bool(self.recipe.patience) and self.best["epoch"] >= 0 and since >= self.recipe.patience

    def _train_epoch(self) -> None:
        side = self.recipe.resolution(self.epoch, self.loader.resolution)
        title = f"epoch {self.epoch + 1}/{self.recipe.epochs}" + (f" at {side} px" if self.recipe.small else "")
        self.reporter.begin(title, self.loader.steps, self.step)
        saved = time.monotonic()
        for batch in self.loader.epoch(self.epoch, self.step):
            start = time.perf_counter()
            self._train_step(batch)
            self.step += 1
            elapsed = time.perf_counter() - start
            self.seconds += elapsed
            self._advance(elapsed)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        self.reporter.end()
        self._finish_epoch(side)

    def _train_step(self, batch: Batch) -> None:
        device = self.world.device
        labels, partners = batch.labels.to(device), batch.partners.to(device)
        x = normalise(batch.pixels.to(device, non_blocking=True), self.preprocessing)
        with autocast(device, self.recipe.precision):
            logits = self.wrapped(x)
        loss = soft_loss(
            logits.float(), labels, partners, batch.share, smoothing=self.recipe.smoothing, weights=self.class_weights
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        right = (logits.argmax(1) == labels).sum()
        self.sums += torch.stack(
            [loss.detach().double() * len(labels), right.double(), torch.tensor(float(len(labels)))]
        ).cpu()
        if not torch.isfinite(self.sums[0]):
            raise Refused(
                f"the loss is no longer finite in epoch {self.epoch + 1}; train again with a lower --rate"
                f" (it is {self.recipe.rate}) or --precision float32"
            )

    def _advance(self, elapsed: float) -> None:
        loss, right, images = self.sums.tolist()
        rate = self.loader.global_batch / elapsed
        self.reporter.advance(loss=f"{loss / images:.3f}", top1=f"{right / images:.1%}", speed=f"{rate:.0f} images/s")

    def _finish_epoch(self, side: int) -> None:
        loss, right, images = self.world.total(self.sums).tolist()
        kept = self.average.module if self.average is not None else self.network
        figures = validate(kept, self.validation, self.preprocessing, self.world, side=side)
        entry = {
            "epoch": self.epoch, "resolution": side, "loss": loss / images, "train_top1": right / images,
            "rate": self.optimizer.param_groups[0]["lr"], "seconds": round(self.seconds, 1), **figures,
        }  # fmt: skip
        # Epochs with small pictures are measured on small pictures, which says nothing about the full size.
        if side == self.loader.resolution and figures["top1"] > self.best["top1"]:
            self.best = entry
            self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in kept.state_dict().items()}
        self.epoch, self.step = self.epoch + 1, 0
        self.sums.zero_()
        if self.world.first:
            self.log.write("epoch", **entry)
        self.save()
        self.reporter.notice(
            f"epoch {self.epoch}/{self.recipe.epochs}: loss {entry['loss']:.3f}, validation top-1 {figures['top1']:.2%}"
            f" at {side} px, {self.seconds / 60:.1f} min"
        )

    def save(self) -> None:
        """Write the checkpoint."""
        if self.world.first:
            checkpoint.save(self.folder, self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.to_dict(),
            "spec": self.network.spec.to_dict(),
            "network": self.network.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "sums": self.sums,
            "best": self.best,
            "best_weights": self.best_weights,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint's state."""
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]
        self.sums, self.best, self.best_weights = state["sums"], state["best"], state["best_weights"]


@torch.no_grad()
def validate(
    network: nn.Module, store: Store, preprocessing: Preprocessing, world: World, *, side: int | None = None
) -> dict[str, float]:
    """Loss, top-1 and top-5 (shares) over a store of prepared images, split among the processes.

    With `side`, the images are first reduced to as many pixels.
    """
    training = network.training
    network.eval()
    sums = torch.zeros(4, dtype=torch.float64)
    indices = range(world.rank, len(store), world.size)
    for start in range(0, len(indices), EVALUATION_BATCH):
        part = indices[start : start + EVALUATION_BATCH]
        pixels = torch.from_numpy(store.batch(part)).to(world.device)
        labels = torch.from_numpy(store.labels[list(part)]).to(world.device)
        x = normalise(pixels, preprocessing)
        if side is not None and side != x.shape[-1]:
            x = F.interpolate(x, (side, side), mode="bilinear", antialias=True)
        logits = network(x).float()
        best = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss = F.cross_entropy(logits, labels, reduction="sum")
        sums += torch.stack([loss, best[:, 0].sum(), best.any(1).sum(), torch.tensor(len(part))]).double().cpu()
    network.train(training)
    loss_sum, top1, top5, count = world.total(sums).tolist()
    return {"validation_loss": loss_sum / count, "top1": top1 / count, "top5": top5 / count}
