#!/usr/bin/env python3
"""Everything that docs/cuda.md leaves to a GPU, by one command: python scripts/measure_gpu.py [--out gpu.json]

Images a second in training and in answers, ours beside PyTorch's own layers, torch.compile and TensorRT (where it is
installed); each layer's share of what the memory's bandwidth allows; and the time from the start of a process to its
first label. Prints tables and writes one JSON document. `--device cpu --tiny` goes the whole way on a small network
without a GPU, in minutes, to see that the way is there; its figures say nothing of a GPU. Needs `depthwise[all,cuda]`.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from depthwise.cloud.cuda import operators
from depthwise.cloud.cuda.features import Step, answered, folded
from depthwise.cloud.cuda.graph import Graphs
from depthwise.cloud.cuda.support import what_is_missing
from depthwise.cloud.module import Network
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import ACTIVATIONS, Spec

BATCHES, TINY_BATCHES = (1, 32, 256, 1024), (2,)
SEED = 0
# Rounds in which every way is timed once, one after the other, so that what else the machine does slows all alike.
ROUNDS = 7
# The process of a first label, for each way; what is timed ends with the line that it prints.
FIRST = """
import sys, torch
from depthwise.cloud.module import to_network, normalise
from depthwise.network.model import Model
from pathlib import Path
device, way, folder = sys.argv[1:]
model = Model.load(Path(folder))
network = to_network(model).to(device)
network.kernels = way == "ours"
if way == "compiled":
    network = torch.compile(network)
pixels = torch.zeros((1, model.spec.resolution, model.spec.resolution, model.spec.channels), dtype=torch.uint8)
with torch.inference_mode():
    print(int(network(normalise(pixels.to(device), model.preprocessing)).argmax()), flush=True)
"""


@dataclass(frozen=True)
class Place:
    """Where is measured, and how.

    Attributes:
        device: "cuda" or "cpu".
        seconds: that one timing takes at the least.
        narrow: the type that is computed in.
    """

    device: torch.device
    seconds: float
    narrow: torch.dtype

    @property
    def is_gpu(self) -> bool:
        """Whether the figures are worth anything."""
        return self.device.type == "cuda"

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.is_gpu:
            torch.cuda.synchronize()

    def seconds_of(self, work: Callable[[], object]) -> float:
        """Seconds of one piece of work, of as many as fill the time."""
        count, passed = 1, 0.0
        while passed < self.seconds:
            count = count if not passed else max(count + 1, min(count * 10, int(count * self.seconds / passed * 1.2)))
            self.wait()
            start = time.perf_counter()
            for _ in range(count):
                work()
            self.wait()
            passed = time.perf_counter() - start
        return passed / count

    def medians(self, ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
        """Median seconds of each way, all in turns."""
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, work in ways.items():
                found[name].append(self.seconds_of(work))
        return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    """Measure what is asked for; the exit code."""
    asked = arguments()
    if asked.floor:
        show_floor(Spec())
        return 0
    missing = what_is_missing() if asked.device == "cuda" else ""
    if missing:
        print(f"no GPU is measured here: {missing}; `--device cpu --tiny` shows the way without one", file=sys.stderr)
        return 2
    device = torch.device(asked.device)
    place = Place(device, 0.005 if asked.tiny else 0.3, torch.bfloat16 if device.type == "cuda" else torch.float32)
    spec = Spec(width=0.25, resolution=32, classes=5) if asked.tiny else Spec()
    batches, rounds = (TINY_BATCHES, 1) if asked.tiny else (BATCHES, ROUNDS)
    found: dict[str, Any] = {"where": where(place), "bandwidth": bandwidth(place, asked.tiny)}
    show("where", found["where"])
    parts: dict[str, Callable[[], Any]] = {
        "training": lambda: [training(place, spec, batch, rounds) for batch in batches],
        "answers": lambda: [answers(place, spec, batch, rounds, asked.tiny) for batch in batches],
        "layers": lambda: per_layer(place, spec, batches[-1] if asked.tiny else 256, found["bandwidth"], rounds),
        "first": lambda: first_labels(place, spec, 1 if asked.tiny else 5),
    }
    for name, part in parts.items():
        found[name] = part()
        show(name, found[name])
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written: {asked.out}", file=sys.stderr)
    return 0


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a small network and one round of everything")
    parser.add_argument("--floor", action="store_true", help="print the bytes that an image must move, and end")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="the JSON document to write")
    return parser.parse_args()


def show_floor(spec: Spec) -> None:
    """Bytes that one image moves at the least in 16 bits, by layer of kinds and by what is one kernel."""
    rows = [layer for layer in layers(spec) if layer.norm]
    sizes = {
        kind: 2 * sum(r.input.size + r.output.size for r in rows if r.kind == kind)
        for kind in ("depthwise", "pointwise")
    }
    stem = 2 * (rows[0].input.size + rows[0].output.size)
    forward, outputs = stem + sum(sizes.values()), 2 * sum(row.output.size for row in rows)
    blocks = 2 * sum(a.input.size + b.output.size for a, b in zip(rows[1::2], rows[2::2], strict=True))
    # Of the output its gradient and itself are read, and of the input itself is read and its gradient written; twice,
    # but for that gradient, where the weights' gradient is a kernel of its own. The stem's input has no gradient.
    times = {"stem": (1, 2), "depthwise": (2, 2), "pointwise": (3, 4)}
    backward = 2 * sum(times[r.kind][0] * r.input.size + times[r.kind][1] * r.output.size for r in rows)
    figures = {
        "stem": stem,
        "depthwise layers": sizes["depthwise"],
        "pointwise layers": sizes["pointwise"],
        "forward pass in training, each convolution one kernel": forward,
        "the same where a kernel each takes moments, and normalises and activates": forward + 3 * outputs,
        "backward pass in training": backward,
        "answers, each block one kernel": stem + blocks,
    }  # fmt: skip
    for name, size in figures.items():
        print(f"| {name} | {size / 1e6:.2f} |")


def where(place: Place) -> dict[str, str]:
    """What the figures depend on."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}
    if place.is_gpu:
        import triton

        found |= {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda), "triton": triton.__version__}
    return found


def bandwidth(place: Place, tiny: bool) -> float:
    """Bytes a second that a copy of a large tensor moves, read and written: what the floor of a layer is taken by."""
    source = torch.empty(2**20 if tiny else 2**30, dtype=torch.uint8, device=place.device)
    target = torch.empty_like(source)
    return 2 * source.numel() / place.seconds_of(lambda: target.copy_(source))


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


def rates(place: Place, ways: Mapping[str, Callable[[], object]], batch: int, rounds: int) -> dict[str, Any]:
    """Images a second of each way."""
    medians = place.medians(ways, rounds)
    return {"batch": batch, "images/s": {name: batch / seconds for name, seconds in medians.items()}}


def add_tensorrt(ways: dict[str, Callable[[], object]], spec: Spec, batch: int) -> list[str]:
    """Add TensorRT's answers, int8 from the ONNX file with Q and DQ that we write; what is said where it cannot be."""
    try:
        ways["TensorRT, int8"] = tensorrt_of(spec, batch)
    except ImportError as missing:
        return [f"TensorRT is left out: {missing.name} is not installed; run: pip install tensorrt"]
    except RuntimeError as problem:
        return [f"TensorRT is left out: {problem}"]
    return []


def random_model(spec: Spec) -> Model:
    """A model folder's content with random weights."""
    return Model(
        spec=spec,
        weights=random_weights(spec),
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


def tensorrt_of(spec: Spec, batch: int) -> Callable[[], object]:
    """An engine of the quantised network.

    Raises: ImportError, without TensorRT; RuntimeError, where it takes the file not.
    """
    import numpy as np
    import tensorrt as trt

    from depthwise.interop.formats import write
    from depthwise.quantize.quantize import quantize

    size = (8, spec.resolution, spec.resolution, spec.channels)
    pixels = np.random.default_rng(SEED).integers(0, 256, size, dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        write(quantize(random_model(spec), pixels).model, Path(folder) / "int8.onnx")
        content = (Path(folder) / "int8.onnx").read_bytes()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(content):
        raise RuntimeError(str(parser.get_error(0)))
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    shape = (batch, spec.channels, spec.resolution, spec.resolution)
    profile.set_shape(network.get_input(0).name, shape, shape, shape)
    config.add_optimization_profile(profile)
    engine = trt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context = engine.create_execution_context()
    x = torch.randn(shape, device="cuda")
    out = torch.empty((batch, spec.classes), device="cuda")
    context.set_input_shape(network.get_input(0).name, shape)
    context.set_tensor_address(network.get_input(0).name, x.data_ptr())
    context.set_tensor_address(network.get_output(0).name, out.data_ptr())
    return lambda: context.execute_async_v3(torch.cuda.current_stream().cuda_stream)


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


def first_labels(place: Place, spec: Spec, starts: int) -> dict[str, float]:
    """Median seconds from the start of a process to its first label."""
    found: dict[str, list[float]] = {"eager": [], "ours": [], **({"compiled": []} if place.is_gpu else {})}
    with tempfile.TemporaryDirectory() as folder:
        random_model(spec).save(Path(folder) / "model")
        for _ in range(starts):
            for way, times in found.items():
                start = time.perf_counter()
                command = [sys.executable, "-c", FIRST, place.device.type, way, str(Path(folder) / "model")]
                subprocess.run(command, check=True, capture_output=True)
                times.append(time.perf_counter() - start)
    return {way: statistics.median(times) for way, times in found.items()}


def show(name: str, found: Any) -> None:
    """Print one part as lines."""
    print(f"\n{name}")
    for row in found if isinstance(found, list) else [found]:
        cells = [f"{key} {shown(value)}" for key, value in row.items() if value not in ([], "")]
        print("  " + "  ".join(cells), flush=True)


def shown(value: Any) -> str:
    """A figure, or several by name."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {shown(one)}" for key, one in value.items())
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


if __name__ == "__main__":
    sys.exit(main())
