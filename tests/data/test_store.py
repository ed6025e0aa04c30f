"""Images on their way to pixels: all kinds that people have, the broken ones named, memory bounded."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from depthwise.data.folder import Item
from depthwise.data.store import Store, evaluation_store, training_store
from depthwise.errors import Refused
from depthwise.network.preprocessing import default_preprocessing


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def upright(path: Path) -> np.ndarray:
    """What Pillow itself makes of a file."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def jpeg(path: Path) -> None:
    Image.fromarray(noise(30, 40, 3)).save(path, quality=90)


def rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(30, 40, 3)).save(path, quality=90, exif=exif)


def cmyk(path: Path) -> None:
    Image.fromarray(noise(30, 40, 4), "CMYK").save(path, quality=90)


def palette(path: Path) -> None:
    Image.fromarray(noise(30, 40, 3)).quantize(17).save(path)


def animated(path: Path) -> None:
    frames = [Image.fromarray(noise(30, 40 + shift, 3)[:, :40]).quantize(32) for shift in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)


def pixel(path: Path) -> None:
    Image.fromarray(noise(1, 1, 3)).save(path)


def grey(path: Path) -> None:
    Image.fromarray(noise(30, 40)).save(path)


SOUND: dict[str, Callable[[Path], None]] = {
    "plain.jpg": jpeg,
    "rotated.jpg": rotated,
    "cmyk.jpg": cmyk,
    "palette.png": palette,
    "animated.gif": animated,
    "animated.webp": lambda path: Image.fromarray(noise(30, 40, 3)).save(
        path, save_all=True, append_images=[Image.fromarray(noise(30, 41, 3)[:, :40])], lossless=True
    ),
    "pixel.png": pixel,
    "grey.tif": grey,
}


@pytest.mark.parametrize("name", SOUND)
def test_every_kind_of_image_has_the_pixels_that_pillow_gives_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    SOUND[name](path)

    store = training_store([Item(path, 1)], channels=3, side=64, tick=lambda: None)

    assert not store.unreadable
    np.testing.assert_array_equal(upright(path), store[0])


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (30, 40), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")

    store = training_store([Item(tmp_path / "deep.png", 0)], channels=3, side=64, tick=lambda: None)

    np.testing.assert_array_equal(np.repeat((values >> 8)[:, :, None], 3, axis=2), store[0])


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    pixels = noise(30, 40, 4)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "clear.png")

    store = training_store([Item(tmp_path / "clear.png", 0)], channels=3, side=64, tick=lambda: None)

    cover = pixels[:, :, 3:] / 255
    assert np.abs(pixels[:, :, :3] * cover + 255 * (1 - cover) - store[0]).max() <= 1


def test_large_images_are_reduced_as_pillow_reduces_them(tmp_path: Path) -> None:
    Image.fromarray(noise(150, 200, 3)).save(tmp_path / "large.png")

    store = training_store([Item(tmp_path / "large.png", 0)], channels=3, side=40, tick=lambda: None)

    expected = Image.open(tmp_path / "large.png").resize((53, 40), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(np.asarray(expected), store[0])


@pytest.mark.parametrize("size", [(20_000, 3), (3, 20_000), (20_000, 60)])
def test_of_very_long_images_the_middle_is_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.fromarray(noise(size[1], size[0], 3)).save(tmp_path / "long.png")

    store = training_store([Item(tmp_path / "long.png", 0)], channels=3, side=64, tick=lambda: None)

    short = min(size)
    width, height = (min(side, 3 * short) for side in size)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    np.testing.assert_array_equal(noise(size[1], size[0], 3)[top : top + height, left : left + width], store[0])


def test_images_to_measure_on_are_resized_and_cut_as_pillow_does(tmp_path: Path) -> None:
    Image.fromarray(noise(70, 70, 3)).save(tmp_path / "square.png")

    wanted = replace(default_preprocessing(32, 3), resize=37)
    store = evaluation_store([Item(tmp_path / "square.png", 0)], wanted, tick=lambda: None)

    image = Image.open(tmp_path / "square.png").resize((37, 37), Image.Resampling.BILINEAR).crop((2, 2, 34, 34))
    np.testing.assert_array_equal(np.asarray(image), store[0])


def test_what_cannot_be_used_is_named_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    for name in ("a.jpg", "c.jpg", "h.jpg"):
        jpeg(tmp_path / name)
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "d.jpg").write_bytes(b"this is no image at all")
    (tmp_path / "e.jpg").write_bytes(b"")
    (tmp_path / "f.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "g.jpg").mkdir()
    items = [Item(tmp_path / f"{letter}.jpg", label) for label, letter in enumerate("abcdefgh")]

    store = training_store(items, channels=3, side=64, tick=lambda: None)

    assert [item.path.name for item in store.items] == ["a.jpg", "c.jpg", "h.jpg"]
    assert store.labels.tolist() == [0, 2, 7]
    assert len(store) == 3
    assert [entry.item.path.name for entry in store.unreadable] == [f"{letter}.jpg" for letter in "bdefg"]
    for entry in store.unreadable:
        assert str(entry.item.path) in entry.reason


def test_a_store_ticks_once_an_image_and_leaves_no_file_behind(tmp_path: Path) -> None:
    jpeg(tmp_path / "a.jpg")
    ticks: list[int] = []
    pixels = tmp_path / "pixels"
    pixels.mkdir()

    store = training_store(
        [Item(tmp_path / "a.jpg", 0)] * 5, channels=3, side=64, tick=lambda: ticks.append(1), folder=pixels
    )

    assert len(ticks) == len(store) == 5
    assert not list(pixels.iterdir())


def test_a_disk_without_room_for_the_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg(tmp_path / "a.jpg")

    def full(store: Store, image: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "_append", full)
    with pytest.raises(Refused, match=r"pixels of the images cannot be kept there \(No space left on device\); free"):
        training_store([Item(tmp_path / "a.jpg", 0)] * 100, channels=3, side=64, tick=lambda: None, folder=tmp_path)


def test_an_empty_store_is_empty() -> None:
    assert len(training_store([], channels=3, side=64, tick=lambda: None)) == 0


def test_images_that_wait_for_a_slow_one_do_not_keep_what_was_cut_off(tmp_path: Path) -> None:
    """The first takes until forty others are done, each of which is a small part of a large image."""
    whole: list[weakref.ref[np.ndarray]] = []
    done = threading.Event()
    alive: list[int] = []

    def part(item: Item, admit: object) -> np.ndarray:
        if item.label == 0:
            assert done.wait(60)
            alive.append(sum(ref() is not None for ref in whole))
            return noise(2, 2, 3)
        image = np.zeros((100, 100, 3), np.uint8)
        whole.append(weakref.ref(image))
        if item.label == 40:
            done.set()
        return image[40:50, 40:50]

    store = Store([Item(tmp_path, label) for label in range(41)], part, lambda: None)

    assert store[40].shape == (10, 10, 3)
    # The one that is being cut.
    assert alive[0] <= 1


PEAK = """
import resource, sys
from pathlib import Path
from depthwise.data.folder import Item
from depthwise.data.store import training_store

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

small, large, wide = (Item(Path(name), 0) for name in sys.argv[1:])
training_store([small], channels=3, side=512, tick=lambda: None)
start = peak()
store = training_store([wide] * 40, channels=3, side=512, tick=lambda: None)
many = peak() - start
store = training_store([large], channels=3, side=512, tick=lambda: None)
assert len(store) == 1, store.unreadable
print(many, peak() - start)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is counted in kilobytes on Linux only")
def test_memory_stays_bounded_with_many_and_with_large_images(tmp_path: Path) -> None:
    """20,000 pixels a side and 40 megapixels in one; 40 images of 6 megapixels, 720 MB when decoded together."""
    paths = [tmp_path / name for name in ("small.png", "large.png", "wide.png")]
    for path, size in zip(paths, ((8, 8), (20_000, 2_000), (20_000, 300)), strict=True):
        Image.new("L", size, 77).save(path, compress_level=1)

    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, paths)], capture_output=True, text=True, check=True)

    many, large = map(float, done.stdout.split())
    # Two at a time, of which each pixel takes a byte in Pillow and three when it is decoded; and some for strips.
    assert many < 150
    assert large < 40 * 4 + 150
