"""Two steps in float64 by all processes together and by each alone; a script that torchrun starts.

The first process prints one line of JSON: the largest relative difference of a weight's change, the largest difference
of a running statistic, and the largest relative difference of a gradient under PyTorch's DistributedDataParallel, where
our operators compute the network (cloud/cuda), from that of one process by PyTorch's layers.
"""

from __future__ import annotations

import json
import os
import sys

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from depthwise.cloud.module import Network
from depthwise.cloud.processes import World, world
from depthwise.network.spec import Spec

SPEC = Spec(width=0.25, resolution=32, classes=3, unit_strides=(0,))


def trained(here: World, *, shared: bool) -> tuple[Network, Network]:
    """The network before and after two steps on sixteen images."""
    torch.manual_seed(0)
    network, before = Network(SPEC).double(), Network(SPEC).double()
    before.load_state_dict(network.state_dict())
    if shared:
        here.share(network)
    for step in range(2):
        torch.manual_seed(step + 1)
        x, labels = torch.randn(16, 3, 32, 32, dtype=torch.float64), torch.arange(16) % 3
        if shared:
            x, labels = x[here.rank :: here.size], labels[here.rank :: here.size]
        network.zero_grad()
        F.cross_entropy(network(x), labels).backward()
        if shared:
            here.average_gradients(network)
        # Plain descent; an optimizer of PyTorch would take seconds to load.
        with torch.no_grad():
            for weight in network.parameters():
                assert weight.grad is not None
                weight.sub_(0.01 * weight.grad)
    return before, network


def gradients(here: World, *, shared: bool) -> list[Tensor]:
    """Of one step: by our operators under DistributedDataParallel, or by PyTorch's layers in this process alone."""
    torch.manual_seed(0)
    network = Network(SPEC).double()
    x, labels = torch.randn(16, 3, 32, 32, dtype=torch.float64), torch.arange(16) % 3
    if shared:
        network.kernels = True
        here.share(network)
        x, labels = x[here.rank :: here.size], labels[here.rank :: here.size]
    wrapped = DistributedDataParallel(network) if shared else network
    F.cross_entropy(wrapped(x), labels).backward()
    return [weight.grad for weight in network.parameters() if weight.grad is not None]


def largest(found: list[Tensor], wanted: list[Tensor]) -> float:
    """The largest difference, relative to the size of its gradient."""
    return max(float((one - other).norm() / other.norm()) for one, other in zip(found, wanted, strict=True))


def main() -> None:
    """Compare."""
    with world() as here:
        before, alone = trained(here, shared=False)
        _, together = trained(here, shared=True)
        start, first, second = before.state_dict(), alone.state_dict(), together.state_dict()
        changes, statistics = [], []
        for name in first:
            if "running" in name:
                statistics.append((first[name] - second[name]).abs().max().item())
            elif not name.endswith("num_batches_tracked"):
                difference = (first[name] - second[name]).norm() / (first[name] - start[name]).norm()
                changes.append(difference.item())
        tracked = all(torch.equal(first[n], second[n]) for n in first if n.endswith("num_batches_tracked"))
        by_operators = largest(gradients(here, shared=True), gradients(here, shared=False))
        found = {"weights": max(changes), "statistics": max(statistics), "tracked": tracked, "operators": by_operators}
        if here.first:
            print(json.dumps(found))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # DistributedDataParallel leaves threads behind that abort the interpreter at its end.
    os._exit(0)
