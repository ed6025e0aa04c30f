"""Optimizer, learning rate and moving average, all of them torch's own, set up for this network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR
from torch.optim.swa_utils import AveragedModel

from depthwise.cloud.module import Network
from depthwise.cloud.recipe import Recipe
from depthwise.network.layers import layers

LOWEST_START = 1e-3
# The moving average's memory, 1 / (1 - decay) steps, is at most a run's steps over this.
LOOKING_BACK = 20


def make_optimizer(network: Network, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over all weights.

    Decay spares biases, batch normalisation and depthwise weights: these have so few values that
    "little or no weight decay" is better for them (arXiv:1704.04861 section 4).
    """
    depthwise = {f"{layer.name}.weight" for layer in layers(network.spec) if layer.kind == "depthwise"}
    spared: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (spared if parameter.ndim == 1 or name in depthwise else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.decay}, {"params": spared, "weight_decay": 0.0}]
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
    return AdamW(groups, lr=recipe.rate)


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps: int) -> LRScheduler:
    """A linear warm-up and then half a cosine to 0, over `steps` steps in all."""
    rising = max(1, round(recipe.warmup * steps))
    warmup = LinearLR(optimizer, start_factor=LOWEST_START, total_iters=rising)
    cosine = CosineAnnealingLR(optimizer, T_max=max(1, steps - rising))
    return SequentialLR(optimizer, [warmup, cosine], milestones=[rising])


def schedule_after(recipe: Recipe, steps: int, taken: int) -> tuple[dict[str, Any], float]:
    """The state of the schedule of a run of `steps` after some steps, and the rate of the next.

    Torch's schedules have no formula for it: they go from each rate to the next.
    """
    groups = [{"params": [nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    optimizer = SGD(groups, lr=recipe.rate)
    schedule = make_schedule(optimizer, recipe, steps)
    for _ in range(taken):
        optimizer.step()
        schedule.step()
    return schedule.state_dict(), optimizer.param_groups[0]["lr"]


def make_average(network: nn.Module, recipe: Recipe, steps: int) -> AveragedModel | None:
    """The moving average of weights and batch statistics, or None where the recipe wants none.

    Args:
        steps: of the whole run. The average looks back over a twentieth of them at most: in a short run, the decay of a
            long one would keep weights of when the learning rate was still high.
    """
    if not recipe.average:
        return None
    longest = min(recipe.average, max(0.0, 1 - LOOKING_BACK / steps))

    def blend(averages: Sequence[Tensor], values: Sequence[Tensor], taken: Tensor | int) -> None:
        """Move the averages towards the values, by the share that the decay leaves after so many steps."""
        # The decay grows with the steps taken, or the random start would weigh on the average for thousands of them.
        taken_steps = int(taken)
        share = 1 - min(longest, (1 + taken_steps) / (10 + taken_steps))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)

    return AveragedModel(network, multi_avg_fn=blend, use_buffers=True)


def set_frozen(network: nn.Module, frozen: bool) -> None:
    """Stop or start the training of everything but the classifier, batch statistics included."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not frozen or name.startswith("classifier."))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(not frozen)


def class_weights(counts: list[int], power: float) -> torch.Tensor:
    """(classes,) weights in the loss, inverse to how often a class occurs, with mean 1 over the images."""
    shares = torch.tensor(counts, dtype=torch.float32).clamp(min=1)
    weights = (shares.mean() / shares) ** power
    return weights * shares.sum() / (weights * shares).sum()


def teacher_loss(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """How far the student is from the teachers (scalar): KL(taught || student) at a temperature, times its square.

    Args:
        logits: (B, classes) of the student.
        taught: (B, classes) probabilities at that temperature.

    Source: arXiv:1503.02531 section 2. The square keeps gradients their size, whatever the temperature.
    """
    said = (logits / temperature).log_softmax(1)
    return F.kl_div(said, taught, reduction="batchmean") * temperature**2


def soft_loss(
    logits: Tensor, labels: Tensor, partners: Tensor, share: float | Tensor, *, smoothing: float, weights: Tensor | None
) -> Tensor:
    """Mean cross-entropy (scalar) of a mixed batch.

    Weighted classes are divided by the number of images and not by the sum of weights, so that the mean over
    processes is the mean over the whole batch.
    """

    def one(wanted: Tensor) -> Tensor:
        """The mean towards one of the labels that were mixed."""
        return F.cross_entropy(logits, wanted, weight=weights, label_smoothing=smoothing, reduction="none").mean()

    loss = one(labels)
    if isinstance(share, float) and share == 1:
        return loss
    return share * loss + (1 - share) * one(partners)
