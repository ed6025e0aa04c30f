"""Single layers: their share of what the memory's bandwidth allows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from depthwise.cloud.cuda import operators
from depthwise.network.layers import Layer, layers
from depthwise.network.spec import Spec
from gpu.place import Place


def per_layer(place: Place, spec: Spec, batch: int, speed: float, rounds: int) -> list[dict[str, Any]]:
    """Each depthwise layer forward and backward, and each block for answers: its share of the bandwidth's floor."""
    table, found = layers(spec), []
    for layer, following in pairwise(table):
        if layer.kind != "depthwise":
            continue
        ways, moved = layer_ways(place, layer, following, batch)
        with torch.no_grad():
            medians = place.medians(ways, rounds)
        shares = {name: moved[name] / speed / seconds for name, seconds in medians.items()}
        found.append({"layer": layer.name, "microseconds": {n: s * 1e6 for n, s in medians.items()}, "share": shares})
    return found


def layer_ways(
    place: Place, layer: Layer, following: Layer, batch: int
) -> tuple[dict[str, Callable[[], object]], dict[str, int]]:
    """What is timed of a layer, and the bytes that each must move: what goes in and out, once."""
    channels, outputs = layer.input.channels, following.output.channels
    pad, ceiling = layer.padding, 6.0
    padding = [pad.top, pad.bottom, pad.left, pad.right]
    x = torch.randn((batch, channels, layer.input.height, layer.input.width), device=place.device).to(place.narrow)
    x = x.contiguous(memory_format=torch.channels_last)
    scale, shift = torch.ones(channels, device=place.device), torch.zeros(channels, device=place.device)
    weight = torch.randn((channels, 1, 3, 3), device=place.device)
    mixing, bias = (
        torch.randn((outputs, channels, 1, 1), device=place.device),
        torch.zeros(outputs, device=place.device),
    )
    y, mean, variance = operators.depthwise(x, scale, shift, weight, layer.stride, padding, ceiling)
    theirs = nn.functional.pad(x, (pad.left, pad.right, pad.top, pad.bottom))
    ways: dict[str, Callable[[], object]] = {
        "forward": lambda: operators.depthwise(x, scale, shift, weight, layer.stride, padding, ceiling),
        "backward": lambda: operators.depthwise_backward(
            y, mean, variance, x, scale, shift, weight, y, mean, layer.stride, padding, ceiling
        ),
        "with pointwise": lambda: operators.separable(x, weight, shift, mixing, bias, layer.stride, padding, ceiling),
        "forward, PyTorch's convolution alone": lambda: nn.functional.conv2d(
            theirs, weight.to(place.narrow), stride=layer.stride, groups=channels
        ),
    }
    size = torch.empty((), dtype=place.narrow).element_size() * batch
    in_and_out = size * (layer.input.size + layer.output.size)
    moved = {
        "forward": in_and_out,
        # dy, y and x are read, dx is written.
        "backward": size * 2 * (layer.input.size + layer.output.size),
        "with pointwise": size * (layer.input.size + following.output.size),
        "forward, PyTorch's convolution alone": in_and_out,
    }
    return ways, moved
