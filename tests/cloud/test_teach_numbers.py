"""A teacher sees pictures in the same groups, whatever the number of processes and wherever a run was killed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthwise.cloud.teach.frames import Frames
from depthwise.cloud.teach.numbers import TOGETHER, numbers, rows_of
from depthwise.cloud.teach.sources import sources
from depthwise.cloud.teach.teacher import VIEWS
from depthwise.data.folder import Item
from depthwise.data.turns import Turns
from depthwise.errors import Refused
from depthwise.network.model import Model


class Counting:
    """A teacher that answers with how many pictures it was shown together."""

    channels, width = 3, 1

    def look(self, frames: list[Any]) -> np.ndarray:
        return np.full((len(frames), VIEWS, 1), len(frames), np.float32)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1, TOGETHER, 2 * TOGETHER + 5, 5 * TOGETHER])
def test_processes_share_all_rows_in_whole_groups(size: int, rows: int) -> None:
    shares = [rows_of(rank, size, rows).tolist() for rank in range(size)]

    assert list(range(rows)) == sorted(row for share in shares for row in share)
    for share in shares:
        for start in range(0, len(share), TOGETHER):
            assert len({row // TOGETHER for row in share[start : start + TOGETHER]}) == 1


@pytest.mark.parametrize("left", [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 3])
def test_what_was_cut_off_is_asked_again_with_the_pictures_that_stood_beside_it(tmp_path: Path, left: int) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "one.png")
    items = [Item(tmp_path / "one.png", 0)] * (2 * TOGETHER)
    teacher: Any = Counting()
    whole = np.array(numbers(teacher, items, tmp_path / "whole", 1, lambda rows: None))
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[: left * VIEWS * 2 + 1])

    again = np.array(numbers(teacher, items, tmp_path / "cut", 1, lambda rows: None))

    assert (whole == TOGETHER).all()
    np.testing.assert_array_equal(whole, again)


@pytest.mark.parametrize("said", [np.nan, np.inf, 1e6])
def test_a_teacher_that_says_no_number_is_refused_with_the_picture(tmp_path: Path, said: float) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "one.png")

    class Strange:
        name, channels, width = "strange", 3, 1

        def look(self, frames: list[Any]) -> np.ndarray:
            return np.full((len(frames), VIEWS, 1), said, np.float32)

    teacher: Any = Strange()
    with pytest.raises(
        Refused, match=r"strange: says .* of .*one\.png, and a teacher's numbers are finite and at most"
    ):
        numbers(teacher, [Item(tmp_path / "one.png", 0)], tmp_path / "said", 1, lambda rows: None)


def test_of_large_pictures_memory_holds_one_at_a_time(tmp_path: Path) -> None:
    Image.new("RGB", (600, 500)).save(tmp_path / "one.png")
    frames = Frames([tmp_path / "one.png"] * 20, 3, Turns())
    tracemalloc.start()
    assert [frame.shape for frame in frames] == [(500, 600, 3)] * 20
    assert tracemalloc.get_traced_memory()[1] < 8 * 500 * 600 * 3
    tracemalloc.stop()


def test_a_teacher_of_another_programs_file_says_what_it_takes_pictures_for(
    small_model: Callable[..., Model], tmp_path: Path
) -> None:
    parts = dict.fromkeys(("pixels", "order", "resize"), "assumed")
    small_model().replace(provenance={"preprocessing": parts}).save(tmp_path / "read")
    small_model().save(tmp_path / "own")
    read, own = sources(f"{tmp_path / 'read'},{tmp_path / 'own'}", ("another",), 3, [np.zeros((9, 9, 3), np.uint8)])
    assert read.said.endswith("--mean, --scale, --bgr and --resize say otherwise of `depthwise convert`")
    assert own.said == ""
