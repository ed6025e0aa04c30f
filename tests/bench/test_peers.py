"""Every peer's files and loaders against the oracle, on networks that are unlike the usual one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import make_model
from depthwise.bench.agreement import agreement, agrees
from depthwise.bench.peers import NAMES, OWN, PLAIN, Form, Setting, forms, is_installed, peer
from depthwise.bench.plain_int8 import plain_int8
from depthwise.bench.subject import comparison_images, subject
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.quantized import QuantizedModel

ALL = (OWN, PLAIN, *NAMES)


def unusual() -> Model:
    """Odd size, TensorFlow's padding, a mean and a scale for each colour, plain ReLU."""
    model = make_model(resolution=45, padding="same", activation="relu", shallow=True, labels=list("abcdefgh"))
    pixels = Preprocessing(resize=51, crop=45, mean=(120.0, 100.5, 90.0), scale=(1 / 60, 1 / 50, 1 / 70))
    return model.replace(preprocessing=pixels)


def answers(name: str, model: Model | QuantizedModel, folder: Path, form: Form) -> np.ndarray:
    if not is_installed(name):
        pytest.skip(f"{name} is not installed")
    path = peer(name).write(model, form, folder)
    mean = model.preprocessing.mean
    runner = peer(name).load(path, Setting(precision=form.precision, threads=1, mean=mean))
    found = []
    for image in comparison_images(model.spec):
        runner.convert(image)
        runner.run()
        found.append(runner.answer())
    return np.array(found, np.float64)


@pytest.mark.parametrize("name", ALL)
def test_every_peer_gives_the_oracles_answers_in_float(name: str, tmp_path: Path) -> None:
    model = unusual()
    expected = reference.run(model, comparison_images(model.spec)).probabilities
    given = subject("m", model).model

    found = answers(name, given, tmp_path, forms(name, "float32", keep_dead=True)[0])
    assert np.abs(found - expected).max() < 2e-5


@pytest.mark.parametrize("name", ALL)
def test_every_peer_gives_the_oracles_answers_of_a_grey_network(name: str, tmp_path: Path) -> None:
    model = make_model(channels=1, shallow=True, labels=list("abcd"))
    expected = reference.run(model, comparison_images(model.spec)).probabilities

    found = answers(name, subject("m", model).model, tmp_path, forms(name, "float32", keep_dead=True)[0])
    assert np.abs(found - expected).max() < 2e-5


INT8 = [(name, form) for name in ALL for form in peer(name).FORMS if form.precision == "int8"]


@pytest.mark.parametrize(("name", "form"), INT8, ids=lambda value: getattr(value, "name", value))
def test_every_form_of_int8_gives_the_oracles_answers(name: str, form: Form, tmp_path: Path) -> None:
    model = make_model(shallow=True, labels=list("abcdefgh"))
    model.weights["classifier.weight"][:] *= 4
    quantized = plain_int8(model)
    expected = reference_int8.run(quantized, comparison_images(quantized.spec)).probabilities

    near = agreement(answers(name, quantized, tmp_path, form), expected)
    assert agrees(near, "int8"), near


def test_int8_without_calibration_is_near_its_float_model_layer_by_layer() -> None:
    model = subject("m", make_model(resolution=32, labels=list("abcdefgh"))).model
    assert isinstance(model, Model)
    images = comparison_images(model.spec)[-2:]
    quantized = plain_int8(model)
    expected = reference.run(model, images, keep=True).activations
    found = reference_int8.run(quantized, images, keep=True).activations

    step = 6 / 255
    assert np.abs(found["conv_stem"] * step - expected["conv_stem"]).max() < 2 * step
    # Further on roundings add up.
    assert np.abs(found["blocks.0.0.conv_dw"] * step - expected["blocks.0.0.conv_dw"]).max() < 4 * step
    mean = found["blocks.4.1.conv_pw"].mean(axis=(1, 2), keepdims=True)
    assert np.abs(found["global_pool"] - mean).max() <= 0.5


def test_scale_goes_into_the_first_weights_and_no_answer_changes() -> None:
    model = unusual()
    scaled = subject("m", model).model
    assert isinstance(scaled, Model)
    images = comparison_images(model.spec)

    assert scaled.preprocessing.scale == (1.0, 1.0, 1.0)
    difference = reference.run(model, images).probabilities - reference.run(scaled, images).probabilities
    assert np.abs(difference).max() < 1e-6


def test_comparison_images_are_eight_and_no_two_alike() -> None:
    images = comparison_images(make_model().spec)

    assert images.shape == (8, 32, 32, 3)
    assert len({image.tobytes() for image in images}) == 8
