"""`decode` against files that nobody would want."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.edge.decoding import decode, picture
from depthwise.errors import Refused
from tools.image_files import noise, png, saved


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_refused_by_name(format: str, share: float, tmp_path: Path) -> None:
    content = saved(noise(60, 60), format)
    (tmp_path / "cut").write_bytes(content[: int(len(content) * share)])

    with pytest.raises(Refused, match=r"cut: (is damaged, or no image|cannot be decoded \().*; (give|copy)"):
        decode(tmp_path / "cut")


def test_a_thousand_corrupted_files_give_pixels_or_a_refusal_and_never_a_warning() -> None:
    rng = np.random.default_rng(11)
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = [saved(noise(20, 30), format, exif=exif) for format in ("JPEG", "PNG", "WEBP", "TIFF")]
    whole += [saved(noise(20, 30), format) for format in ("GIF", "BMP", "PPM")]
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(1000):
            content = bytearray(whole[number % len(whole)])
            for _ in range(rng.integers(1, 6)):
                content[rng.integers(len(content))] = rng.integers(256)
            try:
                assert decode(bytes(content)).ndim == 3
            except Refused:
                refused += 1
    assert 200 < refused < 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello, this is text\n" * 10, "is damaged, or no image of a kind that is read; give a sound JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "no image of a kind that is read"),
        (png(0, 5), "damaged"),
    ],
    ids=["empty", "text", "postscript", "no width"],
)
def test_what_is_not_an_image_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "some.jpg").write_bytes(content)

    for source in (tmp_path / "some.jpg", content):
        with pytest.raises(Refused, match=message):
            decode(source)


@pytest.mark.parametrize("value", [-1, 65_536])
def test_grey_beyond_16_bits_is_refused(value: int) -> None:
    with pytest.raises(Refused, match="grey values beyond 16 bits; save it with 8 or 16"):
        decode(saved(np.full((2, 2), value, np.int32), "TIFF"))


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(Refused, match="floating-point pixels, whose range is unknown"):
        decode(saved(np.zeros((2, 2), np.float32), "TIFF"))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((9_601, 10_000), "has 9,601 x 10,000 pixels, more than 96 million; make it smaller"),
        ((60_000, 60_000), "has more than 96 million pixels; make it smaller"),
        ((65_536, 1), "has 65,536 x 1 pixels; each side must be from 1 to 65,535"),
    ],
)
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Refused, match=message):
            decode(png(*size))


def test_places_without_a_file_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.jpg: cannot be read \(No such file or directory\); give the path"):
        decode(tmp_path / "none.jpg")
    with pytest.raises(Refused, match="is a folder; give an image file"):
        decode(tmp_path)
    with pytest.raises(Refused, match=r"cannot be read \(.*null"):
        decode("a\0b.jpg")
    with pytest.raises(Refused, match=r"cannot be read \(File name too long\)"):
        decode("x" * 5000)


def test_a_file_that_goes_before_it_is_read_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gone.png"
    path.write_bytes(saved(noise(2, 2)))
    monkeypatch.setattr("depthwise.edge.decoding._check_file", lambda *_: path.unlink())

    with pytest.raises(Refused, match=r"gone\.png: cannot be read \(No such file or directory\); give the path"):
        decode(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(Refused, match="is not a regular file"):
        decode(tmp_path / "pipe.jpg")


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(saved(noise(2, 2)))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(Refused, match=r"cannot be read \(Permission denied\)"):
        decode(path)


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_other_numbers_of_channels_are_refused(channels: int) -> None:
    with pytest.raises(Refused, match=r"it must|decoded to 1 \(grey\) or 3 \(RGB\)"):
        decode(saved(noise(2, 2)), channels)


def test_a_device_of_little_memory_may_be_told_to_decode_smaller_images_only(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "photo.png")
    assert picture(tmp_path / "photo.png", most=200).size == (20, 10)
    with pytest.raises(Refused, match="has 20 x 10 pixels, more than 199; make it smaller"):
        picture(tmp_path / "photo.png", most=199)
