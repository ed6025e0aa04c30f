"""Google's networks, read to float weights and quantised again, against the runtime that runs them as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from depthwise.data.store import square
from depthwise.edge.decoding import decode
from depthwise.interop.tflite import format as tflite
from depthwise.network import reference_int8
from depthwise.network.model import Model
from depthwise.quantize.quantize import quantize

DataPack = Callable[[str], Path]


def prepared(model: Model, files: Sequence[Path]) -> np.ndarray:
    """Images as the model takes them."""
    return np.stack([square(decode(file, channels=3), model.preprocessing) for file in files])


def calibration(data_pack: DataPack) -> list[Path]:
    """Pictures of things of all kinds, none of them among the photos: small ones, sharp ones, ones of odd sizes."""
    packs = (
        ("tiny-imagenet", "train/*/*.webp", 128, 0),
        ("clothing", "train/*/*.jpg", 128, 0),
        ("odd-sizes", "*.j*", 60, 1),
    )
    found: list[Path] = []
    for name, pattern, count, seed in packs:
        files = sorted(data_pack(name).glob(pattern))
        found += [files[index] for index in np.random.default_rng(seed).permutation(len(files))[:count]]
    return [found[index] for index in np.random.default_rng(5).permutation(len(found))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.5_160_quant", "mobilenet_v1_0.75_192_quant"]
)
def test_googles_networks_quantised_again_name_the_same_photos(
    real_file: Callable[[str], Path], litert: Callable[..., np.ndarray], data_pack: DataPack, name: str
) -> None:
    path = real_file(f"{name}.tflite")
    model = tflite.read(path)
    photos = prepared(model, sorted(data_pack("photos").glob("*.*")))
    done = quantize(model, prepared(model, calibration(data_pack)))
    ours = reference_int8.run(done.model, photos).logits.argmax(axis=1)
    theirs = litert(path, photos, kernels="BUILTIN_WITHOUT_DEFAULT_DELEGATES").argmax(axis=1)
    assert len(photos) == 50
    assert (ours == theirs).sum() >= 46
