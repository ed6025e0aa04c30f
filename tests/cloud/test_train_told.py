"""What can be seen of a training: its log, its progress, its pictures, TensorBoard."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from depthwise.cloud.loader import Batch
from depthwise.cloud.pictures import CURVES, FED, caption
from depthwise.cloud.request import Request
from depthwise.cloud.runlog import RunLog
from depthwise.cloud.session import train
from depthwise.errors import Refused

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]
LogOf = Callable[[Request], list[dict[str, Any]]]


def test_the_log_has_a_line_for_the_start_each_epoch_and_the_end(
    ask: Ask, image_folder: ImageFolder, heard: Any, log_of: LogOf
) -> None:
    request = ask(image_folder(images=12), epochs=5, rate=0.01, warmup=0.0, small=32, spec={"resolution": 40})

    model = train(request, heard)

    lines = log_of(request)
    assert [line["event"] for line in lines] == ["start", *["epoch"] * 5, "end"]
    assert lines[0]["recipe"] == replace(request.recipe, kernels="torch").to_dict()
    assert lines[0]["images"] == {"train": 20, "validation": 4, "test": 0}
    epochs = lines[1:6]
    assert [line["epoch"] for line in epochs] == [1, 2, 3, 4, 5]
    assert [line["resolution"] for line in epochs] == [32, 32, 32, 40, 40]
    for line in epochs:
        assert line["loss"] > 0
        assert line["train_top1"] * 16 == pytest.approx(round(line["train_top1"] * 16))
        assert 0 <= line["top1"] <= line["top5"] == 1
    assert epochs[-1]["rate"] == pytest.approx(0, abs=1e-9)
    assert lines[-1]["accuracy"] == json.loads(json.dumps(dict(model.accuracy)))
    best = lines[lines[-1]["epoch"]]
    assert best["top1"] == model.accuracy["validation"]["top1"] == max(line["top1"] for line in epochs[3:])


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.write("epoch", epoch=1, loss=3.0)
    with log.path.open("a") as file:
        file.write('{"event": "epo')
    log.write("epoch", epoch=2, loss=2.0)
    log.write("epoch", epoch=2, loss=1.5)

    assert [(entry["epoch"], entry["loss"]) for entry in log.epochs()] == [(1, 3.0), (2, 1.5)]


def test_progress_tells_loss_accuracy_speed_and_time_left(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    train(ask(image_folder(images=12), epochs=2), heard)

    assert [stage for stage in heard.stages if stage[0].startswith("epoch")] == [
        ("epoch 1/2", 2, 0),
        ("epoch 2/2", 2, 0),
    ]
    assert set(heard.parts[-1]) == {"loss", "top1", "speed", "left"}
    assert heard.parts[-1]["left"] == "0 s"
    assert heard.open == 0
    assert "2 classes; 20 training, 4 validation images" in heard.notices


def test_the_pictures_of_a_run_are_pictures(ask: Ask, image_folder: ImageFolder, heard: Any, drawn: None) -> None:
    request = ask(image_folder(classes=("$x_1$ <b>", "猫"), images=12), epochs=2, cutmix=1.0)

    train(request, heard)

    for name in (FED, CURVES):
        with Image.open(request.run_folder / name) as image:
            image.load()
            assert image.format == "PNG"
            assert min(image.size) > 100
    assert not [path for path in request.run_folder.iterdir() if path.name.startswith(".")]


def test_captions_have_the_shares_of_both_labels() -> None:
    batch = Batch(torch.zeros(2, 1, 1, 3), torch.tensor([0, 1]), torch.tensor([1, 1]), 0.25)

    assert caption(batch, 0, ("cat", "dog")) == "25% cat\n75% dog"
    assert caption(batch, 1, ("cat", "dog")) == "dog"
    assert caption(replace(batch, share=1.0), 0, ("a\nvery long label indeed", "dog")) == "a very long label i…"


def test_without_matplotlib_a_training_goes_on_and_says_what_is_missing(
    ask: Ask, image_folder: ImageFolder, heard: Any, drawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)

    train(ask(image_folder(images=6)), heard)

    assert heard.text.count("a picture is left out: matplotlib") == 2
    assert "pip install matplotlib" in heard.text


def test_tensorboard_that_is_missing_is_refused_before_training(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorboard", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(
        Refused, match="--tensorboard needs TensorBoard, which is not installed; run: pip install tensorb"
    ):
        train(ask(image_folder(images=6), extra={"tensorboard": True}), heard)


def test_tensorboard_gets_the_figures_of_each_epoch(
    ask: Ask, image_folder: ImageFolder, heard: Any, log_of: LogOf
) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed; run: pip install tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    request = ask(image_folder(images=6), epochs=2, extra={"tensorboard": True})
    train(request, heard)

    curves = EventAccumulator(str(request.run_folder / "tensorboard"))
    curves.Reload()
    for figure, place in (("loss", "loss/training"), ("top1", "top-1/validation")):
        expected = [(line["epoch"], line[figure]) for line in log_of(request) if line["event"] == "epoch"]
        assert [(event.step, event.value) for event in curves.Scalars(place)] == pytest.approx(expected)
