"""Video files, and what cameras share with them, through PyAV (`av` of the extra [live])."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depthwise.edge.frames import BT601, BT709, FULL, LAYOUTS, LIMITED, Frame
from depthwise.edge.live.source import Captured, Notice, usual_matrix
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
# Seconds by which a frame is early or late before its clock is taken to have jumped.
_JUMP = 10.0


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
        av = pyav()
        with self._open(av) as container:
            stream = stream_of(container, self.path)
            stream.thread_type = "AUTO"
            due = Due()
            for captured in decoded(av, stream, _packets(av, container, stream), self.turn, stop, notice):
                early = due.seconds(captured.time, time.monotonic()) if self.pace else 0.0
                if early > 0 and stop.wait(early):
                    return
                # A frame is there when it is shown, not when it was decoded.
                yield replace(captured, at=time.monotonic()) if self.pace else captured

    def _open(self, av: Any) -> Any:
        try:
            # The prefix keeps names such as `concat:...` from being more than a file, the list what it refers to.
            return av.open(f"file:{self.path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
        except (av.error.FFmpegError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise Refused(f"{self.path}: cannot be opened ({reason}); give a whole video file") from None


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


def pyav() -> Any:
    """The module.

    Raises: Refused, when it is not installed.
    """
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


def stream_of(container: Any, name: str) -> Any:
    """The first video stream.

    Raises: Refused, when there is none.
    """
    if not container.streams.video:
        raise Refused(f"{name}: holds no pictures that move, or was cut off; give a whole video file")
    return container.streams.video[0]


def decoded(
    av: Any, stream: Any, packets: Iterator[Any], turn: int, stop: threading.Event, notice: Notice
) -> Iterator[Captured]:
    """Frames of a stream, from its packets; None is one that was lost."""
    rate = float(stream.average_rate or 25)
    damaged = count = 0
    asked = time.monotonic()
    try:
        for packet in packets:
            arrived = time.monotonic()
            frames = _frames(av, stream, packet)
            damaged += frames is None
            for frame in frames or ():
                if stop.is_set():
                    return
                if frame.is_corrupt:
                    damaged += 1
                    continue
                now = time.monotonic()
                taken = float(frame.time) if frame.time is not None else count / rate
                count += 1
                yield Captured(
                    frame=as_frame(frame, turn), at=now, time=taken, waited=arrived - asked, decoded=now - arrived
                )
                asked = arrived = time.monotonic()
            if stop.is_set():
                return
    finally:
        if damaged:
            notice(f"{damaged:,} damaged pictures were left out")


def _frames(av: Any, stream: Any, packet: Any) -> list[Any] | None:
    """The frames of a packet; None of one that was lost, or is damaged."""
    try:
        return None if packet is None else list(stream.codec_context.decode(packet))
    except av.error.FFmpegError:
        return None


def _packets(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream; a file that breaks off ends there."""
    try:
        yield from container.demux(stream)
    except (av.error.InvalidDataError, av.error.EOFError):
        return


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
