"""Every image of a folder or of shards to a row with its label; a job that was killed goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from depthwise.beside import lock, remove
from depthwise.cores import cores
from depthwise.data.item import Item
from depthwise.data.shards.reading import is_shards, stream
from depthwise.data.unlabelled import every_picture
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.jobs.classify.cluster import on_ray
from depthwise.jobs.classify.labels import Labelling, Part, Rows, least_side
from depthwise.jobs.classify.processes import here, several
from depthwise.jobs.classify.tables import Table, table_for
from depthwise.places import Kind, check_output, not_written
from depthwise.progress import Reporter

# Images that are labelled together, and written as one part.
TOGETHER = 500
PLAN = Kind(name="the plan of a classification", is_one=lambda path: True)
_PLAN = "plan.json"


@dataclass(frozen=True, kw_only=True)
class Classified:
    """What was done.

    Attributes:
        images: rows of the result.
        failed: those among them with a reason instead of a label.
        done_before: rows that were there from a job that was stopped.
        seconds: since the start of this one.
    """

    images: int
    failed: int
    done_before: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be done.

    Attributes:
        data: the folder of images or of shards.
        out: a .parquet, .csv or .jsonl file; a name without an ending is a folder, whose parts are not joined.
        how: with which artifact, and how.
        processes: on this machine; None for one a core.
        ray: address of a cluster, or None.
        together: images of a part.
        force: replace results that lie at `out`.
    """

    data: Path
    out: Path
    how: Labelling
    processes: int | None = None
    ray: str | None = None
    together: int = TOGETHER
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where parts lie."""
        return self.out.with_name(f"{self.out.name}.parts") if self.out.suffix else self.out


def labelling(artifact: Path, *, top: int, reduced: float) -> Labelling:
    """How an artifact labels, which is opened to see that it can.

    Raises: Refused, when it cannot be opened.
    """
    try:
        digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    except OSError as problem:
        raise Refused(f"{artifact}: cannot be read ({problem.strerror}); give an artifact") from None
    with Artifact.open(artifact, sha256=digest) as opened:
        least_side(opened, reduced)
    return Labelling(artifact=artifact.resolve(), sha256=digest, top=top, reduced=reduced)


def classify(asked: Asked, reporter: Reporter) -> Classified:
    """Label all images; each has exactly one row at the end, however often the job was stopped.

    Raises: Refused, when something else lies at `out`, it cannot be written, or what lies there from before is of
        another artifact or other settings.
    """
    table, began = table_for(asked.out), time.monotonic()
    if asked.out.suffix:
        check_output(asked.out, table.kind, force=asked.force)
    with contextlib.ExitStack() as held:
        _prepare(asked, table, held)
        count, images = _images(asked.data)
        if not count:
            raise Refused(f"{asked.data}: holds no image; give a folder of images, or of shards")
        state = _State(asked, table, reporter, count)
        reporter.begin("classifying", -(-count // asked.together), 0)
        try:
            for part, rows in _answers(state.left(_parts(images, asked)), asked):
                state.keep(part, rows)
        finally:
            reporter.end()
        state.remove_others()
        if asked.out.suffix:
            table.join((state.path(number) for number in range(state.parts)), asked.out)
            remove(asked.folder)
    return Classified(
        images=state.images, failed=state.failed, done_before=state.before, seconds=time.monotonic() - began
    )


def _prepare(asked: Asked, table: Table, held: contextlib.ExitStack) -> None:
    """Make and lock the folder of parts, and see that what is in it is of this job."""
    how = asked.how
    plan = {"data": str(asked.data.resolve()), "artifact": how.sha256, "top": how.top, "reduced": how.reduced}
    text = json.dumps({**plan, "together": asked.together, "format": table.suffix})
    folder, path = asked.folder, asked.folder / _PLAN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held.enter_context(lock(folder))
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise Refused(f"{folder}: holds results of another artifact, data or settings; remove it, or name another")
        if not path.exists():
            if any(folder.iterdir()):
                raise Refused(f"{folder}: exists and holds other files; choose another --out")
            write_file(path, text.encode(), PLAN)
    except OSError as problem:
        raise not_written(folder, problem) from None


def _images(data: Path) -> tuple[int, Iterator[Path]]:
    """How many images there are, and each."""
    if is_shards(data):
        return stream(data)
    paths = list(every_picture(data))
    return len(paths), iter(paths)


def _parts(images: Iterator[Path], asked: Asked) -> Iterator[Part]:
    root = asked.data if asked.data.is_dir() else asked.data.parent
    number = 0
    while paths := tuple(islice(images, asked.together)):
        yield Part(number, paths, tuple(Item(path, 0).name(root) for path in paths))
        number += 1


def _answers(parts: Iterator[Part], asked: Asked) -> Iterator[tuple[Part, Rows]]:
    if asked.ray is not None:
        return on_ray(parts, asked.how, asked.ray)
    processes = cores() if asked.processes is None else asked.processes
    return here(parts, asked.how) if processes == 1 else several(parts, asked.how, processes)


class _State:
    """Which parts are there, and how fast it goes."""

    def __init__(self, asked: Asked, table: Table, reporter: Reporter, count: int) -> None:
        self._asked, self._table, self._reporter, self._count = asked, table, reporter, count
        self._began = time.monotonic()
        self.parts = self.images = self.before = self.failed = 0

    def path(self, number: int) -> Path:
        """Where a part lies."""
        return self._asked.folder / f"part-{number:08d}{self._table.suffix}"

    def left(self, parts: Iterator[Part]) -> Iterator[Part]:
        """The parts that are not there yet, or are there for other images than now."""
        for part in parts:
            self.parts += 1
            path = self.path(part.number)
            held = self._table.held(path) if path.exists() else None
            if held is not None and held.names == list(part.names):
                self.images += len(part.names)
                self.failed += held.failed
                self.before += len(part.names)
                self._reporter.advance()
            else:
                yield part

    def remove_others(self) -> None:
        """Remove parts of images that are no longer there."""
        for path in self._asked.folder.glob(f"part-*{self._table.suffix}"):
            if path.stem > self.path(self.parts - 1).stem:
                path.unlink()

    def keep(self, part: Part, rows: Rows) -> None:
        """Write the rows of a part, whole, and tell how fast it goes."""
        assert tuple(rows.path) == part.names
        self._table.write(self.path(part.number), rows)
        self.images += len(rows)
        self.failed += rows.failed
        speed = (self.images - self.before) / max(time.monotonic() - self._began, 1e-9)
        left = (self._count - self.images) / speed
        self._reporter.advance(speed=f"{speed:,.0f}/s", left=duration(left))


def duration(seconds: float) -> str:
    """Time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
