"""Steps of training as CUDA graphs: the kernels of a step are launched by one call instead of some hundreds.

Everything here but `record` is the same on any device, and is tested on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Tensors of a step: what it is given, and what it finds.
Tensors = tuple[Tensor, ...]
# Carries out work once and returns what it found, and what does the same work again into the same memory.
Record = Callable[[Callable[[], Tensors]], tuple[Tensors, Callable[[], object]]]
# Steps before a step is recorded: libraries choose their algorithms in the first ones, which a graph must not hold.
WARM_UP = 3


def record(work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], object]]:
    """Record work on the current GPU; it is carried out by the second of what is returned."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = work()
    return found, graph.replay


def aside(work: Callable[[], object]) -> None:
    """Do work on another stream of the GPU, as recording asks of what comes before it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        work()
    torch.cuda.current_stream().wait_stream(stream)


@dataclass(frozen=True, eq=False)
class _Recorded:
    """A step for one shape of batch, with the memory that it reads and writes."""

    given: Tensors
    found: Tensors
    gradients: list[Tensor | None]
    replay: Callable[[], object]


class Graphs:
    """Carries out steps of one kind, each shape of batch by a recording of its own.

    Args:
        network: whose gradients a step leaves behind, and whose running statistics it moves.
        work: one step: from tensors to tensors, and gradients in the network. It must do the same whatever is in them,
            wait for nothing, and keep nothing but what is in the network.
    """

    def __init__(
        self,
        network: nn.Module,
        work: Callable[[Tensors], Tensors],
        *,
        record: Record = record,
        aside: Callable[[Callable[[], object]], object] = aside,
    ) -> None:
        self._network, self._work = network, work
        self._record, self._aside = record, aside
        self._recorded: dict[tuple[tuple[torch.dtype, torch.Size], ...], _Recorded] = {}

    def __call__(self, given: Tensors) -> Tensors:
        """One step; what it returns is overwritten by the next of the same shape."""
        shape = tuple((one.dtype, one.shape) for one in given)
        if shape not in self._recorded:
            self._recorded[shape] = self._prepare(given)
        step = self._recorded[shape]
        for place, one in zip(step.given, given, strict=True):
            place.copy_(one)
        step.replay()
        # Each recording writes its own gradients, and the optimizer reads those that the network has.
        for weight, gradient in zip(self._network.parameters(), step.gradients, strict=True):
            weight.grad = gradient
        return step.found

    def forget(self) -> None:
        """Drop all recordings; for when a step becomes another one."""
        self._recorded.clear()

    def _prepare(self, given: Tensors) -> _Recorded:
        """Record a step for a shape; the network stays as it was."""
        places = tuple(one.clone() for one in given)
        weights, buffers = list(self._network.parameters()), list(self._network.buffers())
        before = [buffer.clone() for buffer in buffers]
        self._aside(lambda: self._warm_up(weights, places))
        _forget_gradients(weights)
        found, replay = self._record(lambda: self._work(places))
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
        return _Recorded(places, found, [weight.grad for weight in weights], replay)

    def _warm_up(self, weights: Sequence[nn.Parameter], places: Tensors) -> None:
        for _ in range(WARM_UP):
            _forget_gradients(weights)
            self._work(places)


def _forget_gradients(weights: Sequence[nn.Parameter]) -> None:
    for weight in weights:
        weight.grad = None
