"""Frames as cameras, decoders and pipes give them: where their samples lie in memory, without numpy.

H and W are a frame's height and width in pixels; distances are in bytes.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_int64, c_void_p

from depthwise.errors import Refused
from depthwise.limits import LONGEST_SIDE

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# dw_yuv.matrix and dw_yuv.range of depthwise.h.
BT601, BT709 = 0, 1
LIMITED, FULL = 0, 1
# No camera pads by more; a larger number is a slip of the keyboard, and would take memory.
_LONGEST_STRIDE = 8 * LONGEST_SIDE


class Yuv(ctypes.Structure):
    """dw_yuv of depthwise.h, which says what its fields are."""

    _fields_ = (
        ("y", c_void_p),
        ("u", c_void_p),
        ("v", c_void_p),
        ("y_pitch", c_int64),
        ("uv_pitch", c_int64),
        ("y_step", c_int64),
        ("uv_step", c_int64),
        ("height", c_int32),
        ("width", c_int32),
        ("down", c_int32),
        ("across", c_int32),
        ("matrix", c_int32),
        ("range", c_int32),
    )


class Layout:
    """How the bytes of a frame lie.

    Attributes:
        name: what `--layout` takes.
        about: one line for help.
        channels: of what is not YUV: 3 or 1; else 0.
        down, across: rows and columns that share a U and a V.
        starts: of YUV in planes, the index of the plane and the byte in its rows where Y, U and V begin.
        y_step, uv_step: from a sample to the next.
    """

    def __init__(
        self,
        name: str,
        about: str,
        *,
        channels: int = 0,
        down: int = 1,
        across: int = 1,
        starts: tuple[tuple[int, int], ...] = (),
        y_step: int = 1,
        uv_step: int = 1,
    ) -> None:
        self.name, self.about, self.channels = name, about, channels
        self.down, self.across, self.starts = down, across, starts
        self.y_step, self.uv_step = y_step, uv_step

    def planes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Rows and bytes of a row of each plane, where they lie one behind the other without gaps."""
        if self.channels:
            return [(height, width * self.channels)]
        rows, columns = -(-height // self.down), -(-width // self.across)
        planes = [(height, columns * self.uv_step if self.y_step > 1 else width)]
        more = max(plane for plane, _ in self.starts)
        return planes + [(rows, columns * self.uv_step)] * more

    def pitches(self, width: int, strides: Sequence[int]) -> list[int]:
        """Bytes from row to row of each plane, whose rows are padded.

        Args:
            strides: of each plane, or of the first one; then planes of U and of V have as many times less as they have
                fewer columns, which is what V4L2 means by `bytesperline`.
        Raises: Refused, when that is not as many as there are planes, less than the pixels of a row take, or another
            for U than for V.
        """
        used = [each for _, each in self.planes(1, width)]
        if len(strides) == 1:
            less = self.across if len(used) == 3 else 1
            strides = [strides[0], *[strides[0] // less] * (len(used) - 1)]
        if len(strides) != len(used):
            raise Refused(f"frames {self.name} have {len(used)} planes; give a stride for each, not {len(strides)}")
        if len({*strides[1:]}) > 1:
            raise Refused(f"planes of U and V have strides of {strides[1]} and {strides[2]}; give the same for both")
        for plane, (stride, least) in enumerate(zip(strides, used, strict=True), 1):
            if not least <= stride <= _LONGEST_STRIDE:
                raise Refused(
                    f"a row of plane {plane} of {self.name} has {least:,} bytes of pixels at a width of {width:,}, and"
                    f" lies {stride:,} bytes before the next; the stride must be from {least:,} to {_LONGEST_STRIDE:,}"
                )
        return list(strides)

    def bytes(self, height: int, width: int, pitches: Sequence[int] = ()) -> int:
        """Of a whole frame; `pitches` where rows are padded."""
        planes = self.planes(height, width)
        return sum(rows * pitch for (rows, _), pitch in zip(planes, pitches or [p for _, p in planes], strict=True))


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("rgb", "red, green and blue of each pixel", channels=3),
        Layout("bgr", "blue, green and red of each pixel, as OpenCV has them", channels=3),
        Layout("grey", "one byte a pixel", channels=1),
        Layout("yuv420", "planes of Y, U and V, the last two of half the size (I420)", down=2, across=2,
               starts=((0, 0), (1, 0), (2, 0))),
        Layout("yuv422", "planes of Y, U and V, the last two of half the width", across=2,
               starts=((0, 0), (1, 0), (2, 0))),
        Layout("yuv444", "planes of Y, U and V of the same size", starts=((0, 0), (1, 0), (2, 0))),
        Layout("nv12", "a plane of Y, and one of U and V in turn", down=2, across=2, starts=((0, 0), (1, 0), (1, 1)),
               uv_step=2),
        Layout("nv21", "a plane of Y, and one of V and U in turn (Android)", down=2, across=2,
               starts=((0, 0), (1, 1), (1, 0)), uv_step=2),
        Layout("yuyv", "Y, U, Y, V of two pixels in turn (USB cameras)", across=2, starts=((0, 0), (0, 1), (0, 3)),
               y_step=2, uv_step=4),
        Layout("uyvy", "U, Y, V, Y of two pixels in turn", across=2, starts=((0, 1), (0, 0), (0, 2)), y_step=2,
               uv_step=4),
    )
}  # fmt: skip
# Other programs' names of them (ffmpeg's, V4L2's).
_ALSO = {
    "rgb24": "rgb", "bgr24": "bgr", "gray": "grey", "i420": "yuv420", "yuv420p": "yuv420", "yuvj420p": "yuv420",
    "yuv422p": "yuv422", "yuvj422p": "yuv422", "yuv444p": "yuv444", "yuvj444p": "yuv444", "yuyv422": "yuyv",
    "yuy2": "yuyv", "uyvy422": "uyvy",
}  # fmt: skip


def layout(name: str) -> Layout:
    """The layout of a name.

    Raises: Refused, with those that there are, when there is none.
    """
    found = LAYOUTS.get(_ALSO.get(name.lower(), name.lower()))
    if found is None:
        raise Refused(f"there is no layout of frames {name!r}; there are {', '.join(LAYOUTS)}")
    return found


class Frame:
    """One frame, in memory that it keeps alive.

    Attributes:
        layout: how its bytes lie.
        height, width: of what is shown, in pixels; of a frame that is turned by a quarter, before that.
        matrix, range: of YUV, BT601 or BT709, and LIMITED or FULL.
        turn: by how many degrees it is turned clockwise to stand upright: 0, 90, 180 or 270.
    """

    __slots__ = ("_addresses", "_keep", "_pitches", "height", "layout", "matrix", "range", "turn", "width")

    def __init__(
        self,
        layout: Layout,
        height: int,
        width: int,
        addresses: Sequence[int],
        pitches: Sequence[int],
        keep: Any = None,
        *,
        matrix: int = BT601,
        range: int = LIMITED,
        turn: int = 0,
    ) -> None:
        """Of planes at addresses, whose rows lie `pitches` bytes apart; `keep` holds them as long as it lives."""
        self.layout, self.height, self.width = layout, height, width
        self._addresses, self._pitches, self._keep = tuple(addresses), tuple(pitches), keep
        self.matrix, self.range, self.turn = matrix, range, turn

    @classmethod
    def of_bytes(
        cls, layout: Layout, height: int, width: int, content: Any, *, matrix: int = BT601, range: int = LIMITED,
        turn: int = 0, pitches: Sequence[int] = (),
    ) -> Frame:  # fmt: skip
        """Of bytes that lie one behind the other: `bytes`, a `bytearray` or an array.

        Args:
            pitches: bytes from row to row of each plane, where rows are padded (`Layout.pitches`).
        Raises: Refused, when a side is out of range or there are more or fewer bytes than such a frame has.
        """
        if not 1 <= min(height, width) <= max(height, width) <= LONGEST_SIDE:
            raise Refused(f"a frame has {height:,} x {width:,} pixels; each side must be from 1 to {LONGEST_SIDE:,}")
        size, has = layout.bytes(height, width, pitches), memoryview(content).nbytes
        if has != size:
            raise Refused(f"a frame {layout.name} of {width} x {height} pixels has {size:,} bytes, not {has:,}")
        start, keep = _address(content)
        planes, addresses = layout.planes(height, width), []
        pitches = pitches or [pitch for _, pitch in planes]
        for (rows, _), pitch in zip(planes, pitches, strict=True):
            addresses.append(start)
            start += rows * pitch
        return cls(layout, height, width, addresses, pitches, keep, matrix=matrix, range=range, turn=turn)

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width when it stands upright."""
        return (self.width, self.height) if self.turn in (90, 270) else (self.height, self.width)

    def rgb(self) -> tuple[int, int]:
        """Address and pitch of one that is no YUV."""
        return self._addresses[0], self._pitches[0]

    def yuv(self) -> Yuv:
        """The record that dw_classify_yuv takes; a grey frame is one without U and V."""
        of, turn = self.layout, self.turn
        # A pair of columns is cut in the middle where an odd side is turned round: that side's last pixel stays out.
        height = self.height - (self.height % of.down if turn in (90, 180) and self.height > 1 else 0)
        width = self.width - (self.width % of.across if turn in (180, 270) and self.width > 1 else 0)
        starts = of.starts or ((0, 0),)
        samples = [self._addresses[plane] + byte for plane, byte in starts]
        y_pitch = self._pitches[0]
        uv_pitch, uv_step = (self._pitches[starts[1][0]], of.uv_step) if of.starts else (0, 0)
        rows, columns = (height - 1) // of.down, (width - 1) // of.across
        last = (height - 1, width - 1), (rows, columns)
        y = _turned(turn, samples[0], y_pitch, of.y_step, *last[0])
        uv = [_turned(turn, sample, uv_pitch, uv_step, *last[1]) for sample in samples[1:]]
        down, across = of.down, of.across
        if turn in (90, 270):
            height, width, down, across = width, height, across, down
        return Yuv(
            y=y[0],
            u=uv[0][0] if uv else None,
            v=uv[1][0] if uv else None,
            y_pitch=y[1],
            y_step=y[2],
            uv_pitch=uv[0][1] if uv else 0,
            uv_step=uv[0][2] if uv else 0,
            height=height,
            width=width,
            down=down,
            across=across,
            matrix=self.matrix,
            range=self.range if of.starts else FULL,
        )

    def content(self) -> bytes:
        """Its bytes as `of_bytes` takes them, a copy."""
        parts = []
        for (rows, used), start, pitch in zip(
            self.layout.planes(self.height, self.width), self._addresses, self._pitches, strict=True
        ):
            if pitch == used:
                parts.append(ctypes.string_at(start, rows * used))
            else:
                parts += [ctypes.string_at(start + row * pitch, used) for row in range(rows)]
        return b"".join(parts)


def plain(frame: Frame, channels: int) -> Frame:
    """One that is no YUV as a network of so many channels takes it: upright, red first, or grey."""
    of = frame.layout
    if of.name == "bgr":
        content = bytearray(frame.content())
        content[0::3], content[2::3] = content[2::3], content[0::3]
        frame = Frame.of_bytes(LAYOUTS["rgb"], frame.height, frame.width, content, turn=frame.turn)
    if frame.turn == 0 and of.channels == channels:
        return frame
    from PIL import Image

    modes = {1: "L", 3: "RGB"}
    picture = Image.frombytes(modes[of.channels], (frame.width, frame.height), frame.content())
    if frame.turn:
        picture = picture.transpose(getattr(Image.Transpose, f"ROTATE_{360 - frame.turn}"))
    picture = picture.convert(modes[channels])
    name = {1: "grey", 3: "rgb"}[channels]
    return Frame.of_bytes(LAYOUTS[name], picture.height, picture.width, picture.tobytes())


def _turned(turn: int, start: int, pitch: int, step: int, last_row: int, last_column: int) -> tuple[int, int, int]:
    """First sample, and distances from row to row and from column to column, of a plane that is turned clockwise."""
    if turn == 90:
        return start + last_row * pitch, step, -pitch
    if turn == 180:
        return start + last_row * pitch + last_column * step, -pitch, -step
    if turn == 270:
        return start + last_column * step, -step, pitch
    return start, pitch, step


def _address(content: Any) -> tuple[int, Any]:
    """Where bytes lie, and what keeps them there."""
    if isinstance(content, bytes):
        return ctypes.cast(ctypes.c_char_p(content), c_void_p).value or 0, content
    view = memoryview(content)
    if view.readonly or not view.c_contiguous:
        return _address(view.tobytes())
    # Holding the array of ctypes holds the buffer.
    array = (ctypes.c_char * view.nbytes).from_buffer(content)
    return ctypes.addressof(array), array
