"""The loop: a thread that captures, and labels of the newest frame."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import Frame
from depthwise.edge.live.newest import Newest
from depthwise.edge.live.smoothing import UNKNOWN, Smoothing, threshold_of
from depthwise.edge.live.source import Captured, Notice, Source
from depthwise.edge.live.times import Times

# Seconds that the end waits for the thread that captures; a camera's driver may not answer.
_PATIENCE = 2.0
STAGES = ("capture", "decode", "resize", "network")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen in a frame.

    Attributes:
        number: of the frame, from 0 on, of those that were labelled.
        time: when it was taken, in seconds by the clock of its source.
        label: the likeliest, or "unknown".
        probability: of the likeliest label, averaged over time.
        probabilities: of all labels, averaged over time.
        age: seconds from when the frame was there to when its label was.
        dropped: frames so far that were never labelled, as newer ones came.
        frame: where its pixels lie.
    """

    number: int
    time: float
    label: str
    probability: float
    probabilities: list[float]
    age: float
    dropped: int
    frame: Frame


@dataclass
class Figures:
    """What a loop took so far.

    Attributes:
        frames: that were labelled.
        stages: seconds of each stage, by name of `STAGES`.
        age: seconds from when a frame was there to when its label was.
    """

    frames: int = 0
    begun: float = 0.0
    ended: float = 0.0
    stages: dict[str, Times] = field(default_factory=lambda: {name: Times() for name in STAGES})
    age: Times = field(default_factory=Times)

    @property
    def rate(self) -> float:
        """Labelled frames a second, from the first label to the last."""
        passed = self.ended - self.begun
        return (self.frames - 1) / passed if passed > 0 else 0.0

    def document(self, dropped: int) -> dict[str, Any]:
        """As JSON values; milliseconds."""
        stages = {name: times.milliseconds() for name, times in self.stages.items()}
        return {
            "frames": self.frames,
            "dropped": dropped,
            "frames_per_second": round(self.rate, 2),
            "milliseconds": {**stages, "age": self.age.milliseconds()},
        }


class Live:
    """Labels of frames as they come, one `Seen` after the other; close it, or use it in a `with` block.

    Args:
        artifact: an open artifact.
        is_owner: whether it is closed with the loop.
        source: where frames come from.
        smooth: seconds over which probabilities are averaged; 0 for none of that.
        unknown: below which probability a label is "unknown"; None for what the artifact says.
        every: whether each frame is labelled and the source waits, or the newest alone; None for what the source is.
        notice: told of what happens beside, a sentence each.
    """

    def __init__(
        self,
        artifact: Artifact,
        source: Source,
        *,
        smooth: float = 0.5,
        unknown: float | None = None,
        every: bool | None = None,
        notice: Notice | None = None,
        is_owner: bool = False,
    ) -> None:
        self._artifact, self._source, self._is_owner = artifact, source, is_owner
        self._unknown = threshold_of(artifact.record) if unknown is None else unknown
        self._smoothing = Smoothing(smooth)
        self._notice = notice or (lambda text: None)
        self._place = Newest(waits=source.every if every is None else every)
        self._stop = threading.Event()
        self._pixels = artifact.pixels()
        self.figures = Figures()
        self._thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        self._thread.start()

    def _capture(self) -> None:
        self._place.fill(self._source.frames(self._stop, self._notice))

    @property
    def dropped(self) -> int:
        """Frames that were never labelled, as newer ones came."""
        return self._place.dropped

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Seen:
        captured = self._place.take()
        if captured is None:
            raise StopIteration
        return self._label(captured)

    def _label(self, captured: Captured) -> Seen:
        begun = time.monotonic()
        self._artifact.prepare_frame(captured.frame, self._pixels)
        prepared = time.monotonic()
        probabilities = self._artifact.run_prepared(self._pixels)
        ended = time.monotonic()
        average = self._smoothing.add(probabilities, captured.time)
        best = max(range(len(average)), key=average.__getitem__)
        figures = self.figures
        for name, seconds in zip(
            STAGES, (captured.waited, captured.decoded, prepared - begun, ended - prepared), strict=True
        ):
            figures.stages[name].add(seconds)
        figures.age.add(ended - captured.at)
        figures.begun, figures.ended = figures.begun or ended, ended
        figures.frames += 1
        return Seen(
            number=figures.frames - 1,
            time=captured.time,
            label=self._artifact.labels[best] if average[best] >= self._unknown else UNKNOWN,
            probability=average[best],
            probabilities=average,
            age=ended - captured.at,
            dropped=self.dropped,
            frame=captured.frame,
        )

    def close(self) -> None:
        """End the thread that captures, and give the camera back."""
        self._stop.set()
        self._place.close()
        self._thread.join(_PATIENCE)
        if self._is_owner:
            self._artifact.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()
