"""`decode` against Pillow's own conversions, and against files that nobody would want."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from depthwise.edge.decoding import decode, picture
from depthwise.errors import Refused


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def saved(image: Image.Image | np.ndarray, format: str = "PNG", **settings: Any) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, format, **settings)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    """A PNG by hand; colour 0 is grey, 2 RGB."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.PNG", "a.gz", "a", "jpg"])
def test_a_file_is_read_whatever_its_name_says(tmp_path: Path, name: str) -> None:
    pixels, path = noise(5, 7), tmp_path / name
    path.write_bytes(saved(pixels))
    read = f"from depthwise.edge.decoding import picture; print(picture({str(path)!r}).tobytes().hex())"
    # In a fresh interpreter, where Pillow has loaded no decoder yet.
    found = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == pixels.tobytes().hex()


def test_pixels_stay_when_their_file_changes(tmp_path: Path) -> None:
    pixels, path = noise(64, 64, 1), tmp_path / "a.bmp"
    path.write_bytes(saved(pixels, "BMP"))
    image = picture(path, channels=1)
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))

    assert image.tobytes() == pixels.tobytes()


def test_a_path_its_bytes_and_an_open_file_give_the_same_pixels(tmp_path: Path) -> None:
    pixels, path = noise(5, 7), tmp_path / "a.png"
    path.write_bytes(saved(pixels))

    with path.open("rb") as file:
        sources = [
            path,
            str(path),
            path.read_bytes(),
            memoryview(path.read_bytes()),
            io.BytesIO(path.read_bytes()),
            file,
        ]
        for source in sources:
            np.testing.assert_array_equal(pixels, decode(source))


def test_photographs_are_what_pillow_makes_of_them(data_pack: Callable[[str], Path]) -> None:
    for path in sorted(data_pack("odd-sizes").glob("imagenet*")):
        upright = ImageOps.exif_transpose(Image.open(path))
        np.testing.assert_array_equal(np.asarray(upright.convert("RGB")), decode(path), err_msg=path.name)
        np.testing.assert_array_equal(np.asarray(upright.convert("RGB").convert("L")), decode(path, 1)[:, :, 0])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [*range(11), 65_535])
def test_exif_orientation_is_applied_where_it_is_valid(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"lossless": True} if format == "WEBP" else {}
    content = saved(noise(5, 8), format, exif=exif, **settings)

    pixels = decode(content)

    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)))), pixels)
    assert pixels.flags.c_contiguous
    assert pixels.shape == ((8, 5, 3) if 5 <= orientation <= 8 else (5, 8, 3))


def test_damaged_exif_is_ignored() -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"):
        pixels = noise(6, 9)
        np.testing.assert_array_equal(pixels, decode(saved(pixels, exif=exif)))


def test_grey_keeps_its_bytes_in_one_channel_and_in_three() -> None:
    grey = noise(6, 9, 1)

    np.testing.assert_array_equal(grey, decode(saved(grey), 1)[:, :, 0])
    np.testing.assert_array_equal(np.repeat(grey[:, :, None], 3, axis=2), decode(saved(grey)))


def test_one_bit_is_black_and_white() -> None:
    grey = noise(6, 9, 1) & 1
    for format in ("PNG", "TIFF", "PPM", "BMP"):
        content = saved(Image.fromarray(grey * np.uint8(255)).convert("1"), format)
        np.testing.assert_array_equal(grey * 255, decode(content, 1)[:, :, 0])


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_keeps_its_upper_byte(format: str) -> None:
    values = np.array([[0, 1, 255, 256, 257], [32_767, 32_768, 65_279, 65_280, 65_535]], dtype=np.uint16)

    for channels in (1, 3):
        pixels = decode(saved(Image.fromarray(values), format), channels)
        np.testing.assert_array_equal(np.repeat((values >> 8)[:, :, None], channels, axis=2), pixels)


def test_16_bit_colour_keeps_its_upper_byte() -> None:
    values = np.random.default_rng(0).integers(0, 65_536, (3, 4, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)

    np.testing.assert_array_equal(values >> 8, decode(png(4, 3, depth=16, rows=rows)))


@pytest.mark.parametrize("value", [-1, 65_536])
def test_grey_beyond_16_bits_is_refused(value: int) -> None:
    with pytest.raises(Refused, match="grey values beyond 16 bits; save it with 8 or 16"):
        decode(saved(np.full((2, 2), value, np.int32), "TIFF"))


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(Refused, match="floating-point pixels, whose range is unknown"):
        decode(saved(np.zeros((2, 2), np.float32), "TIFF"))


def test_what_is_transparent_lies_on_white() -> None:
    pixels = noise(4, 4, 4)
    pixels[..., 3] = [0, 1, 128, 255]
    alpha = pixels[..., 3:] / 255
    expected = pixels[..., :3] * alpha + 255 * (1 - alpha)

    found = decode(saved(pixels))

    np.testing.assert_array_equal(255, found[:, 0])
    np.testing.assert_array_equal(pixels[:, 3, :3], found[:, 3])
    np.testing.assert_allclose(expected, found, atol=1)


def test_every_kind_of_transparency_lies_on_white() -> None:
    """Black on the left, transparent: by alpha, by palette entry, or as the colour that stands for transparent."""
    grey = Image.fromarray(np.array([[0, 200]], np.uint8))
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette.putpalette([0, 0, 0, 200, 200, 200])
    contents = (
        saved(Image.fromarray(np.array([[[0, 0], [200, 255]]], np.uint8))),
        saved(palette, "GIF", transparency=0),
        saved(palette, transparency=b"\0\xff"),
        saved(grey, transparency=0),
        saved(grey.convert("RGB"), transparency=(0, 0, 0)),
    )
    for content in contents:
        np.testing.assert_array_equal([[255, 200]], decode(content, 1)[:, :, 0])

    np.testing.assert_array_equal([[255, 255]], decode(saved(grey.convert("1"), transparency=0), 1)[:, :, 0])


def test_a_palette_gives_its_colours() -> None:
    image = Image.fromarray(noise(9, 9)).quantize(16)

    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), decode(saved(image)))


def test_cmyk_and_ycbcr_are_converted_as_pillow_converts_them() -> None:
    for mode, format in (("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("YCbCr", "JPEG")):
        content = saved(Image.fromarray(noise(8, 8)).convert(mode), format)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")), decode(content))


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_an_animation_gives_its_first_frame(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    settings = {"lossless": True} if format == "WEBP" else {}
    content = saved(frames[0], format, save_all=True, append_images=frames[1:], **settings)

    np.testing.assert_array_equal(np.asarray(frames[0]), decode(content))


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (20_000, 30), (65_535, 1), (1, 1)])
def test_slim_images_are_decoded(size: tuple[int, int]) -> None:
    pixels = noise(*size)

    np.testing.assert_array_equal(pixels, decode(saved(pixels, compress_level=1)))


def test_images_of_many_strips_are_put_together_rightly() -> None:
    pixels = noise(1500, 1601)

    np.testing.assert_array_equal(pixels, decode(saved(pixels, "BMP")))


# What is refused


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


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((10_001, 10_000), "has 10,001 x 10,000 pixels, more than 100 million; make it smaller"),
        ((60_000, 60_000), "has more than 100 million pixels; make it smaller"),
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


def test_threads_leave_the_filters_of_warnings_as_they_were() -> None:
    before = list(warnings.filters)
    content = saved(noise(50, 50))
    threads = [threading.Thread(target=lambda: [decode(content) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(warnings.filters) == before
