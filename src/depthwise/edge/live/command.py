"""What `depthwise run --camera` and its kin do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from depthwise.edge.artifact import Artifact
from depthwise.edge.live.choice import source_of
from depthwise.edge.live.loop import Live, Seen
from depthwise.edge.live.show import JsonLines, Line, Saved, print_figures
from depthwise.edge.live.window import Window, watch
from depthwise.edge.terminal import printable
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of live frames; `edge.options` says what each is."""

    camera: str | None = None
    video: str | None = None
    frames: str | None = None
    watch: str | None = None
    size: str | None = None
    layout: str = "rgb"
    stride: str | None = None
    full_range: bool = False
    turn: int = 0
    smooth: float = 0.5
    unknown: float | None = None
    every: bool | None = None
    pace: bool = False
    count: int | None = None
    save: str | None = None
    when: str | None = None
    window: bool = False

    @property
    def is_live(self) -> bool:
        """Whether frames are meant, and not files."""
        return any(one is not None for one in (self.camera, self.video, self.frames, self.watch))


def label_live(artifact: str | os.PathLike[str], asked: Asked, *, threads: int, cpu: str | None, sha256: str | None,
               as_json: bool) -> None:  # fmt: skip
    """Label frames until they end, or `asked.count` of them.

    Raises: Refused, when they cannot be had; KeyboardInterrupt, after what it took was printed.
    """
    if asked.when is not None and asked.save is None:
        raise Refused("--when says which pictures are saved; give --save FOLDER with it")
    with Artifact.open(artifact, threads=threads, cpu=cpu, sha256=sha256) as opened:
        if asked.when is not None and asked.when not in (*opened.labels, "unknown"):
            raise Refused(f"--when: there is no label {asked.when!r}; the first are {', '.join(opened.labels[:5])}")
        source = source_of(
            channels=opened.input_shape[2],
            camera=asked.camera,
            video=asked.video,
            frames=asked.frames,
            watch=asked.watch,
            size=asked.size,
            layout_name=asked.layout,
            stride=asked.stride,
            full_range=asked.full_range,
            turn=asked.turn,
            pace=asked.pace,
        )
        saved = None if asked.save is None else Saved(asked.save, asked.when)
        window = Window("depthwise") if asked.window else None
        with Live(
            opened, source, smooth=asked.smooth, unknown=asked.unknown, every=asked.every, notice=_notice
        ) as live:
            _show(live, asked, saved, window, as_json=as_json)


def _show(live: Live, asked: Asked, saved: Saved | None, window: Window | None, *, as_json: bool) -> None:
    shown = JsonLines() if as_json else Line()
    labelled = _told(live, asked, shown, saved)
    try:
        if window is None:
            for _ in labelled:
                pass
        else:
            watch(window, live, labelled)
    finally:
        if window is not None:
            window.end()
        shown.end()
        if live.figures.frames:
            print_figures(live.figures, live.dropped, as_json=as_json)


def _told(live: Live, asked: Asked, shown: JsonLines | Line, saved: Saved | None) -> Iterator[Seen]:
    """What is seen, once it was printed and saved; `asked.count` of them."""
    for seen in live:
        shown.show(seen, live.figures)
        if saved is not None:
            saved.show(seen)
        yield seen
        if asked.count is not None and seen.number + 1 >= asked.count:
            return


def _notice(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)
