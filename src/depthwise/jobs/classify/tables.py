"""Rows as files: Parquet, CSV or lines of JSON; each is written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.jobs.classify.labels import Rows
from depthwise.places import Kind, beginning, not_written

COLUMNS = ("path", "label", "probability", "top_labels", "top_probabilities", "reason")
_HEADING = ",".join(COLUMNS).encode()
_STEP = 2**22


class Held(NamedTuple):
    """The column `path` of a file, and how many rows have a reason instead of a label."""

    names: list[str]
    failed: int


class Table(Protocol):
    """A format of tables."""

    suffix: str
    kind: Kind

    def write(self, path: Path, rows: Rows) -> None:
        """One file, which appears whole."""

    def held(self, path: Path) -> Held | None:
        """What a file holds; None where it is none of this format."""

    def join(self, paths: Iterable[Path], out: Path) -> None:
        """All rows of some files, in their order, as one file, which appears whole."""


def table_for(out: Path) -> Table:
    """The format that a name asks for; of a name without an ending, the folder's, that of its parts.

    Raises: Refused, when there is none of it, or its package is not installed.
    """
    if out.suffix == ".csv":
        return Csv()
    if out.suffix == ".jsonl":
        return Lines()
    if out.suffix not in (".parquet", ""):
        raise Refused(f"{out}: results are written as .parquet, .csv or .jsonl, or into a folder of parts; name one")
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError:
        raise Refused(
            f"{out}: Parquet needs pyarrow, which is not installed; run: pip install 'depthwise[many]', or name a"
            " .csv or .jsonl file"
        ) from None
    return Parquet()


class Csv:
    """Comma-separated values; a column of several values is a list in JSON."""

    suffix = ".csv"
    kind = Kind(
        name="results of classify",
        is_one=lambda path: beginning(path).startswith(_HEADING),
        worth=lambda path: "results of a classification",
    )

    def write(self, path: Path, rows: Rows) -> None:
        """One file, which appears whole."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in zip(*(getattr(rows, name) for name in COLUMNS), strict=True):
            writer.writerow(json.dumps(value) if isinstance(value, list) else value for value in row)
        write_file(path, text.getvalue().encode("utf-8", "backslashreplace"), self.kind)

    def held(self, path: Path) -> Held | None:
        """What a file holds; None where it is none of this format."""
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            if any(None in row.values() for row in rows):  # a row that was cut off
                return None
            return Held([row["path"] for row in rows], sum(bool(row["reason"]) for row in rows))
        except (OSError, KeyError, UnicodeDecodeError, csv.Error):
            return None

    def join(self, paths: Iterable[Path], out: Path) -> None:
        """All rows of some files, in their order, as one file, which appears whole."""
        _join_bytes(self._parts(paths), out)

    def _parts(self, paths: Iterable[Path]) -> Iterator[bytes]:
        yield _HEADING + b"\n"
        for path in paths:
            yield path.read_bytes().partition(b"\n")[2]


class Lines:
    """A JSON object a line."""

    suffix = ".jsonl"
    kind = Kind(
        name="results of classify",
        is_one=lambda path: beginning(path).startswith(b'{"path": '),
        worth=lambda path: "results of a classification",
    )

    def write(self, path: Path, rows: Rows) -> None:
        """One file, which appears whole."""
        columns = zip(*(getattr(rows, name) for name in COLUMNS), strict=True)
        lines = (json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in columns)
        write_file(path, "".join(lines).encode(), self.kind)

    def held(self, path: Path) -> Held | None:
        """What a file holds; None where it is none of this format."""
        try:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            return Held([row["path"] for row in rows], sum(row["reason"] is not None for row in rows))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def join(self, paths: Iterable[Path], out: Path) -> None:
        """All rows of some files, in their order, as one file, which appears whole."""
        _join_bytes((path.read_bytes() for path in paths), out)


class Parquet:
    """Parquet, compressed by zstd; columns of several values are lists."""

    suffix = ".parquet"
    kind = Kind(
        name="results of classify",
        is_one=lambda path: _is_ours(path),
        worth=lambda path: "results of a classification",
    )

    def write(self, path: Path, rows: Rows) -> None:
        """One file, which appears whole."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = io.BytesIO()
        columns = {name: getattr(rows, name) for name in COLUMNS}
        pq.write_table(pa.table(columns, schema=_schema()), content, compression="zstd")
        write_file(path, content.getvalue(), self.kind)

    def held(self, path: Path) -> Held | None:
        """What a file holds; None where it is none of this format."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = pq.read_table(path, columns=["path", "reason"])
            reasons = found.column("reason")
            return Held(found.column("path").to_pylist(), len(reasons) - reasons.null_count)
        except (OSError, KeyError, pa.ArrowException):
            return None

    def join(self, paths: Iterable[Path], out: Path) -> None:
        """All rows of some files, in their order, as one file, which appears whole."""
        import pyarrow.parquet as pq

        part = out.with_name(f".{out.name}.part")
        try:
            with pq.ParquetWriter(part, _schema(), compression="zstd") as writer:
                for path in paths:
                    writer.write_table(pq.read_table(path, schema=_schema()))
            part.replace(out)
        except OSError as problem:
            raise not_written(out, problem) from None


def _schema() -> Any:
    import pyarrow as pa

    fields = [
        ("path", pa.string()),
        ("label", pa.string()),
        ("probability", pa.float32()),
        ("top_labels", pa.list_(pa.string())),
        ("top_probabilities", pa.list_(pa.float32())),
        ("reason", pa.string()),
    ]
    return pa.schema(fields, metadata={"depthwise": "results"})


def _is_ours(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return b"depthwise" in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def _join_bytes(parts: Iterable[bytes], out: Path) -> None:
    fresh = out.with_name(f".{out.name}.part")
    try:
        with fresh.open("wb") as file:
            file.writelines(parts)
        fresh.replace(out)
    except OSError as problem:
        raise not_written(out, problem) from None
