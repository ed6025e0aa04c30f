from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.data.turns import Turns
from depthwise.edge.decoding import decode
from depthwise.errors import Refused


def test_images_that_do_not_fit_together_wait_for_one_another_and_small_ones_do_not() -> None:
    turns, at_once, most, lock = Turns(10), [0], [0], threading.Lock()

    def work(size: int) -> None:
        with turns.turn() as admit:
            admit(size)
            with lock:
                at_once[0] += size
                most[0] = max(most[0], at_once[0])
            with lock:
                at_once[0] -= size

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [10, 3, 7, 10, 5, 5, 1] * 40))
    assert most[0] <= 10
    with turns.turn() as first, turns.turn() as second:
        first(5)
        second(5)


def test_what_an_image_takes_is_told_before_it_is_decoded_and_given_back_after_a_refusal(tmp_path: Path) -> None:
    told: list[int] = []
    for suffix, of_pixel in ((".png", 10), (".jpg", 10), (".webp", 16)):
        path = tmp_path / f"image{suffix}"
        Image.fromarray(np.zeros((30, 20, 3), np.uint8)).save(path)
        decode(path, 3, told.append)
        assert told.pop() == 600 * of_pixel
    turns, path = Turns(6000), tmp_path / "image.jpg"
    path.write_bytes(path.read_bytes()[:-100])
    for _ in range(3):
        with pytest.raises(Refused), turns.turn() as admit:
            decode(path, 3, lambda _, admit=admit: admit(6000))  # type: ignore[misc]
