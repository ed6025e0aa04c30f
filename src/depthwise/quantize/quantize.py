"""A float model and calibration images to an int8 model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.reference import check_pixels
from depthwise.progress import Reporter, Silent
from depthwise.quantize.chain import Chain, Decision
from depthwise.quantize.floats import FloatNet, Pixels, together
from depthwise.quantize.options import FEWEST_IMAGES, Options
from depthwise.quantize.statistics import collect

# Candidates are measured, and biases corrected, on at most so many of the calibration images, a third of all; ranges
# come from the others, so that what they cut off is seen.
MEASURED_IMAGES = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantization:
    """An int8 model, and what was decided for each of its layers, in the order of the table."""

    model: QuantizedModel
    decisions: tuple[Decision, ...]


def quantize(
    model: Model, pixels: Pixels, options: Options | None = None, progress: Reporter | None = None
) -> Quantization:
    """Quantise a model after training.

    Args:
        pixels: (B, H, W, C) calibration images as `edge.pixels.prepare` makes them, at least 8, in no order of classes.
    Raises: Refused, when there are too few images or the model's numbers do not fit into int8 arithmetic.
    """
    options, progress = options or Options(), progress or Silent()
    check_pixels(model.spec, pixels)
    if len(pixels) < FEWEST_IMAGES:
        raise Refused(f"there are {len(pixels)} calibration images; give at least {FEWEST_IMAGES}")
    net, size = FloatNet.of(model), together(model.spec)
    measured = min(MEASURED_IMAGES, len(pixels) // 3)
    outputs = collect(net, pixels[measured:], size, progress)
    chain = Chain(net, pixels[:measured], outputs, options, size)
    progress.begin("layers", len(net.table))
    try:
        for _ in net.table:
            chain.advance()
            progress.advance()
    finally:
        progress.end()
    quantized = QuantizedModel(
        spec=model.spec,
        layers=chain.layers,
        border=chain.border,
        labels=model.labels,
        preprocessing=model.preprocessing,
        provenance={"quantized_from": dict(model.provenance), "quantization": options.to_dict()},
    )
    return Quantization(model=quantized, decisions=tuple(chain.decisions))


def sample(count: int, wanted: int, seed: int) -> list[int]:
    """Which of `count` images to calibrate with: `wanted` of them, or all, at random but the same for a seed."""
    return [int(index) for index in np.random.default_rng(seed).permutation(count)[:wanted]]
