"""What a training says of the images that it is given, and which of them end it before it begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.cloud.train import Run
from depthwise.errors import Refused

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]
LogOf = Callable[[Request], list[dict[str, Any]]]


def test_odd_images_do_not_stop_a_training_and_the_unusable_are_counted_and_named(
    ask: Ask, image_folder: ImageFolder, heard: Any, log_of: LogOf
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
    assert f"{data / 'test' / 'cat' / 'copy 000.png'}, beside {data / 'train' / 'cat' / '000.png'}" in warning


def test_an_empty_class_of_the_test_split_is_told(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    data = image_folder(splits=("train", "val", "test"))
    for path in (data / "test" / "dog").iterdir():
        path.unlink()

    train(ask(data), heard)

    assert "warning: there is no test image of 'dog'" in heard.notices
