"""Emitted C without the channels that never change: the bytes, answers and features of the whole network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import DataPack, make_model
from depthwise.compiler import compile_model
from depthwise.compiler.account.explain import explain
from depthwise.compiler.compile import emit
from depthwise.edge.artifact import Artifact
from depthwise.kernels.machine import Machine
from depthwise.network import reference, reference_int8
from depthwise.network.layers import layers
from depthwise.network.live import live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.constants import with_constants
from tools.emitted import AVX, AVX512, NEON, SSE, bordered, named, stepper

# With whole maps at once, or a few rows of them.
NETWORKS: list[tuple[dict[str, Any], Machine, bool]] = [
    ({"resolution": 64}, AVX512, True),
    ({"resolution": 49, "channels": 1, "padding": "same"}, SSE, False),
    ({"resolution": 40, "convolution": "standard"}, AVX, False),
    ({"resolution": 70, "width": 0.35, "activation": "relu"}, NEON, True),
    ({"resolution": 70, "width": 0.35, "activation": "relu", "shallow": True}, NEON, False),
]


def images(spec: Spec) -> NDArray[np.uint8]:
    """All 0, all 255, a chequered one and noise."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    rows, columns, _ = np.indices(shape)
    noise = np.random.default_rng(5).integers(0, 256, shape)
    return np.stack([np.zeros(shape), np.full(shape, 255), (rows + columns) % 2 * 255, noise]).astype(np.uint8)


def compare(model: QuantizedModel, machine: Machine, folder: Path, zig: tuple[str, ...], *, whole_maps: bool) -> None:
    """Fail at the first step whose kept bytes, or border, are not the oracle's."""
    found, pixels = live(model), images(model.spec)
    kept = {row.layer.name: row.outputs for row in found.layers}
    oracle = reference_int8.run(model, pixels, keep=True)
    run = stepper(model, machine, folder, zig, whole_maps=whole_maps, found=found)
    steps = run.emitted.plan.steps
    assert sum(s.output.shape.channels for s in steps) < sum(r.output.channels for r in layers(model.spec))
    for number, image in enumerate(pixels):
        for index, step in enumerate(steps[:-1]):
            run.step(index, image)
            assert run.guards_hold(), step.name
            name = step.layers[-1].name
            values, border = bordered(step.output, run.bytes(step.name))
            expected = oracle.activations[name][number][..., kept[name]]
            assert np.array_equal(values[..., : expected.shape[-1]], expected), name
            assert (border == model.layers[name].zero_point).all(), name
        run.step(len(steps) - 1, image)
        logits = run.floats("classifier")[: model.spec.classes]
        assert np.array_equal(logits, oracle.logits[number])


@pytest.mark.parametrize(("fields", "machine", "whole_maps"), NETWORKS, ids=named)
def test_every_kept_byte_is_that_of_the_whole_network(
    fields: dict[str, Any], machine: Machine, whole_maps: bool, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    compare(with_constants(fields, shifted=whole_maps), machine, tmp_path, zig, whole_maps=whole_maps)


@pytest.fixture(scope="module")
def wake_words(data_pack: DataPack) -> QuantizedModel:
    tflite = pytest.importorskip(
        "depthwise.interop.tflite.format", reason="the reader of TFLite files needs depthwise[interop]"
    )
    found: QuantizedModel = tflite.read_int8(data_pack("models") / "vww_96_int8.tflite")
    return found


def test_every_kept_byte_of_the_wake_words_network_is_that_of_the_whole(
    wake_words: QuantizedModel, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    compare(wake_words, AVX512, tmp_path, zig, whole_maps=False)


def test_artifacts_with_and_without_dead_channels_answer_alike_and_say_what_they_run(
    wake_words: QuantizedModel, tmp_path: Path
) -> None:
    pixels = images(wake_words.spec)
    oracle = reference_int8.run(wake_words, pixels)
    said = []
    for keep_dead in (False, True):
        built = compile_model(wake_words, target="host", out=tmp_path / "model.so", keep_dead=keep_dead)
        with Artifact.open(built.path) as artifact:
            assert artifact.verify() == 0
            assert artifact.feature_count == 256
            for image, probabilities, features in zip(pixels, oracle.probabilities, oracle.features, strict=True):
                assert np.abs(artifact.run(image) - probabilities).max() < 1e-6
                assert np.array_equal(artifact.features(image), features)
            said.append((artifact.record["cost"], built))
    (thin, thin_built), (whole, whole_built) = said
    assert (thin["multiply_adds"], thin["live_multiply_adds"]) == (7_489_664, 3_727_313)
    assert (whole["multiply_adds"], "live_multiply_adds" in whole) == (7_489_664, False)
    assert thin["weight_bytes"] < whole["weight_bytes"] / 3
    steps = [explain(built.plan, wake_words.spec) for built in (thin_built, whole_built)]
    assert [sum(s.multiply_adds for s in each) for each in steps] == [7_489_664] * 2
    # Filled up to eights.
    assert 3_727_313 < sum(s.run_multiply_adds for s in steps[0]) < 4_000_000
    assert sum(s.run_multiply_adds for s in steps[1]) == 7_489_664


def test_features_that_never_change_are_given_with_their_values(tmp_path: Path) -> None:
    model = with_constants({"resolution": 64, "shallow": True}, shifted=True)
    pool = next(row for row in live(model).layers if row.layer.kind == "pool")
    zero = model.layers["global_pool"].zero_point
    assert (np.delete(pool.values.low, pool.outputs) != zero).any()
    pixels = images(model.spec)
    expected = reference_int8.run(model, pixels).features
    built = compile_model(model, target="host", out=tmp_path / "model.so")

    with Artifact.open(built.path) as artifact:
        assert artifact.verify() == 0
        for image, features in zip(pixels, expected, strict=True):
            assert np.array_equal(artifact.features(image), features)


def with_zeros() -> Model:
    """A float network where a third of the channels is 0 for every image."""
    model = make_model(seed=2, resolution=64, classes=4, shallow=True, labels=tuple("abcd"))
    rng, weights = np.random.default_rng(3), dict(model.weights)
    for layer in layers(model.spec):
        if layer.norm:
            shift = weights[f"{layer.norm}.bias"].copy()
            shift[rng.random(len(shift)) < 1 / 3] = -1000
            weights[f"{layer.norm}.bias"] = shift
    return model.replace(weights=weights)


# Strassen's sums of sums lose a digit where few channels are left (docs/compiler.md says by how much elsewhere).
@pytest.mark.parametrize(("strassen", "bar"), [(False, 1e-5), (True, 1e-4)])
def test_a_float_artifact_without_its_zeros_answers_as_the_oracle(tmp_path: Path, strassen: bool, bar: float) -> None:
    model = with_zeros()
    pixels = images(model.spec)
    oracle = reference.run(model, pixels)
    built = compile_model(model, target="host", out=tmp_path / "model.so", strassen=strassen)

    assert built.live_multiply_adds < 0.7 * built.multiply_adds
    with Artifact.open(built.path) as artifact:
        assert artifact.verify() < 1e-5
        for image, probabilities, features in zip(pixels, oracle.probabilities, oracle.features, strict=True):
            assert np.abs(artifact.run(image) - probabilities).max() < 1e-5
            assert np.abs(artifact.features(image) - features).max() < bar * max(1, features.max())


def test_a_network_that_loses_nothing_is_emitted_as_it_was() -> None:
    model = random_quantized(Spec(width=0.25, resolution=32, classes=5, unit_strides=(0, 2)), 2)
    found = live(model)
    texts = [
        emit(model, target_name="test", machine=SSE, found=each).model_c.split("dwl_record[]")[0]
        for each in (None, found)
    ]

    assert found.table == layers(model.spec)
    assert texts[0] == texts[1]


def test_channels_that_are_no_eights_are_filled_up_and_the_features_stay_those_of_the_network(tmp_path: Path) -> None:
    spec = Spec(width=0.1, resolution=33, classes=5, padding="keras", rounding="cut-off", shallow=True)
    model = random_quantized(spec, 1, hidden_zero_points=True, rounded=True)
    pixels = images(spec)
    oracle = reference_int8.run(model, pixels)
    built = compile_model(model, target="host", out=tmp_path / "model.so", keep_dead=True)
    with Artifact.open(built.path) as artifact:
        assert (artifact.verify(), artifact.feature_count) == (0, 102)
        for image, probabilities, features in zip(pixels, oracle.probabilities, oracle.features, strict=True):
            assert np.abs(artifact.run(image) - probabilities).max() < 1e-6
            assert np.array_equal(artifact.features(image), features)
