"""Trainings that start from the weights of another model, some epochs of them with all but the classifier frozen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from depthwise.cloud import checkpoint
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.errors import Refused
from depthwise.network.model import Model

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_frozen_epochs_leave_all_but_the_classifier_byte_for_byte(
    ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model], average: float
) -> None:
    """Batch statistics included, over more than one epoch, since each ends with a validation."""
    source = small_model(labels=("cat", "dog", "owl"), shallow=True)
    data = image_folder(classes=("ant", "bee"), images=12)
    request = ask(data, epochs=3, frozen=3, average=average, extra={"pretrained": source})

    model = train(request, heard)
    assert isinstance(model, Model)

    # The network at the end, since the best epoch may be the first, before a mistake shows.
    last = load_file(request.run_folder / checkpoint.NAME)
    assert (model.weights["classifier.weight"] != source.weights["classifier.weight"][:2]).any()
    for name, array in source.weights.items():
        if not name.startswith("classifier."):
            assert array.tobytes() == model.weights[name].tobytes(), name
            assert array.tobytes() == last[f"/network/{name}"].tobytes(), name
    assert "starting from the weights of a network of 3 classes, with a new classifier" in heard.notices


def test_after_the_frozen_epochs_everything_is_trained(
    ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model]
) -> None:
    source = small_model(labels=("cat", "dog"), shallow=True)
    request = ask(image_folder(images=12), epochs=2, frozen=1, warmup=0.0, extra={"pretrained": source})

    train(request, heard)

    # The network at the end, since the best epoch may be the first.
    last = load_file(request.run_folder / checkpoint.NAME)
    assert all((array != last[f"/network/{name}"]).any() for name, array in source.weights.items())
    assert "starting from the weights of a network of 2 classes, its classifier included" in heard.notices


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"width": 0.5, "shallow": False}, "conv_stem.weight needs .* and is .*; train with the width 0.25"),
        ({"shallow": True}, r"blocks\.3\.1\.conv_dw\.weight has no place in this network"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    ask: Ask,
    image_folder: ImageFolder,
    heard: Any,
    small_model: Callable[..., Model],
    fields: dict[str, Any],
    sentence: str,
) -> None:
    request = ask(image_folder(images=6), spec=fields, extra={"pretrained": small_model()})

    with pytest.raises(Refused, match=sentence):
        train(request, heard)
