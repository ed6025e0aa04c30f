"""What is seen of a loop: a line that changes, lines of JSON, saved pictures, and figures at the end."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from depthwise.edge.frames import BT601, LIMITED, Frame
from depthwise.edge.live.loop import STAGES, Figures, Seen
from depthwise.edge.terminal import printable
from depthwise.errors import Refused

# The line of a terminal changes, and pictures are saved, no oftener than this, in seconds.
_LINE, _PICTURE = 0.1, 1.0


class Line:
    """One line of a terminal that changes; of a pipe a line whenever the label changes."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._shown, self._last = 0.0, ""

    def show(self, seen: Seen, figures: Figures) -> None:
        """Tell of what was seen."""
        now = time.monotonic()
        if not self._is_terminal:
            if seen.label != self._last:
                print(f"{seen.time:9.2f} s  {seen.probability:7.2%}  {printable(seen.label)}", flush=True)
            self._last = seen.label
            return
        if now - self._shown < _LINE:
            return
        self._shown = now
        network = figures.stages["network"]
        text = (
            f"{seen.probability:7.2%}  {printable(seen.label)}  |  {figures.rate:.1f} frames/s, {seen.dropped:,}"
            f" dropped, network p50 {network.quantile(0.5) * 1e3:.2f} p99 {network.quantile(0.99) * 1e3:.2f} ms,"
            f" age {seen.age * 1e3:.1f} ms"
        )
        width = os.get_terminal_size().columns - 1
        sys.stdout.write("\r" + text[:width].ljust(width))
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line as it is."""
        if self._is_terminal and self._shown:
            print()


class JsonLines:
    """One document a line and a frame; at the end one with `summary`."""

    def show(self, seen: Seen, figures: Figures) -> None:
        """Tell of what was seen."""
        del figures
        document = {
            "schema": 1,
            "frame": seen.number,
            "time": round(seen.time, 4),
            "label": seen.label,
            "probability": seen.probability,
            "age_ms": round(seen.age * 1e3, 3),
            "dropped": seen.dropped,
        }
        sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
        # Who reads it wants it while it is true.
        sys.stdout.flush()

    def end(self) -> None:
        """Nothing is left open."""


def print_figures(figures: Figures, dropped: int, *, as_json: bool) -> None:
    """What it took: on stderr as a table, or as the last line of JSON."""
    document = figures.document(dropped)
    if as_json:
        print(json.dumps({"schema": 1, "summary": document}), flush=True)
        return
    lines = [f"{figures.frames:,} frames labelled, {dropped:,} dropped, {figures.rate:.1f} frames/s"]
    lines.append(f"{'ms':>8} {'p50':>9} {'p95':>9} {'p99':>9}")
    for name in (*STAGES, "age"):
        lines.append(f"{name:>8} " + " ".join(f"{value:9.3f}" for value in document["milliseconds"][name].values()))
    print("\n".join(lines), file=sys.stderr)


class Saved:
    """Pictures of frames with a label, in a folder; at most one a second.

    Args:
        folder: which is made where it is not there.
        when: the label; None for any that is new.
    """

    def __init__(self, folder: str, when: str | None) -> None:
        self._folder, self._when = folder, when
        self._at, self._last = -_PICTURE, ""
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise Refused(f"{folder}: cannot be made ({problem.strerror}); choose another folder") from None

    def show(self, seen: Seen) -> None:
        """Save a frame if it is one of those."""
        wanted = seen.label != self._last if self._when is None else seen.label == self._when
        self._last = seen.label
        if not wanted or time.monotonic() - self._at < _PICTURE:
            return
        self._at = time.monotonic()
        name = re.sub(r"[^\w-]+", "_", seen.label)[:80]
        path = Path(self._folder, f"{int(time.time() * 1000)}-{name}.jpg")
        try:
            as_picture(seen.frame).save(path, quality=92)
        except OSError as problem:
            raise Refused(f"{path}: cannot be written ({problem.strerror or problem}); make room") from None


def as_picture(frame: Frame) -> Any:
    """A frame as an upright image of Pillow in RGB, for people to look at."""
    from PIL import Image

    of, size = frame.layout, (frame.width, frame.height)
    content = frame.content()
    if of.channels == 1:
        picture = Image.frombytes("L", size, content).convert("RGB")
    elif of.channels == 3:
        picture = Image.frombytes("RGB", size, content, "raw", "BGR" if of.name == "bgr" else "RGB")
    else:
        planes = [Image.frombytes("L", *plane).resize(size) for plane in _planes(frame, content)]
        picture = Image.merge("RGB", planes).convert("RGB", _matrix(frame))
    return picture.transpose(getattr(Image.Transpose, f"ROTATE_{360 - frame.turn}")) if frame.turn else picture


def _planes(frame: Frame, content: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Size and bytes of Y, U and V, each on its own."""
    of, starts, found = frame.layout, [], []
    begin = 0
    for rows, pitch in of.planes(frame.height, frame.width):
        starts.append((begin, rows, pitch))
        begin += rows * pitch
    for index, (plane, byte) in enumerate(of.starts):
        first, rows, pitch = starts[plane]
        step = of.y_step if index == 0 else of.uv_step
        columns = frame.width if index == 0 else -(-frame.width // of.across)
        lines = (content[first + row * pitch + byte : first + (row + 1) * pitch : step] for row in range(rows))
        found.append(((columns, rows), b"".join(line[:columns] for line in lines)))
    return found


def _matrix(frame: Frame) -> tuple[float, ...]:
    """What makes red, green and blue of Y, U and V, as Pillow takes it: three rows of four."""
    red, blue = (0.299, 0.114) if frame.matrix == BT601 else (0.2126, 0.0722)
    y, c, black = (255 / 219, 255 / 224, 16) if frame.range == LIMITED else (1.0, 1.0, 0)
    r, b = 2 * (1 - red) * c, 2 * (1 - blue) * c
    green = 1 - red - blue
    gu, gv = -b * blue / green, -r * red / green
    rows = ((y, 0.0, r), (y, gu, gv), (y, b, 0.0))
    return tuple(value for row in rows for value in (*row, -black * row[0] - 128 * (row[1] + row[2])))
