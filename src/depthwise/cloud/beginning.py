"""What a run begins with: the network that learns, its weights, and its precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from depthwise.cloud.cuda.support import what_is_missing
from depthwise.cloud.device import faster_precision
from depthwise.cloud.kernel_trial import what_fails
from depthwise.cloud.module import Network
from depthwise.cloud.outcome import Start, untrained
from depthwise.cloud.processes import World
from depthwise.cloud.quantized_module import QuantizedNetwork
from depthwise.cloud.quantized_start import float_source, from_state, quantized_start
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.transfer import start_from
from depthwise.data.images import Images
from depthwise.errors import Refused
from depthwise.network.spec import Spec
from depthwise.progress import Reporter


def what_learns(
    request: Request, spec: Spec, images: Images, state: Mapping[str, Any] | None, here: World, reporter: Reporter
) -> tuple[Network, Start]:
    """What is to learn, with the weights to start from, and the model as it stands before training."""
    if request.quantize is not None:
        source = float_source(request.pretrained, spec, images.labels, request.preprocessing)
        if state is not None:
            begun = from_state(state, source)
        else:
            begun = quantized_start(source, images, request.quantize, reporter, here)
        return QuantizedNetwork(begun), begun
    network = Network(spec)
    start = untrained(request, network, images.labels)
    if state is None and request.pretrained is not None:
        reporter.notice(start_from(network, images.labels, request.pretrained))
    return network, start


def with_kernels(recipe: Recipe, network: Network, here: World, reporter: Reporter) -> Recipe:
    """The recipe with its kernels decided.

    Raises: Refused, when kernels of our own are asked for and cannot run.
    """
    if recipe.kernels == "torch":
        return recipe
    missing = here.agree(_no_kernels(network, here))
    if not missing:
        missing = here.agree(what_fails(network.spec, here.device))
        if missing and recipe.kernels == "auto":
            reporter.notice(f"training by PyTorch's own kernels: of ours, {missing}")
    if missing and recipe.kernels == "triton":
        raise Refused(f"--kernels triton cannot run: {missing}; leave it out, or give --kernels torch")
    return replace(recipe, kernels="torch" if missing else "triton")


def _no_kernels(network: Network, here: World) -> str:
    """Why kernels of our own cannot run here, or ""."""
    if isinstance(network, QuantizedNetwork):
        return "training in int8 goes by PyTorch's own operators, whose sums are exact"
    if network.spec.convolution != "separable":
        return "the network has no depthwise layers"
    return what_is_missing() if here.device.type == "cuda" else "PyTorch finds no CUDA device here"


def with_precision(recipe: Recipe, network: Network, here: World, reporter: Reporter) -> Recipe:
    """The recipe with its precision decided."""
    if recipe.precision != "auto":
        return recipe
    if isinstance(network, QuantizedNetwork):
        return replace(recipe, precision="float32")
    network.to(here.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch = max(2, min(recipe.batch, 128) // here.size)
    network.kernels = recipe.kernels == "triton"
    found = faster_precision(network, network.spec.resolution, network.spec.channels, batch, here.device)
    network.kernels = False
    precision = here.agree(found)
    reporter.notice(f"training in {precision}, the faster by a short measurement")
    return replace(recipe, precision=precision)
