"""Whether the kernels give on this GPU what PyTorch gives there, tried before a network is trained.

There are many more GPUs, drivers and compilers than anyone can try beforehand, and a training that goes wrong says so
late, or never.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from depthwise.cloud.cuda.graph import Graphs
from depthwise.cloud.device import autocast
from depthwise.cloud.module import Network
from depthwise.network.spec import Spec

SIDE, IMAGES = 32, 32
# How far a tensor may be from PyTorch's, as a share of its norm. Two right ways differ by some 0.03 in gradients of
# float32 and by 0.3 in logits of bfloat16, since values near an end of ReLU6 fall on either side of it; a tap of nine
# that is left out makes a third.
FARTHEST = {"float32": 0.1, "bfloat16": 0.7}


def what_fails(spec: Spec, device: torch.device) -> str:
    """What is wrong with the kernels on a device, as the end of a sentence; "" where nothing is.

    A network of the description, at 32 pixels, takes one step of training, and answers, by the kernels and by PyTorch.
    The step is compared by its logits and, in float32, by the gradient of every weight.
    """
    try:
        for precision, farthest in FARTHEST.items():
            distance = _distance(replace(spec, resolution=SIDE, classes=2), device, precision)
            # A distance that is no number is none that is small.
            if not distance <= farthest:
                return f"on this GPU their {precision} is {distance:.2g} away from PyTorch's"
    except Exception as problem:
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        return f"on this GPU they fail ({reason})"
    return ""


def _distance(spec: Spec, device: torch.device, precision: str) -> float:
    """The largest distance of any tensor of the kernels from PyTorch's, as a share of the latter's norm."""
    # What is drawn here must not change what the training draws.
    with torch.random.fork_rng(devices=[]), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        torch.manual_seed(0)
        plain = Network(spec).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        ours: Network = copy.deepcopy(plain)
        ours.kernels = True
        x = torch.randn(IMAGES, spec.channels, SIDE, SIDE).to(device, memory_format=torch.channels_last)
        wanted, found = (_tensors(network, x, precision) for network in (plain, ours))
    shares = [(one - other).norm() / other.norm() for one, other in zip(found, wanted, strict=True)]
    return float(torch.stack(shares).max())


def _tensors(network: Network, x: Tensor, precision: str) -> list[Tensor]:
    """Logits of answers and of a step of training, and in float32 the gradients that the step leaves."""

    def work(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        with autocast(x.device, precision):
            logits = network(given[0]).float()
        logits.square().sum().backward()
        return (logits.detach(),)

    with torch.no_grad(), autocast(x.device, precision):
        answered = network.eval()(x).float()
    network.train()
    step: Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]] = work
    if network.kernels and x.is_cuda:
        step = Graphs(network, work)
    found = [answered, *step((x,))]
    if precision == "float32":
        found += [weight.grad for weight in network.parameters() if weight.grad is not None]
    return [one.double() for one in found]
