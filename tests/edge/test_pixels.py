"""`prepare` in Python and in C against Pillow, byte for byte."""

from __future__ import annotations

import ctypes
import math
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.compiler.plan.plan import prepare_bytes
from depthwise.data.store import square
from depthwise.edge.pixels import decode, geometry, prepare
from depthwise.errors import Refused
from depthwise.network.preprocessing import Preprocessing
from tools.plain_artifact import STRICT, build

# (channels, length of the shorter side after the resize, crop): random sizes tried. The first is the usual one, the
# next two have no margin and the widest one, 9 is the least that the header takes, 560 columns are more than one tile.
SETTINGS = {(3, 73, 64): 200, (3, 32, 32): 40, (1, 37, 32): 40, (1, 9, 1): 20, (1, 600, 560): 12}
SOURCE = Path(__file__).parent / "prepare.c"
# Fused multiply-adds are allowed on purpose: the header must keep Pillow's bits without a flag.
FAST = ("-O3", "-march=native", "-ffp-contract=fast")
SEED = 20_170_417


def pillow(image: np.ndarray, resize: int, crop: int, by: Image.Resampling = Image.Resampling.BILINEAR) -> np.ndarray:
    """The definition in docs/preprocessing.md, told once more with Pillow's own means."""
    height, width = image.shape[:2]
    short = min(height, width)
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    cut_height, cut_width = min(height, 4 * short), min(width, 4 * short)
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    picture = picture.crop((left, top, left + cut_width, top + cut_height))
    # Halves up; Python's round would send them to even.
    new_width, new_height = (int((side * resize) / short + 0.5) for side in picture.size)
    picture = picture.resize((new_width, cut_height), by)
    picture = picture.resize((new_width, new_height), by)
    left, top = (new_width - crop) // 2, (new_height - crop) // 2
    return np.asarray(picture.crop((left, top, left + crop, top + crop))).reshape(crop, crop, -1)


class InC:
    """dwk_prepare, built for one setting."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        self.library.prepare.argtypes = (
            [ctypes.c_void_p] + [ctypes.c_int32] * 2 + [ctypes.c_int64, *[ctypes.c_void_p] * 2]
        )
        self.library.scratch_bytes.restype = ctypes.c_size_t

    def __call__(self, image: np.ndarray, crop: int) -> np.ndarray:
        # A margin of one row's length in front of, between and behind the rows; none of it may show.
        height, width, channels = image.shape
        framed = np.full((height + 2, width * channels + 5), 0xA5, np.uint8)
        framed[1:-1, : width * channels] = image.reshape(height, -1)
        out = np.full((crop + 2, crop, channels), 0x5A, np.uint8)
        scratch = np.full(self.library.scratch_bytes() // 4 + 16, 0x5A5A5A5A, np.uint32)
        status = self.library.prepare(
            framed[1].ctypes.data, height, width, framed.shape[1], out[1].ctypes.data, scratch.ctypes.data
        )
        assert status == 0
        assert (out[[0, -1]] == 0x5A).all(), "written outside the pixels"
        assert (scratch[-16:] == 0x5A5A5A5A).all(), "written behind the scratch"
        return out[1:-1]


@pytest.fixture(scope="session")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int, int], InC]:
    folder = tmp_path_factory.mktemp("prepare")
    built: dict[tuple[int, int, int], InC] = {}

    def get(channels: int, resize: int, crop: int) -> InC:
        key = (channels, resize, crop)
        if key not in built:
            flags = (*STRICT, *FAST, *defines(*key), "-shared", "-fPIC")
            built[key] = InC(build(SOURCE, folder / f"{channels}-{resize}-{crop}.so", *flags))
        return built[key]

    return get


def defines(channels: int, resize: int, crop: int) -> tuple[str, ...]:
    return f"-DDWK_CHANNELS={channels}", f"-DDWK_RESIZE={resize}", f"-DDWK_CROP={crop}"


def random_images(count: int, channels: int, seed: int = SEED) -> Iterator[np.ndarray]:
    """Noise, or black and white alone, which shows a wrong rounding soonest; sides from 1 to 700."""
    rng = np.random.default_rng([seed, channels])
    for number in range(count):
        height, width = np.exp(rng.uniform(0, np.log(700), 2)).astype(int)
        if number % 5 == 0:
            height = width
        if number % 5 == 1:
            width = max(1, height // 30)
        if number % 5 == 2:
            height = max(1, width // 30)
        image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        yield image if number % 2 else (image >> 7) * np.uint8(255)


def assert_same(expected: np.ndarray, got: np.ndarray, image: np.ndarray) -> None:
    if not np.array_equal(expected, got):
        y, x, c = np.argwhere(expected != got)[0]
        pytest.fail(f"frame {image.shape}: at {(y, x, c)} {got[y, x, c]} instead of {expected[y, x, c]}")


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_200_random_sizes_are_prepared_to_pillows_bytes_in_python_and_in_c(
    setting: tuple[int, int, int], in_c: Callable[..., InC]
) -> None:
    channels, resize, crop = setting
    for image in random_images(SETTINGS[setting], channels):
        expected = pillow(image, resize, crop)
        assert_same(expected, prepare(image, resize=resize, crop=crop), image)
        assert_same(expected, in_c(*setting)(image, crop), image)


@pytest.mark.parametrize("channels", [1, 3])
def test_60_photographs_of_odd_sizes_are_prepared_to_pillows_bytes_in_python_and_in_c(
    channels: int, data_pack: Callable[[str], Path], in_c: Callable[..., InC]
) -> None:
    files = sorted(path for path in data_pack("odd-sizes").iterdir() if path.suffix != ".tsv")
    assert len(files) == 60
    resize, crop = (73, 64) if channels == 3 else (37, 32)
    for path in files:
        image = decode(path, channels)
        expected = pillow(image, resize, crop)
        assert_same(expected, prepare(image, resize=resize, crop=crop), image)
        assert_same(expected, in_c(channels, resize, crop)(image, crop), image)


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 2), (2, 1), (20_000, 1), (1, 20_000), (30, 20_000), (65_535, 3), (73, 73), (73, 200), (64, 64)],
    ids=str,
)
def test_sizes_at_the_edges_are_prepared_to_pillows_bytes_in_python_and_in_c(
    size: tuple[int, int], in_c: Callable[..., InC]
) -> None:
    image = np.random.default_rng(size).integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = pillow(image, 73, 64)

    assert_same(expected, prepare(image, resize=73, crop=64), image)
    assert_same(expected, in_c(3, 73, 64)(image, 64), image)


def test_a_frame_so_large_that_columns_are_made_in_tiles_is_prepared_to_pillows_bytes(
    in_c: Callable[..., InC],
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (2750, 2900, 3), dtype=np.uint8)

    assert_same(pillow(image, 32, 32), in_c(3, 32, 32)(image, 32), image)


def test_up_to_four_to_one_wide_images_are_resized_by_one_call_of_pillow_and_cropped() -> None:
    for height, width in ((30, 120), (100, 133), (97, 97)):
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        wide = round(width * 40 / height)
        resized = np.asarray(Image.fromarray(image).resize((wide, 40), Image.Resampling.BILINEAR))
        left = (wide - 32) // 2

        assert_same(resized[4:36, left : left + 32], prepare(image, resize=40, crop=32), image)


def test_one_colour_stays_that_colour_at_every_size(in_c: Callable[..., InC]) -> None:
    for value in (0, 1, 127, 254, 255):
        for size in ((1, 1), (7, 900), (500, 650), (4000, 9)):
            image = np.full((*size, 3), value, np.uint8)
            assert (prepare(image, resize=73, crop=64) == value).all()
            assert (in_c(3, 73, 64)(image, 64) == value).all()


def in_pillow(
    image: np.ndarray, mode: str, fill: tuple[int, ...], by: Image.Resampling = Image.Resampling.BILINEAR
) -> np.ndarray:
    """Both ways to show all of an image in 64 x 64, by Pillow's own calls."""
    height, width, channels = image.shape
    picture = Image.fromarray(image[:, :, 0] if channels == 1 else image)
    wide, high = (
        (64, 64)
        if mode == "squash"
        else (max(1, math.floor(side * 64 / max(height, width) + 0.5)) for side in (width, height))
    )
    for size in ((wide, height), (wide, high)):
        picture = picture.resize(size, by)
    square = Image.new(picture.mode, (64, 64), fill[0] if channels == 1 else fill)
    square.paste(picture, ((64 - wide) // 2, (64 - high) // 2))
    return np.asarray(square).reshape(64, 64, channels)


@pytest.mark.parametrize(("mode", "channels"), [("squash", 3), ("squash", 1), ("fit", 3), ("fit", 1)])
def test_squashed_and_fitted_frames_are_pillows_bytes_in_python_and_in_c(
    mode: str, channels: int, tmp_path: Path
) -> None:
    fill = (7, 200, 99)[:channels]
    way = ("-DDWK_SQUASH",) if mode == "squash" else ("-DDWK_FIT", f"-DDWK_FILL={{{','.join(map(str, fill))}}}")
    flags = (*STRICT, *FAST, *defines(channels, 64, 64), *way, "-shared", "-fPIC")
    compiled = InC(build(SOURCE, tmp_path / "way.so", *flags))
    settings = Preprocessing(
        resize=64, crop=64, mean=(0,) * channels, scale=(1,) * channels, mode=mode,  # type: ignore[arg-type]
        fill=fill if mode == "fit" else (),
    )  # fmt: skip
    assert compiled.library.scratch_bytes() == prepare_bytes(settings)
    extremes = [np.full((*size, channels), 77, np.uint8) for size in ((1, 20_000), (65_535, 3), (40, 511))]
    for image in (*random_images(60, channels), *extremes):
        expected = in_pillow(image, mode, fill)
        assert_same(expected, square(image, settings), image)
        assert_same(expected, compiled(image, 64), image)


@pytest.mark.parametrize(("mode", "channels"), [("crop", 3), ("crop", 1), ("squash", 3), ("fit", 3)])
def test_a_bicubic_filter_gives_pillows_bytes_in_python_and_in_c(mode: str, channels: int, tmp_path: Path) -> None:
    resize = 73 if mode == "crop" else 64
    settings = Preprocessing(
        resize=resize, crop=64, mean=(0,) * channels, scale=(1,) * channels, mode=mode,  # type: ignore[arg-type]
        fill=(7, 200, 99) if mode == "fit" else (), filter="bicubic",
    )  # fmt: skip
    way = {"crop": (), "squash": ("-DDWK_SQUASH",), "fit": ("-DDWK_FIT", "-DDWK_FILL={7,200,99}")}[mode]
    flags = (*STRICT, *FAST, *defines(channels, resize, 64), *way, "-DDWK_BICUBIC", "-shared", "-fPIC")
    compiled = InC(build(SOURCE, tmp_path / "bicubic.so", *flags))
    assert compiled.library.scratch_bytes() == prepare_bytes(settings)
    # Black beside white overshoots on both sides, and is cut to a byte.
    stripes = np.repeat(np.array([0, 255], np.uint8), 70)[None, :, None].repeat(90, 0).repeat(channels, 2)
    extremes = [np.full((*size, channels), 77, np.uint8) for size in ((1, 20_000), (65_535, 3), (40, 511))]
    for image in (*random_images(60, channels), stripes, *extremes):
        by = Image.Resampling.BICUBIC
        expected = (
            pillow(image, 73, 64, by)
            if mode == "crop"
            else in_pillow(image, mode, settings.fill or (0,) * channels, by)
        )
        assert_same(expected, square(image, settings), image)
        assert_same(expected, compiled(image, 64), image)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((100, 200), (0, 0, 100, 200, 40, 80, 4, 24)),
        # 3 * 40 / 16 = 7.5 and 41 * 40 / 16 = 102.5: halves up.
        ((16, 41), (0, 0, 16, 41, 40, 103, 4, 35)),
        ((1000, 10), (480, 0, 40, 10, 160, 40, 64, 4)),
        ((10, 1001), (0, 480, 10, 40, 40, 160, 4, 64)),
    ],
)
def test_sizes_follow_the_rule(size: tuple[int, int], expected: tuple[int, ...]) -> None:
    assert tuple(geometry(*size, resize=40, crop=32)) == expected


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))],
    ids=["flat", "four channels", "empty", "float"],
)
def test_what_is_not_an_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(Refused, match=r"it must be uint8 of \(height, width, 1 or 3\)"):
        prepare(image, resize=40, crop=32)


@pytest.mark.parametrize(("resize", "crop"), [(31, 32), (32, 0)])
def test_a_crop_that_does_not_fit_is_refused(resize: int, crop: int) -> None:
    with pytest.raises(Refused, match="must be at least 1 and fit"):
        prepare(np.zeros((4, 4, 3), np.uint8), resize=resize, crop=crop)


def test_the_c_refuses_frames_and_pointers_that_it_cannot_take(in_c: Callable[..., InC]) -> None:
    call = in_c(3, 73, 64).library.prepare
    frame, out = np.zeros(30, np.uint8), np.zeros((64, 64, 3), np.uint8)
    scratch = np.zeros(in_c(3, 73, 64).library.scratch_bytes(), np.uint8)
    f, o, s = frame.ctypes.data, out.ctypes.data, scratch.ctypes.data

    assert [call(*given) for given in ((None, 2, 5, 15, o, s), (f, 2, 5, 15, None, s), (f, 2, 5, 15, o, None))] == [
        1
    ] * 3
    sizes = ((0, 5, 15), (2, 0, 15), (-1, 5, 15), (65_536, 5, 15), (2, 65_536, 1 << 20), (2, 5, 14), (2, 5, -15))
    assert [call(f, *size, o, s) for size in sizes] == [2] * 7
    assert call(f, 2, 5, 15, o, s) == 0


@pytest.mark.parametrize("resize", [8, 31])
def test_settings_beyond_the_c_do_not_compile(resize: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="static assertion failed"):
        build(SOURCE, tmp_path / "no.so", *defines(3, resize, 32), "-shared", "-fPIC")


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_c_is_clean_under_the_sanitizers_and_silent_under_gcc(
    setting: tuple[int, int, int], tmp_path: Path
) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed, so the sanitizers did not run")
    channels, resize, crop = setting
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DPROGRAM")
    program = build(SOURCE, tmp_path / "prepare", *STRICT, *sanitizers, *defines(*setting), compiler=("gcc",))
    images = [*random_images(6, channels, seed=1), np.zeros((1, 1, channels), np.uint8)]
    given = b"".join(struct.pack("<ii", *image.shape[:2]) + image.tobytes() for image in images)

    done = subprocess.run([program], input=given, capture_output=True, check=False)

    assert (done.returncode, done.stderr.decode()) == (0, "")
    got = np.frombuffer(done.stdout, np.uint8).reshape(len(images), crop, crop, channels)
    for image, pixels in zip(images, got, strict=True):
        assert_same(pillow(image, resize, crop), pixels, image)
