"""Whether a warning says that images were trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from depthwise.data.contents import SAMPLE, content_sample, overlap
from depthwise.evaluate.seen import seen


def files(folder: Path, numbers: range) -> list[Path]:
    """Files of which no two are alike; the same number holds the same in every folder."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number}.png").write_bytes(number.to_bytes(2))
    return [folder / f"{number}.png" for number in numbers]


def test_the_files_of_a_model_before_leave_those_of_ones_own_to_be_told(tmp_path: Path) -> None:
    many = [f"{number:016x}" for number in range(256)]
    provenance = {"seen": content_sample(files(tmp_path / "own", range(20))), "seen_before": many}
    warning = seen(files(tmp_path / "copy", range(20)), provenance)
    assert warning is not None
    assert "(20 of 20 that can" in warning


@pytest.mark.parametrize("nested", [False, True], ids=["float", "quantised from it"])
def test_files_that_were_trained_on_are_told_under_other_names(tmp_path: Path, *, nested: bool) -> None:
    provenance: dict[str, Any] = {"seen": content_sample(files(tmp_path / "trained", range(61)))}
    if nested:
        provenance = {"quantized_from": {"provenance": provenance}}

    warning = seen([path.rename(tmp_path / f"renamed-{path.name}") for path in files(tmp_path, range(20))], provenance)

    assert warning is not None
    assert warning.startswith("all of these images are among those that the network was trained on (20 of 20 that can")
    assert warning.endswith("so measure it on others")


def test_the_share_that_was_trained_on_is_estimated_from_a_sample(tmp_path: Path) -> None:
    sample = content_sample(files(tmp_path / "trained", range(2000)))
    measured = files(tmp_path / "measured", range(1700, 2300))

    found = overlap(measured, sample)

    assert len(sample) == SAMPLE
    assert found is not None
    # 300 of the 600; the sample has one file in eight.
    assert found.share == pytest.approx(0.5, abs=0.1)
    assert found.compared == pytest.approx(600 * SAMPLE / 2000, rel=0.3)
    assert int(found.first.stem) < 2000


def test_a_sample_depends_on_content_alone(tmp_path: Path) -> None:
    paths = files(tmp_path / "a", range(300))
    twin = tmp_path / "twin.png"
    twin.write_bytes(paths[0].read_bytes())

    assert content_sample(paths) == content_sample([twin, *reversed(paths), tmp_path / "missing"])


@pytest.mark.parametrize("provenance", [{}, None, {"seen": 7}, {"seen": []}, {"seen": [1, "x"]}, {"quantized_from": 7}])
def test_nothing_is_said_without_knowing(tmp_path: Path, provenance: Any) -> None:
    assert seen(files(tmp_path, range(3)), provenance) is None


def test_nothing_is_said_of_other_files(tmp_path: Path) -> None:
    sample = content_sample(files(tmp_path / "trained", range(50)))

    assert seen(files(tmp_path / "others", range(50, 90)), {"seen": sample}) is None
