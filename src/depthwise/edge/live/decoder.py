"""Cameras and video files, through PyAV (`av` of the extra [live]); nothing of a network is opened."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depthwise.edge.frames import BT601, BT709, FULL, LAYOUTS, LIMITED, Frame
from depthwise.edge.live.source import PATIENCE, Captured, Notice, usual_matrix
from depthwise.errors import Refused

# Layouts whose planes go to the artifact as the decoder has them, by ffmpeg's names.
_AS_IT_IS = {
    "yuv420p": "yuv420", "yuvj420p": "yuv420", "yuv422p": "yuv422", "yuvj422p": "yuv422", "yuv444p": "yuv444",
    "yuvj444p": "yuv444", "nv12": "nv12", "nv21": "nv21", "yuyv422": "yuyv", "uyvy422": "uyvy", "gray": "grey",
    "rgb24": "rgb", "bgr24": "bgr",
}  # fmt: skip
# AVCOL_SPC_... and AVCOL_RANGE_... of ffmpeg.
_MATRICES = {1: BT709, 5: BT601, 6: BT601}
_FULL_RANGE = 2
# How each system's cameras are asked for, by sys.platform.
_CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
# Seconds by which a frame is early or late before its clock is taken to have jumped.
_JUMP = 10.0
# Seconds between looks for a camera that went away.
_AGAIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Video:
    """A video file.

    Attributes:
        path: of the file.
        turn: by how many degrees frames are turned clockwise, beyond what the file says itself.
        pace: whether frames come when the file says, or as fast as they are decoded.
    """

    path: str
    turn: int = 0
    pace: bool = False
    every: bool = True

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """All frames; those that are damaged are left out and counted."""
        if not Path(self.path).is_file():
            raise Refused(f"{self.path}: is no video file; give the path of one")
        av = _pyav()
        # The prefix keeps names such as `concat:...` from being more than a file, the list what it refers to.
        with _opened(av, self.path, f"file:{self.path}", None, {"protocol_whitelist": "file"}) as container:
            due = Due()
            for captured in _decoded(av, container, self.turn, stop, notice, threads=True):
                early = due.seconds(captured.time, time.monotonic()) if self.pace else 0.0
                if early > 0 and stop.wait(early):
                    return
                # A frame is there when it is shown, not when it was decoded.
                yield replace(captured, at=time.monotonic()) if self.pace else captured


class Due:
    """When the frames of a video are to be shown.

    The first at once, whatever its clock says: those of recordings and of broadcasts begin anywhere and jump.
    """

    def __init__(self) -> None:
        self._begun: float | None = None

    def seconds(self, taken: float, now: float) -> float:
        """How long to wait for a frame that was taken at a time of the video's clock."""
        if self._begun is None or not -_JUMP < self._begun + taken - now < _JUMP:
            self._begun = now - taken
        return self._begun + taken - now


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera of this machine.

    Attributes:
        name: its number or path, or FORMAT:NAME as ffmpeg's devices are called, such as `lavfi:testsrc`.
        size: (width, height) that it is asked for; None for its own choice.
        rate: frames a second that it is asked for.
    """

    name: str
    size: tuple[int, int] | None = None
    rate: int | None = None
    turn: int = 0
    every: bool = False

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """Frames without an end: a camera that has worked and goes away is waited for."""
        av = _pyav()
        seen = False
        begun = time.monotonic()
        while not stop.is_set():
            try:
                with self._open(av) as container:
                    for captured in _decoded(av, container, self.turn, stop, notice, threads=False):
                        if not seen:
                            notice(f"camera {self.name}: {captured.frame.width} x {captured.frame.height}")
                        seen = True
                        # Cameras' clocks begin anew when they come back.
                        yield replace(captured, time=captured.at - begun)
            except Refused as refusal:
                if not seen:
                    raise
                notice(str(refusal))
            except av.error.FFmpegError as problem:
                notice(f"camera {self.name}: {problem.strerror}")
            if not stop.is_set():
                if not seen:
                    raise Refused(f"camera {self.name}: gives no frame; is another program using it?")
                notice(f"camera {self.name}: went away, waiting for it")
            stop.wait(_AGAIN)

    def _open(self, av: Any) -> Any:
        named = re.fullmatch(r"([a-z]\w*):(.+)", self.name)
        form, device = (named[1], named[2]) if named else (_CAMERAS.get(sys.platform, "v4l2"), self.name)
        if form == "v4l2" and device.isdigit():
            device = f"/dev/video{device}"
        if form == "v4l2" and not Path(device).exists():
            raise Refused(f"camera {self.name}: there is no {device}; `ls /dev/video*` lists those that are there")
        options = {} if self.size is None else {"video_size": f"{self.size[0]}x{self.size[1]}"}
        options |= {} if self.rate is None else {"framerate": str(self.rate)}
        return _opened(av, f"camera {self.name}", device, form, options)


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        raise Refused(
            "cameras and video files need PyAV, which is not installed; run: pip install 'depthwise[live]', or send"
            " frames: ffmpeg -i FILE -f yuv4mpegpipe - | depthwise run ARTIFACT --frames -"
        ) from None
    # What a decoder says of damaged packets would fill the terminal; we count them.
    av.logging.set_level(av.logging.PANIC)
    return av


def _opened(av: Any, name: str, url: str, form: str | None, options: dict[str, str]) -> Any:
    try:
        return av.open(url, format=form, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Refused(f"{name}: cannot be opened ({reason}); give a video file or a camera that works") from None


def _decoded(
    av: Any, container: Any, turn: int, stop: threading.Event, notice: Notice, *, threads: bool
) -> Iterator[Captured]:
    """Frames of the first video stream."""
    if not container.streams.video:
        name = container.name.removeprefix("file:")
        raise Refused(f"{name}: holds no pictures that move, or was cut off; give a whole video file")
    stream = container.streams.video[0]
    # Frames that are decoded at the same time come late, which a camera's must not.
    stream.thread_type = "AUTO" if threads else "SLICE"
    damaged = count = 0
    asked = time.monotonic()
    for packet in _packets(av, container, stream):
        arrived = time.monotonic()
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            frames = []
            damaged += 1
        for frame in frames:
            if stop.is_set():
                return
            if frame.is_corrupt:
                damaged += 1
                continue
            now = time.monotonic()
            rate = float(stream.average_rate or 25)
            taken = float(frame.time) if frame.time is not None else count / rate
            count += 1
            yield Captured(
                frame=as_frame(frame, turn), at=now, time=taken, waited=arrived - asked, decoded=now - arrived
            )
            asked = arrived = time.monotonic()
        if stop.is_set():
            return
    if damaged:
        notice(f"{damaged:,} damaged pictures were left out")


def _packets(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream; one that is not ready yet is waited for, and a file that breaks off ends there."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.BlockingIOError:
            time.sleep(PATIENCE / 20)
            continue
        except (av.error.InvalidDataError, av.error.EOFError):
            return
        yield packet


def as_frame(frame: Any, turn: int = 0) -> Frame:
    """A frame of PyAV where it lies; one in a layout that artifacts do not read is converted to RGB."""
    of = frame.format.name
    if of not in _AS_IT_IS:
        frame = frame.reformat(format="rgb24")
    is_full = of.startswith("yuvj") or int(frame.color_range) == _FULL_RANGE
    # PyAV counts against the clock what has to be done to show it upright.
    own = round(-getattr(frame, "rotation", 0) / 90) * 90
    return Frame(
        LAYOUTS[_AS_IT_IS[frame.format.name]],
        frame.height,
        frame.width,
        [plane.buffer_ptr for plane in frame.planes],
        [plane.line_size for plane in frame.planes],
        frame,
        matrix=_MATRICES.get(int(frame.colorspace), usual_matrix(frame.height)),
        range=FULL if is_full else LIMITED,
        turn=(turn + own) % 360,
    )
