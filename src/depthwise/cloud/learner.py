"""The network while it learns: one step on one batch, and all that must be kept to go on later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from depthwise.cloud.adversarial import RSLAD_SHARE, TRADES_WEIGHT, Loss, against, distance, still
from depthwise.cloud.cuda.graph import Graphs, Tensors
from depthwise.cloud.device import autocast
from depthwise.cloud.loader import Batch
from depthwise.cloud.module import Network, constants, normalised
from depthwise.cloud.optimise import (
    class_weights,
    make_average,
    make_optimizer,
    make_schedule,
    schedule_after,
    set_frozen,
    soft_loss,
    teacher_loss,
)
from depthwise.cloud.perturbed import perturbed
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.network.preprocessing import Preprocessing

# Logits of what is learned from, and the loss to learn by, of the network as it is when it is called.
Learned = Callable[[], tuple[Tensor, Tensor]]


class Learner:
    """A network with its optimizer, learning rate and moving average, on this process's device.

    Args:
        steps: of the whole run, which the learning rate is spread over.
        counts: training images of each class.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        preprocessing: Preprocessing,
        *,
        steps: int,
        counts: list[int],
        world: World,
    ) -> None:
        self.recipe, self.preprocessing, self.world = recipe, preprocessing, world
        self.network = network.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        world.share(self.network)
        self.average = make_average(self.network, recipe, steps)
        self.optimizer = make_optimizer(self.network, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, steps)
        self.steps = steps
        self.class_weights = class_weights(counts, recipe.balance).to(world.device) if recipe.balance else None
        self._constants = constants(preprocessing, world.device)
        self._frozen: bool | None = None
        self.network.kernels = recipe.kernels == "triton"
        self._graphs = Graphs(self.network, self._learn_from) if self._recordable else None

    @property
    def _recordable(self) -> bool:
        """Whether a step is the same work for every batch, so that a GPU may repeat a recording of it."""
        alone = self.world.size == 1 and self.world.device.type == "cuda"
        same = self.recipe.adversarial == "none" and not self.recipe.perturbation
        return alone and same and self.recipe.kernels == "triton"

    @property
    def kept(self) -> Network:
        """The network that is measured and kept: the moving average where there is one."""
        network = self.network if self.average is None else self.average.module
        assert isinstance(network, Network)
        return network

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        rate: float = self.optimizer.param_groups[0]["lr"]
        return rate

    def prepare(self, *, frozen: bool) -> None:
        """Make ready for steps that train the classifier only, or everything."""
        if frozen == self._frozen:
            return
        self._frozen = frozen
        self.network.train()
        set_frozen(self.network, frozen)
        if self._graphs is not None:
            self._graphs.forget()

    def step(self, batch: Batch) -> Tensor:
        """Learn from one batch.

        Returns: (3,) float64 on the device: loss summed over this process's images, right answers (for the pictures as
            they were changed against the network, where the recipe wants that), images.
        """
        sums = self._learn(batch) if self._graphs is None else self._graphs(batch.tensors)[0]
        self.world.average_gradients(self.network)
        self.optimizer.step()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return sums

    def _learn_from(self, given: Tensors) -> Tensors:
        """`_learn` from the tensors of a batch."""
        return (self._learn(Batch(*given)),)

    def _learn(self, batch: Batch) -> Tensor:
        """The gradients of one batch, left in the network, and what `step` returns.

        A GPU may repeat a recording of this, so nothing is copied to it that is not in the batch.
        """
        device = self.world.device
        labels = batch.labels.to(device)
        look = self._plain if self.recipe.adversarial == "none" else self._against
        learned = look(batch.pixels.to(device), labels, batch)
        with perturbed(self.network, lambda: learned()[1], self.recipe.perturbation):
            logits, loss = learned()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        count = torch.full((), len(labels), dtype=torch.float64, device=device)
        return torch.stack([loss.detach().double() * count, (logits.argmax(1) == labels).sum().double(), count])

    def _logits(self, pixels: Tensor) -> Tensor:
        """(B, classes) of pictures (B, H, W, C) in levels."""
        with autocast(self.world.device, self.recipe.precision):
            logits: Tensor = self.network(normalised(pixels, *self._constants))
        return logits.float()

    def _plain(self, pixels: Tensor, labels: Tensor, batch: Batch) -> Learned:
        """Learning from pictures as they are."""

        def learned() -> tuple[Tensor, Tensor]:
            logits = self._logits(pixels)
            return logits, self._loss(logits, labels, batch)

        return learned

    def _against(self, pixels: Tensor, labels: Tensor, batch: Batch) -> Learned:
        """Learning from pictures that are changed here against the network."""
        trades, images = self.recipe.adversarial == "trades" and batch.taught is None, pixels.float()
        plain = partial(self._loss, labels=labels, batch=batch)
        draw = self.schedule.last_epoch * self.world.size + self.world.rank
        changed = against(
            self.network, images, self._away_from(images) if trades else plain, self._logits, self.recipe, draw
        )

        def learned() -> tuple[Tensor, Tensor]:
            """Logits of the changed pictures, and the loss."""
            if not trades and batch.taught is None:
                hard = self._logits(changed)
                return hard, plain(hard)
            clean, hard = self._logits(torch.cat([images, changed])).chunk(2)
            if trades:
                return hard, plain(clean) + TRADES_WEIGHT * distance(hard, clean)
            # What teachers say of the picture is wanted of both (arXiv:2108.07969, equation 8).
            return hard, (1 - RSLAD_SHARE) * plain(clean) + RSLAD_SHARE * plain(hard)

        return learned

    def _away_from(self, images: Tensor) -> Loss:
        """How far answers are from those of these pictures."""
        with torch.no_grad(), still(self.network):
            calm = self._logits(images)
        return partial(distance, wanted=calm)

    def _loss(self, logits: Tensor, labels: Tensor, batch: Batch) -> Tensor:
        """By the labels, and by what teachers say where there are any."""
        recipe, device = self.recipe, self.world.device
        alone = 1.0 if batch.taught is None else 1 - recipe.distill_weight
        loss = torch.zeros((), device=device)
        if alone:
            partners = batch.partners.to(device)
            hard = soft_loss(
                logits, labels, partners, batch.share, smoothing=recipe.smoothing, weights=self.class_weights
            )
            loss = alone * hard
        if batch.taught is not None:
            loss = loss + (1 - alone) * teacher_loss(logits, batch.taught.to(device), recipe.temperature)
        return loss

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises: KeyError, RuntimeError, TypeError or ValueError, when it is of another network.
        """
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        _lay_out_as_weights(self.optimizer)
        self.schedule.load_state_dict(state["schedule"])

    def spread_anew(self, taken: int) -> None:
        """Let the learning rate go on as that of a run of this length does after the steps that were taken."""
        state, rate = schedule_after(self.recipe, self.steps, taken)
        self.schedule.load_state_dict(state)
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def _lay_out_as_weights(optimizer: Optimizer) -> None:
    """Give each tensor of the optimizer the memory layout of its weight, as it had before it was saved.

    The same values in another order in memory may be worked on by other instructions, and end in other bits.
    """
    for weight, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                values[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
