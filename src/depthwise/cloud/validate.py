"""How good a network is on a store of prepared images."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from depthwise.cloud.module import Network, normalise
from depthwise.cloud.processes import World
from depthwise.data.store import Store
from depthwise.network.preprocessing import Preprocessing

TOGETHER = 256


@torch.no_grad()
def validate(
    network: Network,
    store: Store,
    preprocessing: Preprocessing,
    world: World,
    *,
    side: int | None = None,
    every: int = 1,
) -> dict[str, float]:
    """Loss, top-1 and top-5 (shares) over a store of prepared images, split among the processes.

    With `side`, the images are first reduced to as many pixels; with `every`, only each so many-th is looked at.
    """
    # Each module's own mode: frozen batch normalisation is not training where the network is.
    modes = {module: module.training for module in network.modules()}
    network.eval()
    sums = torch.zeros(4, dtype=torch.float64)
    indices = range(0, len(store), every)[world.rank :: world.size]
    for start in range(0, len(indices), TOGETHER):
        part = indices[start : start + TOGETHER]
        pixels = torch.from_numpy(store.batch(part)).to(world.device)
        labels = torch.from_numpy(store.labels[list(part)]).to(world.device)
        x = normalise(pixels, preprocessing)
        if side is not None and side != x.shape[-1]:
            x = F.interpolate(x, (side, side), mode="bilinear", antialias=True)
        logits = network(x).float()
        best = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss = F.cross_entropy(logits, labels, reduction="sum")
        found = [value.double() for value in (loss, best[:, 0].sum(), best.any(1).sum())]
        sums[:3] += torch.stack(found).cpu()
        sums[3] += len(part)
    for module, training in modes.items():
        module.training = training
    loss_sum, top1, top5, count = world.total(sums).tolist()
    figures = {"validation_loss": loss_sum / count, "top1": top1 / count, "top5": top5 / count}
    return {**figures, "validation_images": int(count)}
