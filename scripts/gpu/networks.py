"""Images a second of whole networks, by our kernels, by PyTorch and by torch.compile."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from depthwise.cloud.cuda.features import Step, answered, folded
from depthwise.cloud.cuda.graph import Graphs
from depthwise.cloud.module import Network
from depthwise.network.layers import layers
from depthwise.network.spec import ACTIVATIONS, Spec
from gpu.place import Place, rates
from gpu.tensorrt import add_tensorrt

SEED = 0


def network_of(place: Place, spec: Spec, *, kernels: bool) -> Network:
    """A network with random weights, by our kernels or by PyTorch's own."""
    torch.manual_seed(SEED)
    network = Network(spec).to(place.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.kernels = kernels
    return network  # type: ignore[no-any-return]


def images(place: Place, spec: Spec, batch: int) -> Tensor:
    """Normalised images (B, C, H, W)."""
    x = torch.randn((batch, spec.channels, spec.resolution, spec.resolution), device=place.device)
    return x.contiguous(memory_format=torch.channels_last)


def training(place: Place, spec: Spec, batch: int, rounds: int) -> dict[str, Any]:
    """Images a second of a pass forward and backward, without the optimizer's step."""
    x = images(place, spec, batch)
    labels = torch.zeros(batch, dtype=torch.long, device=place.device)

    def learning(
        of: nn.Module, network: Callable[[Tensor], Tensor]
    ) -> Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]:
        """What takes one step's passes of a network, called as `network`, whose weights are those of `of`."""
        weights = list(of.parameters())

        def learn(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            """Gradients of one batch."""
            for weight in weights:
                weight.grad = None
            with torch.autocast(place.device.type, place.narrow, enabled=place.narrow != torch.float32):
                logits = network(given[0])
            loss = nn.functional.cross_entropy(logits.float(), labels)
            loss.backward()
            return (loss.detach(),)

        return learn

    ours = network_of(place, spec, kernels=True).train()
    plain = network_of(place, spec, kernels=False).train()
    ways = {"eager": learning(plain, plain), "ours": learning(ours, ours)}
    if place.is_gpu:
        other = copy.deepcopy(plain)
        ways["compiled"] = learning(other, torch.compile(other, mode="max-autotune"))
        recorded = copy.deepcopy(ours)
        ways["ours, one graph"] = Graphs(recorded, learning(recorded, recorded))
    return rates(place, {name: partial(way, (x,)) for name, way in ways.items()}, batch, rounds)


def answers(place: Place, spec: Spec, batch: int, rounds: int, tiny: bool) -> dict[str, Any]:
    """Images a second of answers, from normalised images on the device to logits there."""
    x = images(place, spec, batch).to(place.narrow)
    plain = network_of(place, spec, kernels=False).eval()
    narrow = copy.deepcopy(plain).to(place.narrow)
    ways: dict[str, Callable[[], object]] = {"eager": lambda: narrow(x), "ours": ours_of(plain, place, x)}
    with torch.inference_mode():
        if place.is_gpu:
            compiled = torch.compile(copy.deepcopy(narrow), mode="max-autotune")
            ways["compiled"] = lambda: compiled(x)
            ways["ours, one graph"] = as_graph(ways["ours"])
        notes = [] if tiny or not place.is_gpu else add_tensorrt(ways, spec, batch)
        return {**rates(place, ways, batch, rounds), "notes": notes}


def ours_of(network: Network, place: Place, x: Tensor) -> Callable[[], Tensor]:
    """Answers by the kernels, with weights that were folded once."""
    rows = [layer for layer in layers(network.spec) if layer.norm]
    steps = [Step(row, *step[:2]) for row, step in zip(rows, network._steps, strict=True)]
    with torch.no_grad():
        stem, blocks = folded(steps)
    weight, bias = (one.detach().to(place.narrow) for one in network.classifier.parameters())
    ceiling = ACTIVATIONS[network.spec.activation]

    def answer() -> Tensor:
        """Logits."""
        features = answered(steps[0], stem, blocks, x, ceiling)
        return nn.functional.linear(features.to(place.narrow), weight, bias)

    return answer


def as_graph(work: Callable[[], object]) -> Callable[[], object]:
    """Work on a GPU as a recording of it."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
