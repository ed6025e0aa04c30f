"""bf16 artifacts as users get them: how far from float32 they are, on every level, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import DataPack, make_model
from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import decode
from depthwise.errors import Refused
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import ON_PROCESSORS, PRECISIONS
from tools.emitted import predefined

SHIPPED = Path(__file__).parents[2] / "src" / "depthwise" / "shipped"
# Largest difference of a logit, relative to the largest logit of the image.
NEAR = 2e-2

Doubles = NDArray[np.float64]


def centred(values: NDArray[np.floating]) -> Doubles:
    """Logits less their mean: all that probabilities tell of them."""
    return np.asarray(values.astype(np.float64) - values.mean(axis=-1, keepdims=True, dtype=np.float64))


def pixels_of(model: Model, artifact: Artifact) -> NDArray[np.uint8]:
    """The photo that comes along, cut at four corners and as a whole."""
    photo = decode(SHIPPED / "photo.jpg")
    H, W = (side * 3 // 4 for side in photo.shape[:2])
    frames = [photo, photo[:H, :W], photo[-H:, :W], photo[:H, -W:], photo[-H:, -W:]]
    return np.stack([artifact.prepare(np.ascontiguousarray(frame)) for frame in frames])


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(SHIPPED / "everyday-200")


@pytest.mark.parametrize("cpu", ["bf16", "avx512", "portable"])
def test_logits_of_photos_are_near_those_of_float32(
    cpu: str, model: Model, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    level = next(level for level in LEVELS if level.name == cpu)
    if not level.machine.features <= predefined(zig):
        pytest.skip(f"this processor is no {cpu}; its artifact is not run")
    built = compile_model(model, target="host", out=tmp_path / "model.so", cpu=cpu, precision="bf16")
    with Artifact.open(built.path) as artifact:
        pixels = pixels_of(model, artifact)
        expected = reference.run(model, pixels)
        found = centred(np.log(np.stack([artifact.run(image) for image in pixels])))
        off = np.abs(found - centred(expected.logits)).max(axis=1) / np.abs(expected.logits).max(axis=1)

        assert off.max() <= NEAR
        assert (found.argmax(axis=1) == expected.logits.argmax(axis=1)).all()
        assert artifact.record["precision"] == "bf16"
        assert 0 < artifact.verify() <= NEAR


def test_weights_take_half_the_bytes_of_float32(model: Model, tmp_path: Path) -> None:
    sizes = [
        compile_model(model, target="source", out=tmp_path / precision, precision=precision).weight_bytes
        for precision in ON_PROCESSORS
        if PRECISIONS[precision].model == "float32"
    ]
    assert 0.5 < sizes[1] / sizes[0] < 0.53


def test_an_int8_model_has_no_bf16(tmp_path: Path) -> None:
    int8 = random_quantized(Spec(width=0.25, resolution=32, classes=3))
    with pytest.raises(Refused, match="an int8 model, which cannot be compiled to bf16"):
        compile_model(int8, target="host", out=tmp_path / "model.so", precision="bf16")


def test_a_weight_too_large_for_bf16_is_refused_by_layer(tmp_path: Path) -> None:
    model = make_model()
    weights = dict(model.weights)
    weights["classifier.weight"] = np.full_like(weights["classifier.weight"], 3.4e38)
    with pytest.raises(Refused, match="layer classifier: a weight does not fit into bf16; compile to float32"):
        compile_model(model.replace(weights=weights), target="host", out=tmp_path / "model.so", precision="bf16")


@pytest.mark.slow
def test_labels_of_ten_thousand_images_are_those_of_float32(model: Model, data_pack: DataPack, tmp_path: Path) -> None:
    files = sorted((data_pack("tiny-imagenet") / "val").glob("*/*"))
    opened = [
        Artifact.open(compile_model(model, target="host", out=tmp_path / f"{p}.so", precision=p).path)
        for p in ("float32", "bf16")
    ]
    same, near = [], []
    for file in files:
        pixels = opened[0].prepare(decode(file))
        one, other = (artifact.run(pixels) for artifact in opened)
        size = np.abs(
            opened[0].features(pixels) @ model.weights["classifier.weight"].T + model.weights["classifier.bias"]
        )
        same.append(one.argmax() == other.argmax())
        near.append(np.abs(centred(np.log(one)) - centred(np.log(other))).max() / size.max())
    print(
        f"{len(files)} images: same label {np.mean(same):.4f}, logits within {np.mean(near):.4f} on average,"
        f" {np.quantile(near, 0.99):.4f} in 99 of 100, {max(near):.4f} in all"
    )
    assert len(files) == 10_000
    assert np.mean(same) >= 0.99
    assert max(near) <= NEAR
