"""Constants of an artifact in a file, against the arrays that went in."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler.pack import Parts, merged
from depthwise.compiler.words import Words
from depthwise.errors import Refused


def test_words_come_back_in_parts_whole_and_from_the_file_that_they_are_saved_to(tmp_path: Path) -> None:
    given = [np.arange(start, start + 1000, dtype=np.uint32) for start in (0, 5000)]
    words = Words()
    assert [words.append(array) for array in given] == [0, 1000]
    words.save(tmp_path / "words.bin")
    whole = np.concatenate(given)
    assert words.size == 2000
    assert (words[990:1010] == whole[990:1010]).all()
    assert (tmp_path / "words.bin").read_bytes() == words.tobytes() == whole.astype("<u4").tobytes()


def test_constants_of_many_levels_take_the_memory_of_few() -> None:
    """Ten levels of 8 MB each, of which one, its padded copy and what stays in memory are there at a time."""
    each = 1 << 21

    def levels() -> Iterator[Parts]:
        for number in range(10):
            arrays = {"layer": np.full(each, number, np.uint32), "golden": np.zeros(1, np.uint32)}
            yield Parts(arrays=arrays, laid={})

    tracemalloc.start()
    found = merged(levels())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * 4 * each
    assert [int(packed.words[packed.offsets["layer"] :][0]) for packed in found] == list(range(10))


def test_a_full_disk_for_temporary_files_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, place: int) -> None: ...

        def write(self, data: object) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", lambda size: Full())
    with pytest.raises(Refused, match=r"cannot be kept there \(No space left on device\); free some space"):
        Words().append(np.zeros(16, np.uint32))
