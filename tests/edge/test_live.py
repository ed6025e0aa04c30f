"""The loop of frames: the newest alone, in memory that does not grow, from every source, and ended in order."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthwise
from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import BT601, BT709, FULL, LAYOUTS, LIMITED, Frame
from depthwise.edge.live.decoder import Due, Video, as_frame
from depthwise.edge.live.loop import Live
from depthwise.edge.live.show import as_picture
from depthwise.edge.live.smoothing import Smoothing, threshold_of
from depthwise.edge.live.source import Captured, Notice
from depthwise.edge.live.times import Times
from depthwise.errors import Refused

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="pipes of Windows cannot be waited for")
COMMAND = [sys.executable, "-c", "from depthwise.edge.command import main; main()"]


@pytest.fixture(scope="module")
def artifact(path: Path) -> Iterator[Artifact]:
    with Artifact.open(path) as opened:
        yield opened


def of_colour(red: int, green: int, blue: int) -> Frame:
    return Frame.of_bytes(LAYOUTS["rgb"], 4, 4, bytes((red, green, blue)) * 16)


class Listed:
    """A source of given frames, `pause` seconds apart."""

    def __init__(self, frames: list[Frame], *, every: bool, pause: float = 0.0) -> None:
        self.list, self.every, self.pause = frames, every, pause

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        for number, frame in enumerate(self.list):
            stop.wait(self.pause)
            yield Captured(frame=frame, at=time.monotonic(), time=number / 30, waited=0.0)


def pipe(content: bytes) -> int:
    """A pipe that holds these bytes and ends."""
    read, write = os.pipe()

    def fill() -> None:
        with os.fdopen(write, "wb") as file:
            file.write(content)

    threading.Thread(target=fill, daemon=True).start()
    return read


def descriptors() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_each_frame_of_a_file_is_labelled_and_of_a_camera_the_newest(artifact: Artifact) -> None:
    frames = [of_colour(number, 100, 0) for number in range(60)]
    with Live(artifact, Listed(frames, every=True), smooth=0) as live:
        shares = [seen.probabilities[0] for seen in live]
    assert shares == pytest.approx([number / (number + 100) for number in range(60)])
    with Live(artifact, Listed(frames, every=False), smooth=0) as live:
        found = [next(live)]
        # While nobody looks, the others go by; the next label is that of the last.
        live._thread.join()
        found += live

    assert found[-1].probabilities[0] == pytest.approx(59 / 159)
    assert found[-1].dropped == 60 - len(found)


def test_a_slow_reader_gets_labels_of_now(artifact: Artifact) -> None:
    with Live(artifact, Listed([of_colour(9, 9, 9)] * 60, every=False, pause=0.005)) as live:
        for seen in live:
            # Its age is that of the frame which was newest when it was taken, however slow the reader is.
            assert seen.age < 0.2
            time.sleep(0.03)

    assert live.dropped > 20


def test_smoothing_weighs_by_time_and_not_by_frames() -> None:
    often, seldom = Smoothing(0.5), Smoothing(0.5)
    often.add([0.0, 1.0], 0.0)
    seldom.add([0.0, 1.0], 0.0)
    for number in range(1, 31):
        got = often.add([1.0, 0.0], number / 30)

    assert got == pytest.approx(seldom.add([1.0, 0.0], 1.0))
    assert got == pytest.approx([1 - math.exp(-2), math.exp(-2)])
    # A clock that goes back changes nothing, and none is smoothed over 0 seconds.
    assert seldom.add([0.0, 1.0], 0.5) == pytest.approx(got)
    assert Smoothing(0).add([0.3, 0.7], 1.0) == [0.3, 0.7]


def test_below_the_threshold_of_the_artifact_a_label_is_unknown(artifact: Artifact) -> None:
    record = {"accuracy": {"unknown": {"threshold": 0.6}}}
    frames = [of_colour(55, 45, 0), of_colour(90, 10, 0)]
    with Live(artifact, Listed(frames, every=True), smooth=0, unknown=threshold_of(record)) as live:
        assert [seen.label for seen in live] == ["unknown", "red"]
    assert [threshold_of(one) for one in ({}, {"accuracy": {"unknown": {"threshold": "x"}}})] == [0.0, 0.0]


def test_times_are_right_to_two_percent_and_take_no_more_memory() -> None:
    times = Times()
    for number in range(1, 10_001):
        times.add(number / 1e6)

    assert [times.quantile(share) for share in (0.5, 0.95, 0.99)] == pytest.approx([5e-3, 9.5e-3, 9.9e-3], rel=0.02)
    assert len(vars(times)) == 3


@needs_pipes
def test_ten_thousand_frames_leave_memory_and_descriptors_as_they_were(artifact: Artifact) -> None:
    resource = pytest.importorskip("resource")
    frames = 10_000
    content = np.random.default_rng(0).integers(0, 256, 24, np.uint8).tobytes()
    read = pipe(content * frames)
    middle: tuple[int, int] = (0, 0)
    with depthwise.live(artifact, frames=read, size="4x4", layout="nv12", every=True) as live:
        for seen in live:
            if seen.number == frames // 2:
                middle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, descriptors()
    os.close(read)

    assert live.figures.frames == frames
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - middle[0] < 2000  # KiB
    assert descriptors() <= middle[1]


@needs_pipes
@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"", {"size": "4x4"}, "holds no frame"),
        (
            bytes(47),
            {"size": "4x4"},
            "ends within a frame: 47 of 48 bytes of rgb at 4 x 4; are --size, --layout and --stride",
        ),
        (b"P6\n4 4\n255\n", {}, "is no Y4M of 8 bits"),
        (b"YUV4MPEG2 W4 H4 C420p10\nFRAME\n", {}, "is no Y4M of 8 bits"),
    ],
)
def test_a_pipe_that_holds_something_else_is_refused(
    content: bytes, options: dict[str, str], says: str, artifact: Artifact
) -> None:
    read = pipe(content)
    with depthwise.live(artifact, frames=read, **options) as live, pytest.raises(Refused, match=says):  # type: ignore[arg-type]
        list(live)
    os.close(read)


@needs_pipes
def test_y4m_says_size_layout_and_range_itself(artifact: Artifact) -> None:
    grey = bytes([100]) * 15 + bytes([128]) * 12  # 5 x 3 pixels: odd sides have a U and a V more
    read = pipe(b"YUV4MPEG2 W5 H3 F30:1 Ip A1:1 C420mpeg2 XCOLORRANGE=FULL\n" + (b"FRAME\n" + grey) * 2)

    with depthwise.live(artifact, frames=read, every=True) as live:
        frames = [seen.frame for seen in live]
    os.close(read)

    assert [(frame.layout.name, frame.height, frame.width, frame.range) for frame in frames] == [
        ("yuv420", 3, 5, FULL)
    ] * 2


def test_pictures_that_come_into_a_folder_are_labelled_once_they_are_whole(artifact: Artifact, tmp_path: Path) -> None:
    red = tmp_path / "red.png"
    notices: list[str] = []
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "old.png")
    with depthwise.live(artifact, watch=tmp_path, smooth=0, notice=notices.append) as live:
        time.sleep(0.3)
        (tmp_path / "broken.png").write_bytes(b"no picture")
        time.sleep(0.7)
        Image.new("RGB", (8, 8), "red").save(red)
        seen = next(live)

    assert (seen.label, seen.probability) == ("red", 1.0)
    assert ["broken.png" in text for text in notices] == [True]


def picture(red: int, **fields: Any) -> SimpleNamespace:
    content = np.full((4, 4, 3), (red, 10, 10), np.uint8)
    plane = SimpleNamespace(buffer_ptr=content.ctypes.data, line_size=12, keep=content)
    usual = {"is_corrupt": False, "time": None, "rotation": 0, "color_range": 0, "colorspace": 2}
    return SimpleNamespace(format=SimpleNamespace(name="rgb24"), height=4, width=4, planes=[plane], **usual | fields)


def test_what_a_decoder_says_of_colours_and_of_how_it_was_held_is_done() -> None:
    old = as_frame(picture(0, colorspace=2))
    phone = as_frame(picture(0, colorspace=1, color_range=2, rotation=-90))

    assert (old.matrix, old.range, old.turn) == (BT601, LIMITED, 0)
    assert (phone.matrix, phone.range, phone.turn) == (BT709, FULL, 90)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "come from one of --camera, --video, --frames and --watch, not from 0"),
        ({"camera": 0, "watch": "x"}, "not from 2"),
        ({"frames": "-", "size": "640"}, "--size is '640'"),
        ({"frames": "film.yuv"}, "--frames is 'film.yuv'; give - for standard input"),
        ({"frames": "-", "stride": "64"}, "--stride is of frames without headers; give --size and --layout with it"),
        ({"frames": "-", "size": "4x4", "stride": "a"}, "--stride is 'a'; give the bytes of a row with its padding"),
        ({"frames": "-", "size": "4x4", "stride": "11"}, "the stride must be from 12 to"),
        ({"frames": "-", "turn": 45}, "--turn is 45"),
        ({"frames": "-", "layout": "nv16"}, "there is no layout of frames 'nv16'"),
    ],
)
def test_sources_that_cannot_be_are_refused(asked: dict[str, Any], says: str, artifact: Artifact) -> None:
    with pytest.raises(Refused, match=says):
        depthwise.live(artifact, **asked)


@pytest.mark.parametrize("name", ["rgb", "bgr", "grey", "yuv420", "nv21", "yuyv"])
def test_a_saved_picture_has_the_colours_of_the_frame(name: str) -> None:
    of, size = LAYOUTS[name], (6, 10)
    content = {
        "rgb": bytes((200, 40, 30)) * 60, "bgr": bytes((30, 40, 200)) * 60, "grey": bytes([90]) * 60,
        "yuv420": bytes([90]) * 60 + bytes([110]) * 15 + bytes([210]) * 15,
        "nv21": bytes([90]) * 60 + bytes((210, 110)) * 15, "yuyv": bytes((90, 110, 90, 210)) * 30,
    }[name]  # fmt: skip
    # By BT.601 in the range of video.
    expected = (90, 90, 90) if name == "grey" else (200, 40, 30) if of.channels else (217, 26, 50)

    shown = as_picture(Frame.of_bytes(of, *size, content))

    assert shown.size == (10, 6)
    assert np.abs(np.asarray(shown).astype(int) - expected).max() <= 1


@needs_pipes
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_loop_with_its_figures(sent: signal.Signals, path: Path) -> None:
    command = [*COMMAND, str(path), "--frames", "-", "--size", "4x4", "--json", "--every"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What runs in the background of a shell ignores the interrupt, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bytes(48) * 3)
        process.stdin.flush()
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(sent)
        rest, said = process.communicate(timeout=60)

    assert [line["frame"] for line in lines] == [0, 1, 2]
    assert json.loads(rest)["summary"]["frames"] == 3
    assert (process.returncode, said.strip()) == {
        signal.SIGINT: (130, b"interrupted"),
        signal.SIGTERM: (143, b"terminated"),
    }[sent]


@needs_pipes
def test_padded_rows_on_a_pipe_are_labelled_as_those_without(path: Path) -> None:
    frame = bytes(range(48))
    rows = [frame[at : at + 12] for at in range(0, 48, 12)]
    padded = b"".join(row + b"\xff" * 4 for row in rows)

    def labelled(content: bytes, *more: str) -> list[Any]:
        command = [*COMMAND, str(path), "--frames", "-", "--size", "4x4", "--json", "--every", *more]
        done = subprocess.run(command, input=content, capture_output=True, check=True)
        return [json.loads(line).get("answers") for line in done.stdout.splitlines()[:-1]]

    assert labelled(padded * 3, "--stride", "16") == labelled(frame * 3)


@needs_pipes
def test_a_reader_that_has_enough_ends_it(path: Path) -> None:
    command = [*COMMAND, str(path), "--frames", "/dev/stdin", "--size", "4x4"]
    wrong = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert wrong.returncode == 2

    run = f"{' '.join(map(_quoted, COMMAND))} {path} --frames - --size 4x4 --json --every"
    line = f"head -c 480000 /dev/zero | {{ {run}; echo $? >&2; }} | head -n 2"
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=60)

    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.strip() == b"0"


def _quoted(word: str) -> str:
    return f"'{word}'"


def test_a_video_goes_through_the_decoder(artifact: Artifact, tmp_path: Path) -> None:
    av: Any = pytest.importorskip("av", reason="PyAV is not installed; no video is decoded")
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as out:
        stream = out.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            image = np.full((48, 64, 3), (250, 20, 20) if number < 10 else (20, 20, 250), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))

    with Live(artifact, Video(path=str(film)), smooth=0) as live:
        labels = [seen.label for seen in live]
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) // 2])
    with (
        Live(artifact, Video(path=str(film))) as live,
        pytest.raises(Refused, match=r"film.mp4: (cannot be opened|holds no pictures)"),
    ):
        list(live)

    assert labels == ["red"] * 10 + ["blue\n🐳"] * 10


def film_of(place: Path, codec: str, layout: str, images: list[np.ndarray]) -> Path:
    """A video of images, written by PyAV; the test is skipped where that is not there."""
    av: Any = pytest.importorskip("av", reason="PyAV is not installed; no video is decoded")
    with av.open(str(place), "w") as out:
        stream = out.add_stream(codec, rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = layout
        for image in images:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    return place


def halves(height: int, width: int) -> np.ndarray:
    """Red above, blue below."""
    image = np.full((height, width, 3), (20, 20, 250), np.uint8)
    image[: height // 2] = (250, 20, 20)
    return image


@pytest.mark.parametrize(
    ("codec", "layout", "size"),
    [
        ("mjpeg", "yuvj420p", (49, 65)),
        ("ffv1", "yuv420p", (49, 65)),
        ("ffv1", "yuv444p", (31, 67)),
        ("mpeg4", "yuv420p", (50, 50)),
    ],
)
def test_videos_of_odd_sizes_and_either_range_have_their_colours_to_the_last_row_and_column(
    codec: str, layout: str, size: tuple[int, int], tmp_path: Path
) -> None:
    film = film_of(tmp_path / "film.mkv", codec, layout, [halves(*size)])

    (captured,) = Video(path=str(film)).frames(threading.Event(), print)
    shown = np.asarray(as_picture(captured.frame)).astype(int)

    assert shown.shape[:2] == size
    for row, column, colour in ((0, 0, (250, 20, 20)), (0, -1, (250, 20, 20)), (-1, -1, (20, 20, 250))):
        assert np.abs(shown[row, column] - colour).max() <= 4


def test_a_telephone_that_was_held_upright_gives_upright_frames(tmp_path: Path) -> None:
    content = film_of(tmp_path / "film.mp4", "mpeg4", "yuv420p", [halves(48, 64)]).read_bytes()
    # The matrix of the track's header: a quarter turn clockwise in place of none.
    none, quarter = (struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) for a, b, c, d in _TURNS)
    track = content.index(b"tkhd")
    (tmp_path / "phone.mp4").write_bytes(content[:track] + content[track:].replace(none, quarter, 1))

    (captured,) = Video(path=str(tmp_path / "phone.mp4")).frames(threading.Event(), print)
    shown = np.asarray(as_picture(captured.frame)).astype(int)

    assert shown.shape == (64, 48, 3)
    # What was above is on the right.
    assert np.abs(shown[32, -1] - (250, 20, 20)).max() <= 4
    assert np.abs(shown[32, 0] - (20, 20, 250)).max() <= 4


_TURNS = ((1 << 16, 0, 0, 1 << 16), (0, 1 << 16, -1 << 16, 0))


def test_a_video_whose_clock_begins_anywhere_and_jumps_is_shown_at_its_speed() -> None:
    due = Due()
    # Seconds of the video's clock, and of ours when the frame was decoded.
    shown = [(3600.0, 5.0), (3600.5, 5.1), (3601.0, 6.2), (95443.7, 6.3), (95444.0, 6.4), (0.0, 6.6), (0.1, 6.6)]

    waits = [due.seconds(taken, now) for taken, now in shown]

    assert waits == pytest.approx([0, 0.4, -0.2, 0, 0.2, 0, 0.1], abs=1e-6)


def test_a_stream_of_jpeg_with_rubbish_between_loses_the_broken_pictures_alone(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed; no video is decoded")
    out = io.BytesIO()
    Image.fromarray(halves(48, 64)).save(out, "JPEG", restart_marker_blocks=2)
    whole = out.getvalue()
    mark = whole.index(b"\xff\xd0")
    # As cameras of USB send them: bytes before a mark, a picture begun twice; and one that breaks off.
    odd = [whole, whole[:mark] + b"\x00\x01" + whole[mark:], b"\xff\xd8" + whole, whole, whole[: len(whole) // 2]]
    (tmp_path / "camera.mjpeg").write_bytes(b"".join(odd) + b"\x00rubbish\xff\xd8\xff")
    notices: list[str] = []

    found = list(Video(path=str(tmp_path / "camera.mjpeg")).frames(threading.Event(), notices.append))

    assert len(found) == 4
    assert len(notices) == 1
    assert "damaged pictures were left out" in notices[0]


def test_a_device_of_ffmpeg_is_a_camera(artifact: Artifact) -> None:
    pytest.importorskip("av", reason="PyAV is not installed; no device is opened")
    with depthwise.live(artifact, camera="lavfi:color=c=blue:size=64x48:rate=50", smooth=0) as live:
        labels = [next(live).label for _ in range(3)]

    assert labels == ["blue\n🐳"] * 3
