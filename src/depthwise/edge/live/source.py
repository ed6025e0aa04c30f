"""What every source of frames gives, and the one that needs nothing: frames without headers on a pipe."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from depthwise.edge.frames import BT601, BT709, FULL, LIMITED, Frame, Layout, layout
from depthwise.errors import Refused

Notice = Callable[[str], None]
# How often somebody who waits looks whether he should stop, in seconds.
PATIENCE = 0.2
_HEADER_BYTES = 256


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A frame, and when it came.

    Attributes:
        at: when it was there, by `time.monotonic`.
        time: when it was taken, in seconds by the clock of its source.
        waited, decoded: seconds until its bytes were there, and until they were a frame.
    """

    frame: Frame
    at: float
    time: float
    waited: float
    decoded: float = 0.0


class Source(Protocol):
    """Where frames come from."""

    @property
    def every(self) -> bool:
        """Whether each frame counts, or the newest alone."""

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """The frames, until there are no more or `stop` is set."""


@dataclass(frozen=True, kw_only=True)
class Pipe:
    """Frames on a pipe, a file or a terminal line of a camera: of one size and layout, or with Y4M's headers.

    Attributes:
        number: the file descriptor.
        size: (width, height) of each frame; None for Y4M, as `ffmpeg -f yuv4mpegpipe` writes it.
        pitches: bytes from row to row of each plane (`Layout.pitches`); empty where no row is padded.
        matrix, range: of YUV, as in `edge.frames`; None for BT601 below 720 rows and BT709 above, and LIMITED.
    """

    number: int
    size: tuple[int, int] | None
    layout: Layout
    pitches: tuple[int, ...] = ()
    matrix: int | None = None
    range: int | None = None
    turn: int = 0
    every: bool = False

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """Frames as they come; where labelling is slower than the pipe, the reader is slowed down, or frames drop."""
        del notice
        of, size, span = self.layout, self.size, self.range
        is_y4m = size is None
        if is_y4m:
            of, size, span = self._header(stop)
        width, height = size or (0, 0)
        matrix = self.matrix if self.matrix is not None else usual_matrix(height)
        begun, count = time.monotonic(), 0
        while not stop.is_set():
            asked = time.monotonic()
            if is_y4m and not self._line(stop).startswith(b"FRAME"):
                break
            content = bytearray(of.bytes(height, width, self.pitches))
            got = self._fill(memoryview(content), stop)
            if got < len(content):
                if got and not stop.is_set():
                    raise Refused(
                        f"standard input ends within a frame: {got:,} of {len(content):,} bytes of {of.name} at"
                        f" {width} x {height}; are --size, --layout and --stride those of the sender?"
                    )
                break
            now = time.monotonic()
            frame = Frame.of_bytes(
                of, height, width, content, matrix=matrix, range=LIMITED if span is None else span, turn=self.turn,
                pitches=self.pitches,
            )  # fmt: skip
            count += 1
            yield Captured(frame=frame, at=now, time=now - begun, waited=now - asked)
        if count == 0 and not stop.is_set():
            raise Refused("standard input holds no frame; send some, as in: ffmpeg -i FILE -f yuv4mpegpipe -")

    def _header(self, stop: threading.Event) -> tuple[Layout, tuple[int, int], int]:
        line = self._line(stop).decode("ascii", "replace")
        words = {word[:1]: word[1:] for word in line.split()[1:] if word[:1] != "X"}
        names = {"420": "yuv420", "422": "yuv422", "444": "yuv444", "mono": "grey"}
        found = re.match(r"(420|422|444|mono)(?!p1|p9|alpha)", words.get("C", "420"))
        if (
            not line.startswith("YUV4MPEG2 ")
            or found is None
            or not (words.get("W", "") + words.get("H", "")).isdigit()
        ):
            raise Refused(
                "standard input is no Y4M of 8 bits; give --size 640x480 and --layout for frames without headers, or"
                " send: ffmpeg -i FILE -f yuv4mpegpipe -pix_fmt yuv420p -"
            )
        span = FULL if "XCOLORRANGE=FULL" in line or words.get("C") == "420jpeg-full" else LIMITED
        size = int(words.get("W") or 0), int(words.get("H") or 0)
        return layout(names[found[1]]), size, span if self.range is None else self.range

    def _line(self, stop: threading.Event) -> bytes:
        """Bytes up to a line's end; empty at the end of the pipe."""
        line, byte = bytearray(), bytearray(1)
        while len(line) < _HEADER_BYTES and self._fill(memoryview(byte), stop) and byte != b"\n":
            line += byte
        return bytes(line)

    def _fill(self, room: memoryview, stop: threading.Event) -> int:
        """Read until the room is full; how many bytes there were."""
        got = 0
        while got < len(room) and not stop.is_set():
            if select.select([self.number], [], [], PATIENCE)[0]:
                count = os.readv(self.number, [room[got:]])
                if count == 0:
                    break
                got += count
        return got


def usual_matrix(height: int) -> int:
    """The colours that players assume where a video does not say."""
    return BT709 if height >= 720 else BT601
