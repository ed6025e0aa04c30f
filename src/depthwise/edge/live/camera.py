"""Cameras, by the names that each system has for them, through PyAV; nothing of a network is opened."""

from __future__ import annotations

import errno
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depthwise.edge.live.decoder import decoded, pyav, stream_of
from depthwise.edge.live.source import Captured, Notice
from depthwise.errors import Refused

# The input of ffmpeg that has each system's cameras, by sys.platform.
_INPUTS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
# AVFMT_FLAG_NONBLOCK of ffmpeg: a camera that says nothing is asked again, and does not hold the thread.
_NONBLOCK = {"fflags": "+4"}
# Seconds between looks for a camera that went away, and between those for a packet.
_AGAIN, _LOOK = 1.0, 0.002
# Seconds without a picture after which a camera is opened anew, and until it must have sent its first.
_SILENCE, _FIRST = 5.0, 10.0
# Pixels above which USB cameras send raw pictures slowly, and those of JPEG at their full rate.
_RAW = 640 * 480

# Why a camera cannot be opened, and what to do, by errno.
_REASONS = {
    errno.EACCES: "this user may not use it; on Linux: sudo usermod -aG video $USER, then log in again; on a Mac allow"
    " it to the terminal under Privacy & Security",
    errno.EBUSY: "another program uses it; end that one first",
    errno.ENOTTY: "is no camera, or a part of one that gives no pictures; try the other numbers",
    errno.EINVAL: "gives its pictures in no layout that can be read; those of a Raspberry Pi's own camera come by"
    " rpicam-vid and --frames -, as docs/live.md shows",
    errno.ENOSPC: "its bus has no room for its pictures; ask for smaller ones, with --size 320x240, or plug it in"
    " elsewhere",
    errno.EIO: "the system refuses it; does it have pictures of that --size?",
}  # fmt: skip
_REASONS |= {errno.EPERM: _REASONS[errno.EACCES], errno.ENOMEM: _REASONS[errno.ENOSPC]}
_REASONS |= dict.fromkeys((errno.ENODEV, errno.ENOSYS, errno.EISDIR), _REASONS[errno.ENOTTY])


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera of this machine.

    Attributes:
        name: its number, path or name, or FORMAT:NAME as ffmpeg's inputs are called, such as `lavfi:testsrc`.
        size: (width, height) that it is asked for; None for its own choice.
    """

    name: str
    size: tuple[int, int] | None = None
    turn: int = 0
    every: bool = False

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """Frames without an end: a camera that has worked and goes away is waited for."""
        av = pyav()
        begun = time.monotonic()
        has_worked, said = False, ""
        while not stop.is_set():
            is_here = False
            try:
                for captured in self._session(av, stop, notice):
                    if not is_here:
                        notice(f"camera {self.name}: {captured.frame.width} x {captured.frame.height}")
                    is_here = has_worked = True
                    # Cameras' clocks begin anew when they come back.
                    yield replace(captured, time=captured.at - begun)
                reason = f"camera {self.name}: gives no picture; is another program using it?"
            except Refused as refusal:
                reason = str(refusal)
            if stop.is_set():
                return
            if not has_worked:
                raise Refused(reason)
            if is_here:
                said = ""
                notice(f"camera {self.name}: went away, waiting for it")
            elif reason != said:
                said = reason
                notice(reason)
            stop.wait(_AGAIN)

    def _session(self, av: Any, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """Frames from when it is opened until it goes away.

        Raises: Refused, with the reason, when it cannot be opened or goes away.
        """
        with self._open(av) as container:
            stream = stream_of(container, f"camera {self.name}")
            try:
                yield from decoded(av, stream, _packets(av, container, stream, stop), self.turn, stop, notice)
            except TimeoutError:
                raise Refused(
                    f"camera {self.name}: sends nothing; is another program using it? Unplug it, and plug it in again"
                ) from None
            except av.error.FFmpegError as problem:
                raise Refused(f"camera {self.name}: {problem.strerror}; is it plugged in?") from None

    def _open(self, av: Any) -> Any:
        form, device = self._named(av)
        ways = [{} if self.size is None else {"video_size": f"{self.size[0]}x{self.size[1]}"}]
        if form == "avfoundation":
            # Its own rate is 29.97, which cameras of Macs lack, and other cameras lack what those have.
            ways = [{**ways[0], "framerate": rate} for rate in ("30", "ntsc", "25", "15")]
        if form == "v4l2" and self.size is not None and self.size[0] * self.size[1] > _RAW:
            ways.insert(0, {**ways[0], "input_format": "mjpeg"})
        for options in ways:
            try:
                return av.open(
                    device,
                    format=form,
                    # Not `options`, which decoders take as well: they would believe in a size that a camera lacks.
                    container_options={**options, **_NONBLOCK, "protocol_whitelist": "file"},
                    metadata_errors="replace",
                    timeout=(_FIRST, None),
                )
            except (av.error.FFmpegError, ValueError) as problem:
                failed = problem
        raise Refused(self._reason(av, form, device, failed))

    def _named(self, av: Any) -> tuple[str, str]:
        """The input of ffmpeg, and its name of the camera."""
        if "://" in self.name:
            raise Refused(
                f"camera {self.name}: is an address, and depthwise opens no connection; give a camera's number"
            )
        named = re.fullmatch(r"([a-z]\w+):(.+)", self.name)
        form, device = (named[1], named[2]) if named else (_INPUTS.get(sys.platform, "v4l2"), self.name)
        if form == "v4l2" and device.isdigit():
            return form, f"/dev/video{device}"
        if form == "dshow" and device.isdigit():
            # DirectShow has names and no numbers.
            there = [name for name, _ in _there(av, form)]
            if int(device) >= len(there):
                raise Refused(f"camera {self.name}: there is none of this number; {_listed(av, form)}")
            device = there[int(device)]
        if form == "dshow" and not device.startswith("video="):
            device = f"video={device}"
        return form, device

    def _reason(self, av: Any, form: str, device: str, problem: Any) -> str:
        """A sentence on why it cannot be opened."""
        number = getattr(problem, "errno", None) or 0
        if form == "v4l2" and Path(device).is_file():
            return f"camera {self.name}: is a file; give it with --video {device}"
        if number == errno.ENOENT:
            return f"camera {self.name}: there is no {device}; {_listed(av, form)}"
        what = getattr(problem, "strerror", None) or str(problem)
        return f"camera {self.name}: cannot be opened ({what}): {_REASONS.get(number, 'give a camera that works')}"


def _packets(av: Any, container: Any, stream: Any, stop: threading.Event) -> Iterator[Any]:
    """Packets as they come, in memory of their own; None for one that was damaged on its way.

    Raises: TimeoutError, when none comes for a time; av.error.FFmpegError, when the camera goes away.
    """
    is_driver = "v4l2" in container.format.name
    # Looks and not seconds: where the processor is busy with others, many pass between two looks.
    looks = 0
    while not stop.is_set():
        try:
            # Not one generator for all: it would hold a packet, and is at its end once it has raised.
            packet = _own(av, next(container.demux(stream)), is_driver=is_driver)
        except av.error.BlockingIOError:
            looks += 1
            if looks * _LOOK > _SILENCE:
                raise TimeoutError from None
            stop.wait(_LOOK)
            continue
        except (av.error.InvalidDataError, EOFError):
            return
        looks = 0
        yield packet


def _own(av: Any, packet: Any, *, is_driver: bool) -> Any | None:
    """A packet that may outlive its camera: one in the driver's memory, which goes with the camera, is copied.

    Returns: None for one that was lost.
    Raises: EOFError, for the one behind the last.
    """
    if packet.size == 0:
        if packet.pts is None:
            raise EOFError
        return None
    if not is_driver:
        return packet
    # A packet of a packet, or of a view of it, would be the same memory.
    own = av.Packet(bytes(packet))
    own.pts, own.dts, own.time_base = packet.pts, packet.dts, packet.time_base
    return own


def _there(av: Any, form: str) -> list[tuple[str, str]]:
    """Name and description of the cameras that an input has, where this PyAV can tell."""
    try:
        devices = av.enumerate_input_devices(form)
    except (AttributeError, ValueError, av.error.FFmpegError):
        return []
    return [
        (one.name, one.description) for one in devices if "audio" not in one.media_types or "video" in one.media_types
    ]


def _listed(av: Any, form: str) -> str:
    there = _there(av, form)
    if not there:
        return "this system shows no camera; a container has those that it is given (docker run --device /dev/video0)"
    return f"there are {', '.join(f'{name} ({about})' for name, about in there)}"
