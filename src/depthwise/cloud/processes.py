"""Several processes, on one machine or many, that train as if they were one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from depthwise.cloud.device import find_device
from depthwise.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class World:
    """This process among all: `rank` of `size`, and its device."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes, on the CPU."""
        if self.size > 1:
            values = values.to(self.device, copy=True)
            dist.all_reduce(values)
        return values.cpu()

    def agree(self, value: T, rank: int = 0) -> T:
        """The value of one process, the first if no other is named, in all of them."""
        if self.size == 1:
            return value
        box: list[Any] = [value]
        dist.broadcast_object_list(box, src=rank)
        found: T = box[0]
        return found

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in the order of their ranks, in all of them."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def together(self, work: Callable[[], T]) -> T:
        """What `work` returns in this process, once it is done in all of them.

        A process that stopped alone would leave the others waiting for it, so a refusal in one is a refusal in all.
        `work` itself must not wait for other processes.

        Raises: Refused, with the sentence of the first process that refused.
        """
        refusal = None
        try:
            result = work()
        except Refused as refused:
            refusal = str(refused)
        for rank, text in enumerate(self.gather(refusal)):
            if text is not None:
                raise Refused(text if rank == 0 else f"process {rank + 1} of {self.size}: {text}")
        return result

    def share(self, network: nn.Module) -> None:
        """Start from the first process's weights, and take batch statistics over all processes, in place."""
        if self.size == 1:
            return
        shared_norms(network)
        for tensor in network.state_dict().values():
            # A copy in the usual order, since not every backend sends other layouts.
            sent = tensor.detach().contiguous()
            dist.broadcast(sent, src=0)
            tensor.copy_(sent)

    def average_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by its mean over all processes.

        torch's DistributedDataParallel does this while the backward pass still runs, which saves little with so few
        weights; but it never lets go of gloo's threads, and they abort the interpreter at its end.
        """
        if self.size == 1:
            return
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat / self.size, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))


@contextlib.contextmanager
def world() -> Iterator[World]:
    """The processes that `torchrun` started, or this one alone.

    Raises: Refused, when the variables that `torchrun` sets are there only in part.
    """
    size = _variable("WORLD_SIZE", 1)
    if size == 1:
        yield World(rank=0, size=1, device=find_device())
        return
    rank, local, neighbours = _variable("RANK"), _variable("LOCAL_RANK"), _variable("LOCAL_WORLD_SIZE", 1)
    if torch.cuda.is_available():
        if local >= torch.cuda.device_count():
            raise Refused(
                f"there are {neighbours} processes for {torch.cuda.device_count()} GPUs on this machine; start as many"
                " as there are GPUs"
            )
        torch.cuda.set_device(local)
    else:
        torch.set_num_threads(max(1, torch.get_num_threads() // neighbours))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield World(rank=rank, size=size, device=find_device())
    finally:
        dist.destroy_process_group()


def _variable(name: str, default: int | None = None) -> int:
    text = os.environ.get(name, "" if default is None else str(default))
    if not text.isdecimal():
        raise Refused(f"the variable {name} is {text!r}; start several processes by torchrun, which sets it")
    return int(text)


class SharedNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes; torch's SyncBatchNorm does not run on the CPU.

    Every process must have as many images as the others.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) normalised, scaled and shifted."""
        if not self.training:
            return super().forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        count = wide.numel() // wide.shape[1] * dist.get_world_size()
        mean = _sum_over_all(wide.sum((0, 2, 3))) / count
        # Not as the mean of squares less the squared mean: their difference loses the digits of a small variance.
        centred = wide - mean[:, None, None]
        variance = _sum_over_all(centred.square().sum((0, 2, 3))) / count
        remember(self, mean, variance * count / max(count - 1, 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        out: Tensor = centred * scale[:, None, None] + self.bias[:, None, None]
        return out.to(x.dtype)

    def over_all(self, mean: Tensor, variance: Tensor, count: int) -> tuple[Tensor, Tensor, int]:
        """The moments of the values of all processes, from those of this one's `count` values."""
        processes = dist.get_world_size()
        whole = _sum_over_all(mean) / processes
        spread = _sum_over_all(variance + (mean - whole).square()) / processes
        return whole, spread, count * processes


@torch.no_grad()
def remember(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Blend batch statistics into the running ones, the variance without bias, as torch does."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.momentum is not None
    assert norm.num_batches_tracked is not None
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance, norm.momentum)
    norm.num_batches_tracked.add_(1)


class _SumOverAll(torch.autograd.Function):
    """The sum over all processes. Each of them depends on it, so its gradient is the sum of all their gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


def _sum_over_all(values: Tensor) -> Tensor:
    total: Tensor = _SumOverAll.apply(values)  # type: ignore[no-untyped-call]
    return total


def shared_norms(network: nn.Module) -> nn.Module:
    """Turn every batch normalisation of a network, in place, into one over all processes."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedNorm
    return network
