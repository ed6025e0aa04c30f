"""The command as a user runs it: stdout, stderr and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from depthwise.cli.attack import command
from depthwise.errors import Refused
from tools.plain_artifact import LABELS, plain_artifact

# The command on a machine without PyTorch.
ABOVE = (3, 6, 80, 90, 100)
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from depthwise.cli.main import main; main()"


def run(*arguments: str | Path, verb: str = "attack") -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-c", WITHOUT_TORCH, verb, *map(str, arguments)]
    return subprocess.run(whole, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHWISE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says how much red, green and blue is in an image."""
    return plain_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five images a class, whose own colour is so much above the others; and one that cannot be read."""
    folder = tmp_path_factory.mktemp("data")
    for place, label in enumerate(LABELS):
        (folder / label).mkdir()
        for number, above in enumerate(ABOVE):
            colour = np.full((12, 12, 3), 100, np.uint8)
            colour[:, :, place] += above
            Image.fromarray(colour).save(folder / label / f"{number}.png")
    (folder / LABELS[0] / "broken.png").write_bytes(b"\x89PNG and nothing")
    return folder


def test_an_artifact_is_attacked_without_torch_and_its_images_can_be_measured_again(
    artifact: Path, data: Path, tmp_path: Path
) -> None:
    """Of a colour 3 above the others a change of 2 levels takes it all, of 6 above 4 levels; 8 never do of 80 above."""
    saved, page = tmp_path / "saved", tmp_path / "page.html"
    options = ("--eps", "8/255", "--queries", "300", "--processes", "1", "--save", saved, "--html", page, "--json")

    done = run(artifact, data, *options)

    assert done.returncode == 0, done.stderr
    assert "1 images cannot be read" in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["images"], found["clean"]["right"], found["attacked"]["right"]) == (15, 15, 9)
    assert [one["attack"] for one in found["stages"]] == ["square", "rays"]
    assert found["audit"]["warnings"] == []
    assert found["audit"]["largest"] == pytest.approx(32 / 255, abs=1e-6)
    smallest = {one["image"]: one["smallest"] for one in found["results"]}
    assert 2 / 255 <= smallest[f"{LABELS[0]}/0.png"] <= 8 / 255
    assert smallest[f"{LABELS[0]}/4.png"] is None
    # Square stops at the question that fools; the search along rays, which goes on, does not count.
    took = [one["questions"] for one in found["results"]]
    assert sum(took) + 9 * 300 == found["stages"][0]["questions"]
    assert found["questions"]["median"] == np.median([count for count in took if count])
    assert page.read_text().count("<figure>") == 6
    again = run(artifact, saved, "--json", verb="evaluate")
    assert json.loads(again.stdout)["top1"]["right"] == 9
    with Image.open(saved / LABELS[0] / "0.png") as changed:
        assert np.abs(np.asarray(changed).astype(int) - [103, 100, 100]).max() <= 8


def test_nothing_to_change_gives_the_clean_accuracy(artifact: Path, data: Path) -> None:
    done = run(artifact, data, "--eps", "0", "--json", "--images", "7")
    found = json.loads(done.stdout)

    assert (found["images"], found["clean"]["right"], found["attacked"]["right"]) == (7, 7, 7)
    assert [point["eps"] for point in found["curve"]] == [0]
    assert found["stages"] == []


def test_whole_pictures_are_changed_before_the_resize_and_measured_again(
    artifact: Path, data: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    options = ("--eps", "8/255", "--queries", "200", "--frames", "--images", "6", "--json", "--save", str(saved))

    found = CliRunner().invoke(command, [str(artifact), str(data), *options])
    document = json.loads(found.stdout)

    assert document["clean"]["right"] == 6 > document["attacked"]["right"]
    name = next(one["image"] for one in document["results"] if one["by"])
    with Image.open(saved / name) as changed, Image.open(data / name) as before:
        assert changed.size == before.size == (12, 12)
        assert 0 < np.abs(np.asarray(changed).astype(int) - np.asarray(before)).max() <= 8
    again = run(artifact, saved, "--json", verb="evaluate")
    assert json.loads(again.stdout)["top1"]["right"] == document["attacked"]["right"]


def test_noise_and_the_like_are_measured_and_told(artifact: Path, data: Path) -> None:
    """Colours 80 and more above the others stay what they are in any light; weak ones are lost in the noise."""
    found = CliRunner().invoke(command, [str(artifact), str(data), "--method", "corruptions", "--json"])
    document = json.loads(found.stdout)

    assert document["clean"]["right"] == 15
    assert len(document["corruptions"]) == 35
    right = {(one["kind"], one["strength"]): one["right"] for one in document["corruptions"]}
    assert right["brightness", 5] == right["shift", 5] == right["blur", 5] == 15
    assert all(count >= 9 for count in right.values())


def test_the_tables_say_what_the_document_says(artifact: Path, data: Path) -> None:
    done = run(artifact, data, "--eps", "8/255", "--method", "square", "--queries", "300", "--processes", "1")

    assert done.returncode == 0, done.stderr
    for shown in ("as they are", "100.0%", "square", "60.0%", "6 answers were changed", "Smallest eps that fools"):
        assert shown in done.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--eps", "2"), "eps is 2; it must be from 0 to 1, as a share of a pixel's range (4/255)"),
        (("--eps", "x"), "--eps is 'x'; give a share of a pixel's range from 0 to 1, such as 4/255 or 0.0157"),
        (("--norm", "l1"), "the norm is 'l1'; it must be one of linf, l2"),
        (("--method", "magic"), "--method is 'magic'; it must be one of auto, fgsm, pgd, apgd, square, patch, corrupt"),
        (("--method", "pgd"), "pgd goes by gradients, and an artifact has none; attack the model folder, give the one"),
        (
            ("--method", "patch"),
            "patch goes by gradients, and an artifact has none; attack the model folder, or give t",
        ),
        (("--method", "corruptions", "--html", "x.html"), "--html does not go with --method corruptions; leave it out"),
        (("--targets", "0"), "--targets is '0'; give a number from 1, or `all`"),
        (("--save", "{data}"), "{data}: exists and is not a folder of attacked images; choose another name or remove"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    artifact: Path, data: Path, options: tuple[str, ...], reason: str
) -> None:
    asked = [str(artifact), str(data), *(option.format(data=data) for option in options)]
    found = CliRunner().invoke(command, asked).exception

    assert isinstance(found, Refused)
    assert str(found).startswith(reason.format(data=data))
