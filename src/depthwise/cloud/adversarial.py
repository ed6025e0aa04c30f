"""Training on pictures that are changed against the network while it learns, and how well it then withstands attacks.

What is made from a picture depends on the recipe's seed, the step and the process, so that a run that was killed goes
on to the same weights. The network is seen as it trains, by the statistics of its batch; their running means are those
of the pictures that it learns from, which the passes of an attack do not move.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.attack.budget import LEVELS, Budget
from depthwise.attack.draws import Draws
from depthwise.attack.frame import attacked
from depthwise.attack.gradient.walk import PGD
from depthwise.attack.subject import FunctionSubject
from depthwise.cloud.attacked import attackable
from depthwise.cloud.module import Network
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.data.store import Store
from depthwise.network.preprocessing import Preprocessing

# Steps of an attack where the recipe does not say.
STEPS = {"fast": 1, "pgd": 7, "trades": 10}
# How far from a picture an attack begins, in budgets. TRADES begins beside it, where its loss has no slope yet; "fast"
# begins beyond the bound, and takes its one step, of a whole budget, from there (N-FGSM, arXiv:2202.01181).
START = {"fast": 2.0, "pgd": 1.0, "trades": 0.03}
# The weight of changed pictures in TRADES (arXiv:1901.08573) and in RSLAD (arXiv:2108.07969, section 4.1).
TRADES_WEIGHT, RSLAD_SHARE = 6.0, 5 / 6
# How an epoch's network is attacked on validation images, and on how many of them.
ROBUST_STEPS, ROBUST_IMAGES = 10, 1000
# What share of the accuracy in training is nothing, where an epoch before shows no more.
NOTHING = 10
# Images that are attacked together.
TOGETHER = 100

# The loss of a batch that logits (B, K) have.
Loss = Callable[[Tensor], Tensor]


def against(
    network: Network, images: Tensor, loss: Loss, logits: Callable[[Tensor], Tensor], recipe: Recipe, draw: int
) -> Tensor:
    """Pictures (B, H, W, C) in levels, changed so that a loss grows: within the recipe's bound, by "fast" within three.

    Args:
        images: in levels, 0 to 255.
        logits: of pictures in levels.
        draw: what random starts depend on, beside the recipe's seed.
    """
    radius, steps = recipe.eps * LEVELS, recipe.attack_steps or STEPS[recipe.adversarial]
    size = radius * (1.0 if steps == 1 else 2.5 / steps)
    # What "fast" begins with is not cut to the bound: a network that learns at the bound's corners alone learns to be
    # flat there, and nowhere else (catastrophic overfitting).
    reach = radius * (1 + START["fast"]) if recipe.adversarial == "fast" else radius
    made = torch.Generator().manual_seed((recipe.seed << 32) + draw)
    start = (2 * torch.rand(images.shape, generator=made) - 1) * START[recipe.adversarial] * radius
    low, high = (images - reach).clamp_min(0), (images + reach).clamp_max(LEVELS)
    now = (images + start.to(images.device)).clamp(low, high)
    with still(network):
        for _ in range(steps):
            x = now.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(loss(logits(x)), x)
            now = (now + size * slope.sign()).clamp(low, high)
    return now.detach()


def distance(logits: Tensor, wanted: Tensor) -> Tensor:
    """How far answers are from other answers: KL(wanted || answer), mean over the batch; both are logits."""
    return F.kl_div(logits.log_softmax(1), wanted.log_softmax(1), reduction="batchmean", log_target=True)


@contextlib.contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Batch statistics are used, and their running means stay where they are."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def withstood(
    network: Network, store: Store, preprocessing: Preprocessing, world: World, recipe: Recipe
) -> dict[str, float]:
    """Top-1 under a short attack (PGD of 10 steps, whole bytes) on a part of a store, split among the processes."""
    seen = attackable(network, preprocessing, together=TOGETHER)
    subject = FunctionSubject("network", seen.scores, seen)
    attack = PGD(budget=Budget(eps=recipe.eps), steps=ROBUST_STEPS)
    indices = range(0, len(store), -(-len(store) // ROBUST_IMAGES))[world.rank :: world.size]
    sums = torch.zeros(2, dtype=torch.float64)
    for start in range(0, len(indices), TOGETHER):
        part = indices[start : start + TOGETHER]
        found = attacked(attack, subject, store.batch(part), store.labels[list(part)], Draws(recipe.seed, tuple(part)))
        sums += torch.tensor([float((~found.fooled).sum()), float(len(part))], dtype=torch.float64)
    right, images = world.total(sums).tolist()
    return {"robust_top1": right / images, "robust_images": int(images)}


def has_collapsed(robust: float, best: float, learned: float) -> bool:
    """Whether the network learned to beat the attack that it trains on, and no other: catastrophic overfitting.

    It need not have withstood more before: what begins with weights of clean pictures can fall in its second epoch.

    Args:
        robust, best: top-1 under the short attack of this epoch, and of the best before it; 0 where there is none.
        learned: top-1 in training, under the attack that is trained on.
    Source: arXiv:2001.03994, section 5.3.
    """
    return learned > 2 * robust and robust < max(best / 2, learned / NOTHING)
