"""`decode` against Pillow's own conversions."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from depthwise.edge.decoding import decode, picture
from tools.image_files import noise, png, saved


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
        sources: list[Any] = [
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


def test_threads_leave_the_filters_of_warnings_as_they_were() -> None:
    before = list(warnings.filters)
    content = saved(noise(50, 50))
    threads = [threading.Thread(target=lambda: [decode(content) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(warnings.filters) == before
