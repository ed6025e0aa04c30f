"""Whole trainings of very small networks, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from depthwise.cloud import checkpoint
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Batch
from depthwise.cloud.module import Network
from depthwise.cloud.outcome import versions
from depthwise.cloud.pictures import CURVES, FED, caption
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.runlog import RunLog
from depthwise.cloud.session import Request, train
from depthwise.cloud.train import Run
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]


def log_of(request: Request) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (request.run_folder / "log.jsonl").read_text().splitlines()]


def test_training_learns_and_the_model_says_how_it_came_about(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    data = image_folder(classes=("cat", "dog", "owl"), images=16, splits=("train", "val", "test"))
    settings = {"epochs": 8, "optimizer": "sgd", "rate": 0.05, "warmup": 0.0, "crop": 0.8, "colour": 0.1}
    request = ask(data, **settings, extra={"command": "depthwise train x"})

    model = train(request, heard)

    assert model.accuracy["test"]["top1"] > 0.9
    loaded = Model.load(request.out)
    assert loaded.labels == ("cat", "dog", "owl")
    assert loaded.spec == replace(request.spec, classes=3)
    assert all(np.array_equal(loaded.weights[name], array) for name, array in model.weights.items())
    assert loaded.provenance["images"] == {"train": 48, "validation": 48, "test": 48}
    assert loaded.provenance["recipe"] == request.recipe.to_dict()
    assert loaded.provenance["command"] == "depthwise train x"
    assert loaded.provenance["versions"] == versions()
    assert str(data.parent) not in (request.out / "model.json").read_text()


def test_the_log_has_a_line_for_the_start_each_epoch_and_the_end(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    request = ask(image_folder(images=12), epochs=5, rate=0.01, warmup=0.0, small=32, spec={"resolution": 40})

    model = train(request, heard)

    lines = log_of(request)
    assert [line["event"] for line in lines] == ["start", *["epoch"] * 5, "end"]
    assert lines[0]["recipe"] == request.recipe.to_dict()
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


def test_the_same_request_gives_the_same_weights_and_another_seed_others(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=12)
    first, second, other = (
        train(ask(data, name, epochs=2, seed=seed), heard).weights
        for name, seed in (("first", 0), ("second", 0), ("other", 1))
    )

    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["conv_stem.weight"], other["conv_stem.weight"])


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_frozen_epochs_leave_all_but_the_classifier_byte_for_byte(
    ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model], average: float
) -> None:
    """Batch statistics included, over more than one epoch, since each ends with a validation."""
    source = small_model(labels=("cat", "dog", "owl"))
    data = image_folder(classes=("ant", "bee"), images=12)
    request = ask(data, epochs=3, frozen=3, average=average, extra={"pretrained": source})

    model = train(request, heard)

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
    source = small_model(labels=("cat", "dog"))
    request = ask(image_folder(images=12), epochs=2, frozen=1, warmup=0.0, extra={"pretrained": source})

    model = train(request, heard)

    assert log_of(request)[-1]["epoch"] in (1, 2)
    if log_of(request)[-1]["epoch"] == 2:
        assert all((source.weights[name] != array).any() for name, array in model.weights.items())
    assert "starting from the weights of a network of 2 classes, its classifier included" in heard.notices


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"width": 0.5}, "conv_stem.weight needs .* and is .*; train with the width 0.25"),
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


def test_early_stopping_ends_the_run_and_the_best_epoch_is_restored(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation is played: it is best after the second epoch. What was kept is what the network was then."""
    seen: list[dict[str, np.ndarray]] = []

    def played(network: Network, *_: Any, **__: Any) -> dict[str, float]:
        seen.append({name: tensor.numpy().copy() for name, tensor in network.state_dict().items()})
        top1 = (0.3, 0.6, 0.5, 0.6, 0.1)[len(seen) - 1]
        return {"validation_loss": 1.0, "top1": top1, "top5": 1.0}

    monkeypatch.setattr("depthwise.cloud.train.validate", played)
    request = ask(image_folder(images=12), epochs=20, patience=3)

    model = train(request, heard)

    assert len(seen) == 5
    assert model.provenance["epochs"] == 2
    assert model.accuracy["validation"]["top1"] == 0.6
    for name, array in model.weights.items():
        np.testing.assert_array_equal(seen[1][name], array)


def test_of_epochs_of_the_same_accuracy_the_one_of_the_least_loss_is_kept(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter((0.9, 0.4, 0.7))
    monkeypatch.setattr(
        "depthwise.cloud.train.validate",
        lambda *_, **__: {"validation_loss": next(losses), "top1": 0.5, "top5": 1.0},
    )

    assert train(ask(image_folder(images=6), epochs=3), heard).provenance["epochs"] == 2


def test_a_diverged_loss_is_refused_with_what_to_do(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    request = ask(
        image_folder(images=12), epochs=30, optimizer="sgd", rate=100.0, warmup=0.0, spec={"activation": "relu"}
    )

    with pytest.raises(Refused, match=r"loss is no longer finite in epoch \d+; remove .* a lower --rate \(it is 100\)"):
        train(request, heard)

    assert not request.out.exists()
    assert heard.open == 0


def test_class_weights_move_the_answer_to_the_rare_class(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    """The classes look alike, so that only their frequency can be learned."""
    data = image_folder(classes=("many",), images=24)
    rare = data / "rare"
    rare.mkdir()
    for number, path in enumerate(sorted((data / "many").iterdir())[:6]):
        pixels = np.asarray(Image.open(path)).copy()
        pixels[0, 0] = number
        Image.fromarray(pixels).save(rare / path.name)

    def bias(name: str, balance: float) -> float:
        settings = {"epochs": 8, "optimizer": "sgd", "rate": 0.2, "warmup": 0.0, "smoothing": 0.0, "frozen": 8}
        model = train(ask(data, name, balance=balance, **settings), heard)
        many, few = model.weights["classifier.bias"]
        return float(many - few)

    assert bias("plain", 0.0) > 2 * abs(bias("balanced", 1.0))


def test_odd_images_do_not_stop_a_training_and_the_unusable_are_counted_and_named(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=12)
    whole = (data / "cat" / "000.png").read_bytes()
    for number in range(4):
        (data / "cat" / f"cut {number}.png").write_bytes(whole[: 200 + number])
    for number in range(3):
        (data / "dog" / f"text {number}.jpg").write_text("no image")
    (data / "dog" / "notes.txt").write_text("x")
    Image.new("RGB", (1, 1)).save(data / "dog" / "pixel.png")
    Image.new("RGB", (20_000, 2)).save(data / "dog" / "line.png")
    request = ask(data)

    model = train(request, heard)

    assert "1 other files in the class folders are ignored (1 with .txt)" in heard.notices
    assert "warning: 7 images are left out, since they cannot be used:" in heard.notices
    named = heard.notices[heard.notices.index("warning: 7 images are left out, since they cannot be used:") + 1 :][:6]
    assert all("cut" in line or "text" in line for line in named[:5])
    assert named[5] == "  and 2 more, which the log of the run names"
    assert len(log_of(request)[0]["left_out"]) == 7
    assert sum(model.provenance["images"].values()) == 26
    assert model.provenance["left_out"] == 7


def test_a_class_without_a_readable_image_is_refused_before_training(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder()
    for path in (data / "dog").iterdir():
        path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(
        Refused, match=r"class 'dog' has no readable image to train on \(3 cannot be used; the first: .*png"
    ):
        train(ask(data), heard)

    assert not any(stage[0].startswith("epoch") for stage in heard.stages)


def test_the_same_image_in_training_and_test_is_told_before_training(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = image_folder(splits=("train", "val", "test"))
    for name in ("000.png", "001.png"):
        (data / "test" / "cat" / f"copy {name}").write_bytes((data / "train" / "cat" / name).read_bytes())

    def stop(run: Run) -> None:
        raise Refused("here training would start")

    monkeypatch.setattr(Run, "train", stop)
    with pytest.raises(Refused, match="here training would start"):
        train(ask(data), heard)

    (warning,) = [line for line in heard.notices if "also among those trained on" in line]
    assert warning.startswith("warning: 2 of the test images are also among those trained on, which makes the test")
    assert f"{data / 'train' / 'cat' / '000.png'} = {data / 'test' / 'cat' / 'copy 000.png'}" in warning


def test_an_empty_class_of_the_test_split_is_told(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    data = image_folder(splits=("train", "val", "test"))
    for path in (data / "test" / "dog").iterdir():
        path.unlink()

    train(ask(data), heard)

    assert "warning: there is no test image of 'dog'" in heard.notices


def test_settings_that_would_be_refused_at_the_end_are_refused_at_the_start(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    request = ask(image_folder(), extra={"preprocessing": default_preprocessing(64, 3)})

    with pytest.raises(Refused, match="preprocessing crops to 64 pixels and the network takes 32"):
        train(request, heard)

    assert not any(stage[0].startswith("epoch") for stage in heard.stages)


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


def test_tensorboard_gets_the_figures_of_each_epoch(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed; run: pip install tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    request = ask(image_folder(images=6), epochs=2, extra={"tensorboard": True})
    train(request, heard)

    curves = EventAccumulator(str(request.run_folder / "tensorboard"))
    curves.Reload()
    for figure, place in (("loss", "loss/training"), ("top1", "top-1/validation")):
        expected = [(line["epoch"], line[figure]) for line in log_of(request) if line["event"] == "epoch"]
        assert [(event.step, event.value) for event in curves.Scalars(place)] == pytest.approx(expected)


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.write("epoch", epoch=1, loss=3.0)
    with log.path.open("a") as file:
        file.write('{"event": "epo')
    log.write("epoch", epoch=2, loss=2.0)
    log.write("epoch", epoch=2, loss=1.5)

    assert [(entry["epoch"], entry["loss"]) for entry in log.epochs()] == [(1, 3.0), (2, 1.5)]


def test_grey_networks_train_too(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), spec={"channels": 1}), heard)

    assert model.weights["conv_stem.weight"].shape[1] == 1


def test_bfloat16_trains_and_keeps_its_weights_in_float32(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), precision="bfloat16"), heard)

    assert {array.dtype for array in model.weights.values()} == {np.dtype(np.float32)}
    assert any((array.view(np.uint32) & 0xFFFF).any() for array in model.weights.values())


def test_auto_precision_is_decided_and_recorded(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), precision="auto"), heard)

    chosen = model.provenance["recipe"]["precision"]
    assert chosen in ("float32", "bfloat16")
    assert f"training in {chosen}, the faster by a short measurement" in heard.notices


def test_one_step_is_the_step_of_plain_torch() -> None:
    """SGD without momentum in its first step: the weight less the rate times the gradient of the loss."""
    torch.manual_seed(0)
    spec = Spec(width=0.25, resolution=32, classes=3)
    recipe = Recipe(optimizer="sgd", rate=0.1, decay=0.0, warmup=0.0, smoothing=0.0, average=0.0, precision="float32")
    world = World(rank=0, size=1, device=torch.device("cpu"))
    learner = Learner(Network(spec), recipe, default_preprocessing(32, 3), steps=10, counts=[1, 1, 1], world=world)
    twin = Network(spec)
    twin.load_state_dict(learner.network.state_dict())
    pixels = torch.randint(0, 256, (6, 32, 32, 3), dtype=torch.uint8)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])

    learner.prepare(frozen=False)
    rate = learner.rate
    loss, _, images = learner.step(Batch(pixels, labels, labels, 1.0)).tolist()

    logits = twin.train()((pixels.permute(0, 3, 1, 2) - 128.0) / 64)
    expected = torch.nn.functional.cross_entropy(logits, labels)
    expected.backward()
    assert images == 6
    assert loss == pytest.approx(6 * expected.item(), rel=1e-5)
    found = dict(learner.network.named_parameters())
    for name, weight in twin.named_parameters():
        assert weight.grad is not None
        # Nesterov's first step with momentum 0.9 goes 1.9 times the gradient.
        wanted = weight.detach() - rate * 1.9 * weight.grad
        torch.testing.assert_close(found[name].detach(), wanted, rtol=1e-3, atol=2e-5)
