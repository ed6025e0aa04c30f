"""Frames in YUV and other layouts against the same frame in RGB, converted by the formulas of BT.601 and BT.709."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import BT601, BT709, FULL, LAYOUTS, LIMITED, Frame, layout
from depthwise.errors import Refused
from tools.plain_artifact import changed, plain_artifact

YUV = [name for name, of in LAYOUTS.items() if of.starts]
# Shares of red and blue in brightness, from the recommendations.
SHARES = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722)}


@pytest.fixture(scope="module")
def artifact(path: Path) -> Iterator[Artifact]:
    with Artifact.open(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def in_vectors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artifact]:
    built = plain_artifact(tmp_path_factory.mktemp("vectors"), "-O3", "-march=native")
    with Artifact.open(built) as opened:
        yield opened


def prepared(artifact: Artifact, frame: Frame) -> np.ndarray:
    pixels = artifact.pixels()
    artifact.prepare_frame(frame, pixels)
    return np.array(pixels, np.uint8).reshape(artifact.input_shape)


def planes(height: int, width: int, down: int, across: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V with all values that bytes have, in and out of gamut."""
    rng = np.random.default_rng(seed)
    shared = (-(-height // down), -(-width // across))
    return tuple(rng.integers(0, 256, size, np.uint8) for size in ((height, width), shared, shared))  # type: ignore[return-value]


def packed(name: str, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> bytes:
    """The bytes of a layout, written down once more from its description."""
    if name in ("yuv420", "yuv422", "yuv444"):
        return y.tobytes() + u.tobytes() + v.tobytes()
    if name in ("nv12", "nv21"):
        return y.tobytes() + np.stack((u, v) if name == "nv12" else (v, u), axis=-1).tobytes()
    pairs = np.zeros((y.shape[0], u.shape[1], 4), np.uint8)
    at = {"yuyv": (0, 1, 2, 3), "uyvy": (1, 0, 3, 2)}[name]
    pairs[:, :, at[0]] = y[:, 0::2]
    pairs[:, : y.shape[1] // 2, at[2]] = y[:, 1::2]
    pairs[:, :, at[1]], pairs[:, :, at[3]] = u, v
    return pairs.tobytes()


def to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, matrix: int, span: int) -> np.ndarray:
    """Each pixel by the recommendation's formula, rounded to the nearest byte."""
    height, width = y.shape
    rows, columns = np.indices(y.shape)
    down, across = -(-height // u.shape[0]), -(-width // u.shape[1])
    cb, cr = (plane.astype(float)[rows // down, columns // across] - 128 for plane in (u, v))
    red, blue = SHARES[matrix]
    grey, colour = (y.astype(float), 1 / 255) if span == FULL else ((y - 16.0) * 255 / 219, 1 / 224)
    r = grey + 2 * (1 - red) * cr * 255 * colour
    b = grey + 2 * (1 - blue) * cb * 255 * colour
    g = (grey - red * r - blue * b) / (1 - red - blue)
    return np.floor(np.stack((r, g, b), axis=-1) + 0.5).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", YUV)
def test_yuv_gives_the_pixels_of_the_rgb_way_to_one_step(name: str, artifact: Artifact) -> None:
    of = LAYOUTS[name]
    for height, width in ((48, 64), (33, 45), (2, 2), (1, 1), (31, 180), (7, 1)):
        y, u, v = planes(height, width, of.down, of.across, seed=height)
        for matrix, span in ((BT601, LIMITED), (BT709, LIMITED), (BT601, FULL), (BT709, FULL)):
            frame = Frame.of_bytes(of, height, width, packed(name, y, u, v), matrix=matrix, range=span)
            expected = prepared(artifact, Frame.of_bytes(LAYOUTS["rgb"], height, width, to_rgb(y, u, v, matrix, span)))

            off = np.abs(prepared(artifact, frame).astype(int) - expected)
            assert off.max() <= 1, (height, width, matrix, span)
            assert (off == 0).mean() > 0.97


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("name", ["rgb", "grey", "yuv420", "nv12", "yuyv", "yuv444"])
def test_a_frame_of_a_telephone_on_its_side_is_turned(name: str, turn: int, artifact: Artifact) -> None:
    of, (height, width) = LAYOUTS[name], (32, 46)
    if of.channels:
        rgb = np.random.default_rng(1).integers(0, 256, (height, width, of.channels), np.uint8)
        content = rgb.tobytes()
        rgb = np.broadcast_to(rgb, (height, width, 3))
    else:
        y, u, v = planes(height, width, of.down, of.across)
        content, rgb = packed(name, y, u, v), to_rgb(y, u, v, BT601, LIMITED)
    upright = np.ascontiguousarray(np.rot90(rgb, k=-turn // 90))

    got = prepared(artifact, Frame.of_bytes(of, height, width, content, turn=turn))
    expected = prepared(artifact, Frame.of_bytes(LAYOUTS["rgb"], len(upright), upright.shape[1], upright))

    assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_processors_with_vectors_prepare_the_bytes_of_those_without(
    name: str, artifact: Artifact, in_vectors: Artifact
) -> None:
    of = LAYOUTS[name]
    # Wide enough for whole steps of the conversion, from odd columns on, and for rows that end within one.
    for height, width, turn in ((40, 203, 0), (150, 131, 0), (64, 70, 90), (5, 9, 180)):
        content = np.random.default_rng(width).integers(0, 256, of.bytes(height, width), np.uint8)
        frame = Frame.of_bytes(of, height, width, content, turn=turn)

        assert (prepared(in_vectors, frame) == prepared(artifact, frame)).all(), (height, width)


def test_a_turned_frame_of_odd_sides_loses_a_row_or_column_and_no_colours(artifact: Artifact) -> None:
    y, u, v = np.full((33, 45), 120, np.uint8), np.zeros((17, 23), np.uint8), np.full((17, 23), 240, np.uint8)
    y[-1], y[:, -1] = 0, 0
    whole = Frame.of_bytes(LAYOUTS["yuv420"], 33, 45, packed("yuv420", y, u, v), turn=180)
    even = (y[:32, :44], u[:16, :22], v[:16, :22])

    expected = prepared(artifact, Frame.of_bytes(LAYOUTS["yuv420"], 32, 44, packed("yuv420", *even), turn=180))

    assert (prepared(artifact, whole) == expected).all()


def test_blue_first_and_grey_are_the_colours_that_they_say(artifact: Artifact) -> None:
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[:, :, 0] = 200

    shares = artifact.see(Frame.of_bytes(layout("BGR24"), 8, 8, blue))
    grey = artifact.see(Frame.of_bytes(layout("gray"), 8, 8, bytearray(b"\x80" * 64)))

    assert shares == [0.0, 0.0, 1.0]
    assert grey == pytest.approx([1 / 3] * 3)


def test_rows_that_lie_apart_are_read_where_they_lie(artifact: Artifact) -> None:
    y, u, v = planes(20, 30, 2, 2)
    wide = [np.pad(plane, ((0, 0), (0, 34))) for plane in (y, u, v)]
    padded = Frame(LAYOUTS["yuv420"], 20, 30, [p.ctypes.data for p in wide], [p.strides[0] for p in wide], wide)
    whole = Frame.of_bytes(LAYOUTS["yuv420"], 20, 30, packed("yuv420", y, u, v))

    assert (prepared(artifact, padded) == prepared(artifact, whole)).all()
    assert padded.content() == whole.content()


def test_wrong_frames_and_old_artifacts_are_refused(artifact: Artifact, path: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="a frame nv12 of 4 x 2 pixels has 12 bytes, not 24"):
        Frame.of_bytes(LAYOUTS["nv12"], 2, 4, bytes(24))
    with pytest.raises(Refused, match="there is no layout of frames 'nv16'; there are rgb, bgr"):
        layout("nv16")
    with pytest.raises(Refused, match="each side must be from 1"):
        Frame.of_bytes(LAYOUTS["rgb"], 0, 4, b"")
    old = changed(path, tmp_path / "old.so", without="dw_prepare_yuv")
    with Artifact.open(old) as opened, pytest.raises(Refused, match="is of an older version without dw_prepare_yuv"):
        opened.see(Frame.of_bytes(LAYOUTS["nv12"], 2, 4, bytes(12)))


@pytest.mark.parametrize(
    ("name", "given", "pitches"),
    [
        ("rgb", (144,), [144]),
        ("grey", (64,), [64]),
        ("yuv420", (48,), [48, 24, 24]),
        ("yuv420", (46, 32, 32), [46, 32, 32]),
        ("yuv422", (50,), [50, 25, 25]),
        ("yuv444", (48,), [48, 48, 48]),
        ("nv12", (64,), [64, 64]),
        ("yuyv", (128,), [128]),
    ],
)
def test_frames_with_padded_rows_are_those_without_the_padding(
    artifact: Artifact, name: str, given: tuple[int, ...], pitches: list[int]
) -> None:
    of, height, width = LAYOUTS[name], 33, 45
    plain = np.random.default_rng(5).integers(16, 236, of.bytes(height, width), np.uint8)
    padded, at = [], 0
    assert of.pitches(width, given) == pitches
    for (rows, used), pitch in zip(of.planes(height, width), pitches, strict=True):
        rows_of_plane = plain[at : at + rows * used].reshape(rows, used)
        padded.append(np.pad(rows_of_plane, ((0, 0), (0, pitch - used)), constant_values=255).ravel())
        at += rows * used
    content = np.concatenate(padded).tobytes()

    assert of.bytes(height, width, pitches) == len(content)
    frame = Frame.of_bytes(of, height, width, content, pitches=pitches)
    assert frame.content() == plain.tobytes()
    np.testing.assert_array_equal(
        prepared(artifact, frame), prepared(artifact, Frame.of_bytes(of, height, width, plain.tobytes()))
    )


def test_a_stride_that_cannot_be_is_refused() -> None:
    with pytest.raises(Refused, match="row of plane 1 of nv12 has 45 bytes of pixels at a width of 45, and lies 44"):
        LAYOUTS["nv12"].pitches(45, (44,))
    with pytest.raises(Refused, match="frames yuv420 have 3 planes; give a stride for each, not 2"):
        LAYOUTS["yuv420"].pitches(45, (48, 24))
    with pytest.raises(Refused, match="have strides of 24 and 32; give the same for both"):
        LAYOUTS["yuv420"].pitches(45, (48, 24, 32))
