"""int8 artifacts as users get them: the oracle's answers to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler import Built, compile_model
from depthwise.compiler.lower.lower import lower
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import prepare
from depthwise.errors import Unmet
from depthwise.network import reference_int8
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import predefined

SPEC = Spec(width=0.25, resolution=33, classes=5, shallow=True)


@pytest.fixture(scope="module")
def model() -> QuantizedModel:
    return random_quantized(SPEC, seed=1, hidden_zero_points=True, rounded=True).replace(accuracy={"top1": 0.5})


@pytest.fixture(scope="module")
def built(model: QuantizedModel, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return compile_model(model, target="host", out=tmp_path_factory.mktemp("built") / "model.so")


def pixels_of(images: int = 3) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (images, SPEC.resolution, SPEC.resolution, 3), np.uint8)


def test_features_are_those_of_the_oracle_to_the_last_bit_and_so_are_golden_logits(
    model: QuantizedModel, built: Built
) -> None:
    pixels = pixels_of()
    expected = reference_int8.run(model, pixels)
    with Artifact.open(built.path) as artifact:
        assert artifact.verify() == 0
        for image, probabilities, features in zip(pixels, expected.probabilities, expected.features, strict=True):
            assert artifact.features(image).tolist() == features.tolist()
            assert artifact.run(image) == pytest.approx(probabilities, abs=1e-6)


def test_its_record_says_int8_and_what_it_takes(model: QuantizedModel, built: Built, zig: tuple[str, ...]) -> None:
    weights = sum(layer.weight.size for layer in model.layers.values())
    with Artifact.open(built.path) as artifact:
        assert artifact.record["precision"] == "int8"
        assert artifact.record["accuracy"] == {"top1": 0.5}
        assert artifact.record["cost"]["weight_bytes"] == built.weight_bytes
        assert artifact.arena_bytes == built.arena_bytes
    # A factor takes a byte, and two for AVX2 without VNNI, which multiplies numbers of 16 bits.
    has = predefined(zig)
    factor = 2 if "__AVX2__" in has and not has & {"__AVXVNNI__", "__AVX512VNNI__"} else 1
    assert built.weight_bytes < 1.25 * factor * weights


def test_a_frame_gives_what_its_prepared_pixels_give(model: QuantizedModel, built: Built) -> None:
    frame = np.random.default_rng(9).integers(0, 256, (70, 111, 3), np.uint8)
    prepared = prepare(frame, resize=model.preprocessing.resize, crop=model.preprocessing.crop)
    with Artifact.open(built.path) as artifact:
        assert (artifact.prepare(frame) == prepared).all()
        assert (artifact.classify(frame) == artifact.run(prepared)).all()


def test_the_same_model_gives_the_same_bytes(model: QuantizedModel, built: Built, tmp_path: Path) -> None:
    again = compile_model(model, target="host", out=tmp_path / "again.so")

    assert again.path.read_bytes() == built.path.read_bytes()


def test_another_processor_gives_the_same_bits(model: QuantizedModel, built: Built, tmp_path: Path) -> None:
    """All levels of a library are those of test_levels.py, other compilers those of test_compilers.py."""
    other = compile_model(model, target="host", cpu="portable", out=tmp_path / "model.so")
    with Artifact.open(built.path) as one, Artifact.open(other.path) as two:
        assert two.verify() == 0
        for image in pixels_of():
            assert one.features(image).tolist() == two.features(image).tolist()


def test_one_step_of_one_golden_logit_is_seen(
    model: QuantizedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from depthwise.compiler.lower import golden

    answers = golden.answers(model, lower(model))
    answers[3, 2] = np.nextafter(answers[3, 2], np.float32(np.inf))
    monkeypatch.setattr(golden, "answers", lambda *_: answers)
    wrong = compile_model(model, target="host", cpu="portable", out=tmp_path / "wrong.so")

    with Artifact.open(wrong.path) as artifact, pytest.raises(Unmet, match="gives an answer that differs"):
        artifact.verify()
