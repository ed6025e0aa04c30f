"""A grid of networks in a folder: a file for each point that is done, so that any process can go on."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from depthwise.beside import Busy, lock
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.jobs.sweep.grid import Point, grid, with_fronts
from depthwise.places import Kind, beginning, not_written
from depthwise.progress import Reporter

SCHEMA, MARK = 1, "depthwise sweep"
DOCUMENT = Kind(name="the document of a sweep", is_one=lambda path: MARK.encode() in beginning(path))
POINT = Kind(name="a point of a sweep", is_one=lambda path: b'"int8_top1"' in beginning(path))
NAME = "sweep.json"
# Seconds between two looks at points that other processes are at.
PAUSE = 5.0
# Trains, quantises and measures one point, from the model folder of another, into a folder; its figures.
Work = Callable[[Point, Path | None, Path], Mapping[str, Any]]


class Store(Protocol):
    """Where points lie beside the folder."""

    def get(self, point: Point) -> dict[str, Any] | None:
        """The figures of a point; None where it is not done."""

    def put(self, point: Point, row: Mapping[str, Any]) -> None:
        """Keep the figures of a point, unless they are there."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be swept.

    Attributes:
        data: as the document calls it.
        out: the folder of all.
        settings: what the figures depend on beside the point.
        recipe: what a search for a recipe found, for the document; None without one.
    """

    data: str
    out: Path
    widths: tuple[float, ...]
    resolutions: tuple[int, ...]
    settings: Mapping[str, Any]
    recipe: Mapping[str, Any] | None = None


def sweep(asked: Asked, work: Work, store: Store | None, reporter: Reporter) -> dict[str, Any]:
    """Work on all points that are not done yet, and return the document, which also lies in the folder.

    Several processes, on several machines that share the folder, may do this at the same time: each takes a point that
    no other is at.

    Raises: Refused, when the folder holds a sweep with other settings, or a point cannot be done.
    """
    try:
        check_settings(asked)
        points = grid(asked.widths, asked.resolutions)
        _keep_all(asked, points, store)
        while left := _left(asked, points, store):
            worked = False
            for point in left:
                worked |= _try(asked, point, work, store, reporter)
            if not worked:
                time.sleep(PAUSE)
        rows = [row for point in points if (row := _done(asked, point, store)) is not None]
        found = {
            "kind": MARK, "schema": SCHEMA, "data": asked.data, "settings": dict(asked.settings),
            **({} if asked.recipe is None else {"recipe": dict(asked.recipe)}), "points": with_fronts(rows),
        }  # fmt: skip
        write_file(asked.out / NAME, (json.dumps(found, indent=1) + "\n").encode(), DOCUMENT)
    except OSError as problem:
        raise not_written(asked.out, problem) from None
    return found


def check_settings(asked: Asked) -> None:
    """See that what lies in the folder is of this sweep, and write down of which it will be.

    Raises: Refused, when it is of another one.
    """
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "settings.json"
    text = json.dumps({"data": asked.data, **asked.settings}, sort_keys=True)
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise Refused(f"{asked.out}: holds a sweep with other settings ({path}); give those, or name another --out")
    else:
        write_file(path, text.encode(), Kind(name="settings", is_one=lambda place: True))


def _keep_all(asked: Asked, points: Sequence[Point], store: Store | None) -> None:
    """Put into the store what a process that was killed had only written into the folder."""
    for point in points:
        found = _done(asked, point, None)
        if store is not None and found is not None:
            store.put(point, found)


def _left(asked: Asked, points: Sequence[Point], store: Store | None) -> list[Point]:
    """Points that are not done, and those that one of them starts from where only another machine has the weights."""
    wanted = {point.name for point in points if _done(asked, point, store) is None}
    # Those that others start from come first.
    for point in reversed(points):
        if point.name in wanted and point.start and not _has_model(asked, point.start):
            wanted.add(point.start)
    return [point for point in points if point.name in wanted]


def _has_model(asked: Asked, name: str) -> bool:
    return (asked.out / name / "model.json").exists()


def _done(asked: Asked, point: Point, store: Store | None) -> dict[str, Any] | None:
    """The figures of a point, from the folder or from the store; None where it is not done."""
    path = _path(asked, point)
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found
    return None if store is None else store.get(point)


def _try(asked: Asked, point: Point, work: Work, store: Store | None, reporter: Reporter) -> bool:
    """Work on a point unless another process does, or what it starts from is not there yet."""
    start = asked.out / point.start if point.start else None
    if start is not None and not _has_model(asked, point.start):
        return False
    place = asked.out / f"{point.name}.work"
    place.mkdir(exist_ok=True)
    with contextlib.suppress(Busy), lock(place):
        if _done(asked, point, None) is not None and _has_model(asked, point.name):
            return True
        reporter.notice(f"width {point.width:g} at {point.resolution} pixels")
        row = {"width": point.width, "resolution": point.resolution, "started_from": point.start or "random weights"}
        row |= work(point, start, asked.out)
        write_file(_path(asked, point), json.dumps(row).encode(), POINT)
        if store is not None:
            store.put(point, row)
        return True
    return False


def _path(asked: Asked, point: Point) -> Path:
    return asked.out / f"{point.name}.json"
