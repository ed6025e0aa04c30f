"""What is measured: a model, in the form in which every peer gets it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.bench.peers import Pixels
from depthwise.bench.plain_int8 import plain_int8
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec
from depthwise.network.weights import random_weights
from depthwise.precision import PRECISIONS, Precision

# Images on which answers are compared: the golden ones, and as many of soft random spots.
IMAGES = 8
# Logits of random weights are nearly equal; so much larger they give answers that can be told apart.
_SHARPER = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """One network to measure.

    Attributes:
        name: what it is called in tables.
        model: its weights; the scale of pixels is in the first layer's, so that no peer has to multiply.
        precision: what is computed in.
        notes: what a reader of the figures must know of it.
        keep_dead: compute channels too that provably never change, as all peers do.
    """

    name: str
    model: Model | QuantizedModel
    precision: Precision
    notes: tuple[str, ...] = ()
    keep_dead: bool = False


def subject(name: str, model: Model | QuantizedModel, precision: Precision | None = None) -> Subject:
    """A model in the precision that is asked for, or its own.

    A float model becomes int8 without calibration: its times are those of any int8 network of its shape.

    Raises: Refused, when an int8 model is asked for in another precision, or a float one needs calibration.
    """
    wanted = precision or model.precision
    if isinstance(model, QuantizedModel):
        if wanted != model.precision:
            raise Refused(f"{name}: is an {model.precision} model, which has no {wanted}; leave --precision away")
        return Subject(name=name, model=model, precision=wanted)
    scaled = _with_scale_inside(model)
    if PRECISIONS[wanted].model == model.precision:
        return Subject(name=name, model=scaled, precision=wanted)
    note = "made int8 without calibration: good for times, not for accuracy"
    try:
        return Subject(name=name, model=plain_int8(scaled), precision=wanted, notes=(note,))
    except Refused as refusal:
        raise Refused(f"{name}: {refusal}") from None


def random_subject(spec: Spec, precision: Precision) -> Subject:
    """A network with random weights, all of it computed: what random weights leave out says nothing of trained ones."""
    weights = random_weights(spec)
    weights["classifier.weight"] *= _SHARPER
    model = Model(
        spec=spec,
        weights=weights,
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )
    found = subject(f"{spec.width:g}-{spec.resolution}", model, precision)
    return dataclasses.replace(found, notes=("random weights", *found.notes), keep_dead=True)


def comparison_images(spec: Spec) -> Pixels:
    """(8, H, W, C) images; the last is the one that is timed."""
    from depthwise.compiler.lower import golden

    return np.concatenate([golden.images(spec), _spots(spec, IMAGES - golden.CASES, seed=1)])


def write_images(images: Pixels, path: Path) -> None:
    """Where workers find them."""
    np.save(path, images)


def _with_scale_inside(model: Model) -> Model:
    scale = np.array(model.preprocessing.scale, np.float32)
    weight = model.weights["conv_stem.weight"] * scale[None, :, None, None]
    pixels = dataclasses.replace(model.preprocessing, scale=(1.0,) * len(scale))
    return model.replace(weights={**model.weights, "conv_stem.weight": weight}, preprocessing=pixels)


def _spots(spec: Spec, count: int, seed: int) -> Pixels:
    """Soft spots of random colours with a little noise, each image unlike the others."""
    rng = np.random.default_rng(seed)
    side, C = spec.resolution, spec.channels
    small = rng.uniform(0, 255, (count, 7, 7, C))
    at = np.linspace(0, 5.999, side)
    low, part = at.astype(int), (at % 1)[None, :, None, None]
    rows = small[:, low] * (1 - part) + small[:, low + 1] * part
    part = part.transpose(0, 2, 1, 3)
    whole = rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part
    return np.clip(whole + rng.normal(0, 8, whole.shape), 0, 255).astype(np.uint8)
