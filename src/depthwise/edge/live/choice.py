"""Which source is meant by what a user gave, on a command line or from Python."""

from __future__ import annotations

import os
import re

from depthwise.edge.frames import FULL, LIMITED, layout
from depthwise.edge.live.camera import Camera
from depthwise.edge.live.decoder import Video
from depthwise.edge.live.folder import Folder
from depthwise.edge.live.source import Pipe, Source
from depthwise.errors import Refused

TURNS = (0, 90, 180, 270)


def source_of(
    *,
    channels: int,
    camera: str | int | None = None,
    video: str | os.PathLike[str] | None = None,
    frames: str | int | None = None,
    watch: str | os.PathLike[str] | None = None,
    size: str | None = None,
    layout_name: str = "rgb",
    stride: str | None = None,
    full_range: bool = False,
    turn: int = 0,
    pace: bool = False,
) -> Source:
    """The source of frames; one of `camera`, `video`, `frames` and `watch` is given.

    Args:
        channels: of the network.
        camera: number, path, or FORMAT:NAME as ffmpeg's devices are called.
        frames: "-" for standard input, or a file descriptor.
        size: of frames without headers, or that a camera is asked for, as "640x480".
        stride: bytes from row to row of frames without headers, as "1408", or of each plane, as "1408,704,704".
        full_range: whether frames without headers in YUV have black at 0 and white at 255.
        turn: degrees clockwise until frames stand upright.
        pace: whether a video plays at its own speed.
    Raises: Refused, when none or several are given, or a setting is not what it should be.
    """
    given = [name for name, value in (("camera", camera), ("video", video), ("frames", frames), ("watch", watch))
             if value is not None]  # fmt: skip
    if len(given) != 1:
        raise Refused(f"frames come from one of --camera, --video, --frames and --watch, not from {len(given)} of them")
    if turn not in TURNS:
        raise Refused(f"--turn is {turn}; give 90, 180 or 270, the degrees clockwise until pictures stand upright")
    pixels = _size(size)
    if camera is not None:
        return Camera(name=str(camera), size=pixels, turn=turn)
    if video is not None:
        return Video(path=os.fspath(video), turn=turn, pace=pace, every=not pace)
    if watch is not None:
        return Folder(path=os.fspath(watch), channels=channels)
    if frames not in ("-", 0) and not isinstance(frames, int):
        raise Refused(f"--frames is {frames!r}; give - for standard input, or --video for a file")
    number = 0 if frames == "-" else int(frames or 0)
    of, strides = layout(layout_name), _strides(stride)
    if strides and pixels is None:
        raise Refused("--stride is of frames without headers; give --size and --layout with it")
    return Pipe(
        number=number,
        size=pixels,
        layout=of,
        pitches=tuple(of.pitches(pixels[0], strides)) if strides and pixels else (),
        range=FULL if full_range else LIMITED if pixels else None,
        turn=turn,
    )


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None or not int(found[1]) or not int(found[2]):
        raise Refused(f"--size is {text!r}; give width and height in pixels, as in 640x480")
    return int(found[1]), int(found[2])


def _strides(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    if re.fullmatch(r"\d{1,7}(,\d{1,7}){0,2}", text) is None:
        raise Refused(f"--stride is {text!r}; give the bytes of a row with its padding, as in 1408 or 1408,704,704")
    return tuple(int(part) for part in text.split(","))
