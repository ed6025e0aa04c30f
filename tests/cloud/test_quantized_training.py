"""Training in int8: what is kept, what is refused, and that the model folder computes what training measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from depthwise.cli.main import cli
from depthwise.cloud import checkpoint
from depthwise.cloud.quantized_module import QuantizedNetwork
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.data.folder import read_folder
from depthwise.data.store import evaluation_store
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.reference_int8 import run
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import quantize, sample
from tools.trainings import together

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]
SmallModel = Callable[..., Model]

# What is quickest: here it matters only that it is the same everywhere.
FEW = Options(images=8, rounding="nearest", ranges="minmax", equalise=False, correct_bias=False)


@pytest.fixture
def asked(ask: Ask, image_folder: ImageFolder, small_model: SmallModel) -> Callable[..., Request]:
    """A training in int8, from a float model with random weights and the same classes."""
    data = image_folder(images=20, splits=("train", "val"))
    source = small_model(labels=("cat", "dog"), shallow=True)

    def make(*, extra: dict[str, Any] | None = None, **settings: Any) -> Request:
        fields = {"pretrained": source, "quantize": FEW, **(extra or {})}
        return ask(data, extra=fields, **{"epochs": 1, "rate": 1e-3, "warmup": 0.0, **settings})

    return make


@pytest.fixture
def validated() -> Iterator[list[np.ndarray]]:
    """The logits of every int8 network that is measured, while it is: those of 40 validation images a time."""
    found: list[np.ndarray] = []

    def look(module: torch.nn.Module, _: Any, output: Any) -> None:
        if isinstance(module, QuantizedNetwork) and not torch.is_grad_enabled() and len(output) == 40:
            found.append(output.numpy().copy())

    handle = torch.nn.modules.module.register_module_forward_hook(look)
    yield found
    handle.remove()


def pixels_of(request: Request, split: str) -> np.ndarray:
    items = getattr(read_folder(request.data), split)
    store = evaluation_store(items, request.preprocessing, tick=lambda: None)
    return store.batch(range(len(store)))


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_folder_gives_the_very_logits_that_validation_computed(
    asked: Callable[..., Request], heard: Any, validated: list[np.ndarray], average: float
) -> None:
    request = asked(epochs=4, average=average)

    train(request, heard)

    model = QuantizedModel.load(request.out)
    kept = model.provenance["epochs"]
    assert len(validated) == 5  # the start, and four epochs
    assert kept > 0
    assert any((validated[0] != validated[kept]).flat)
    assert np.array_equal(run(model, pixels_of(request, "validation")).logits, validated[kept])


def test_it_starts_from_what_quantize_makes_of_the_float_model(
    asked: Callable[..., Request], heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps that where no epoch is better."""
    figures = {"validation_loss": 100.0, "top1": 0.0, "top5": 1.0}
    monkeypatch.setattr("depthwise.cloud.train.validate", lambda *_, **__: figures)
    request = asked()

    train(request, heard)

    pixels = pixels_of(request, "train")
    assert request.pretrained is not None
    expected = quantize(request.pretrained, pixels[sample(len(pixels), 8, 0)], FEW).model
    model = QuantizedModel.load(request.out)
    assert model.provenance["epochs"] == 0
    for name, layer in expected.layers.items():
        for kind in ("weight", "bias", "multiplier", "scale"):
            assert np.array_equal(getattr(layer, kind), getattr(model.layers[name], kind)), f"{name}.{kind}"
    start = model.provenance["quantization"]["int8"]
    assert model.accuracy["validation"] == {"top1": start["top1"], "top5": start["top5"], "images": 40}


def test_an_epoch_is_kept_where_it_is_better_than_the_start(
    asked: Callable[..., Request], heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = iter((0.5, 0.9, 0.7))
    monkeypatch.setattr(
        "depthwise.cloud.train.validate", lambda *_, **__: {"validation_loss": 1, "top1": next(played), "top5": 1}
    )

    assert train(asked(epochs=3), heard).provenance["epochs"] == 2


def test_early_stopping_counts_from_the_start(
    asked: Callable[..., Request], heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"validation_loss": 100.0, "top1": 0.0, "top5": 1.0}
    monkeypatch.setattr("depthwise.cloud.train.validate", lambda *_, **__: figures)
    request = asked(epochs=20, patience=3)

    train(request, heard)

    lines = [json.loads(line) for line in (request.run_folder / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", *["epoch"] * 3, "end"]
    assert lines[-1]["epoch"] == 0


def test_the_model_says_what_it_was_in_float_and_before_training(
    asked: Callable[..., Request], heard: Any, image_folder: ImageFolder
) -> None:
    model = train(asked(), heard)

    assert isinstance(model, QuantizedModel)
    quantization = model.provenance["quantization"]
    assert quantization["calibration_images"] == 8
    named = {"validation_images", "validation_loss", "top1", "top5"}
    assert set(quantization["float"]) == set(quantization["int8"]) == named
    assert model.provenance["recipe"]["precision"] == "float32"
    assert f"quantised: validation top-1 {quantization['int8']['top1']:.2%}" in heard.text


def test_a_machine_that_adds_inexactly_is_refused(
    asked: Callable[..., Request], heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = QuantizedNetwork.forward
    monkeypatch.setattr(QuantizedNetwork, "forward", lambda self, x: forward(self, x) * (1 + 2**-22))

    with pytest.raises(Refused, match="adds whole numbers inexactly"):
        train(asked(), heard)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"extra": {"pretrained": None}}, "goes on from a float model; give one by --pretrained"),
        ({"spec": {"unit_strides": (0,)}}, "keeps the network of the float model"),
        ({"precision": "bfloat16"}, "bfloat16 does not go with --quantize"),
        ({"spec": {"resolution": 64}, "small": 32, "epochs": 2}, "pictures of one size, here 64 pixels"),
        ({"spec": {"resolution": 64}, "side": 56}, "pictures of one size, here 64 pixels"),
        ({"extra": {"quantize": replace(FEW, images=100)}}, None),
    ],
)
def test_what_int8_cannot_do_is_refused(
    asked: Callable[..., Request], heard: Any, settings: dict[str, Any], sentence: str | None
) -> None:
    if sentence is None:
        # More calibration images than there are is no mistake.
        assert train(asked(**settings), heard).provenance["quantization"]["calibration_images"] == 40
        return
    with pytest.raises(Refused, match=sentence):
        train(asked(**settings), heard)


@pytest.mark.parametrize(
    ("labels", "reason"), [(("cat", "eel"), "'dog' is a class of only one"), (("dog", "cat"), "their order differs")]
)
def test_other_classes_are_refused(
    asked: Callable[..., Request], heard: Any, small_model: SmallModel, labels: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(Refused, match=f"not the labels of the float model.*{reason}.*without --quantize first"):
        train(asked(extra={"pretrained": small_model(labels=labels, shallow=True)}), heard)


def test_a_run_in_float_is_not_resumed_in_int8_nor_the_other_way_round(
    asked: Callable[..., Request], heard: Any
) -> None:
    train(asked(), heard)

    with pytest.raises(Refused, match="but --quantize is another one; repeat the same command"):
        train(asked(extra={"quantize": None, "resume": True}), heard)


def test_a_checkpoint_without_its_start_is_refused(asked: Callable[..., Request], heard: Any) -> None:
    request = asked()
    train(request, heard)
    path = request.run_folder / checkpoint.NAME
    state = checkpoint.decode(path.read_bytes(), path)
    del state["start"]["layers"]["classifier"]["bias"]
    checkpoint.save(request.run_folder, state)

    with pytest.raises(Refused, match="has no int8 network to go on from; remove it"):
        train(asked(extra={"resume": True}), heard)


def depthwise(*arguments: object) -> Result:
    """The command, in this process: in others PyTorch is loaded for seconds each time."""
    return CliRunner().invoke(cli, list(map(str, arguments)), standalone_mode=False)


@pytest.mark.usefixtures("undrawn")
def test_the_command_goes_from_float_to_int8_to_figures(
    image_folder: ImageFolder, small_model: SmallModel, tmp_path: Path
) -> None:
    data = image_folder(images=20, splits=("train", "test"))
    source = small_model(labels=("cat", "dog"), shallow=True)
    own = replace(source.preprocessing, resize=33, mean=(100, 90, 80))
    source.replace(preprocessing=own).save(tmp_path / "float")
    start = ("train", data, "--out", tmp_path / "int8", "--quantize", "--epochs", 1, "--batch", 8)

    done = depthwise(*start, "--pretrained", tmp_path / "float", "--json")

    assert done.exception is None, done.stderr
    found = json.loads(done.stdout)
    model = QuantizedModel.load(tmp_path / "int8")
    # The float model's own pixels, since the weights are not trained for others.
    assert (model.preprocessing.resize, model.preprocessing.mean) == (33, (100, 90, 80))
    assert found["provenance"]["recipe"]["rate"] == 1e-4
    measured = depthwise("evaluate", tmp_path / "int8", data, "--json")
    assert json.loads(measured.stdout)["top1"]["share"] == found["accuracy"]["test"]["top1"]
    for given, text in (
        ((), "--quantize goes on from a float model; give one by --pretrained"),
        (("--pretrained", tmp_path / "int8"), "is an int8 model, and training starts from float weights"),
        (("--pretrained", tmp_path / "float", "--width", "0.5"), "--width: --quantize keeps the network"),
    ):
        done = depthwise(*start, *given)
        assert isinstance(done.exception, Refused)
        assert done.stdout == ""
        assert text in str(done.exception)


@pytest.mark.usefixtures("undrawn")
def test_several_processes_train_one_int8_model(
    image_folder: ImageFolder, small_model: SmallModel, tmp_path: Path
) -> None:
    data = image_folder(images=20, splits=("train", "val"))
    small_model(labels=("cat", "dog"), shallow=True).save(tmp_path / "float")
    settings = ["--quantize", "--epochs", "2", "--batch", "8", "--rate", "0.003", "--warmup", "0"]

    done = together(2, "train", data, "--out", tmp_path / "int8", "--pretrained", tmp_path / "float", *settings)

    assert [end.returncode for end in done] == [0, 0], done[0].stderr + done[1].stderr
    model = QuantizedModel.load(tmp_path / "int8")
    assert model.provenance["processes"] == 2
    items = read_folder(data).validation
    store = evaluation_store(items, model.preprocessing, tick=lambda: None)
    expected = run(model, store.batch(range(40))).logits.argmax(axis=1) == store.labels
    assert model.accuracy["validation"]["top1"] == expected.mean()
