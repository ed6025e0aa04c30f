"""Every image has exactly one row, whatever ended the job before; tables agree with what the artifact says."""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depthwise.data.sharding import Sharding, shard
from depthwise.edge.artifact import Artifact
from depthwise.edge.decoding import picture
from depthwise.errors import Refused
from depthwise.jobs.classify.classify import Asked, classify, labelling
from depthwise.jobs.classify.labels import Labelling, least_side
from depthwise.progress import Silent
from tools.plain_artifact import changed, plain_artifact

ImageFolder = Callable[..., Path]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says how much red, green and blue is in an image."""
    return plain_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture
def how(artifact: Path) -> Labelling:
    return labelling(artifact, top=2, reduced=0)


@pytest.fixture
def data(image_folder: ImageFolder) -> Path:
    made = image_folder(images=10)
    (made / "cat" / "cut.png").write_bytes((made / "cat" / "000.png").read_bytes()[:80])
    (made / "dog" / 'a, "b"\nc.png').write_bytes((made / "dog" / "000.png").read_bytes())
    return made


def asked(data: Path, out: Path, how: Labelling, **settings: Any) -> Asked:
    return Asked(data=data, out=out, how=how, **{"processes": 1, "together": 4, **settings})


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", [".csv", ".jsonl"])
def test_every_image_has_the_row_that_the_artifact_says(tmp_path: Path, data: Path, how: Labelling, form: str) -> None:
    done = classify(asked(data, tmp_path / f"out{form}", how), Silent())

    found = {row["path"]: row for row in rows(tmp_path / f"out{form}")}
    assert sorted(found) == sorted(path.relative_to(data).as_posix() for path in data.rglob("*.png"))
    assert (done.images, done.failed, done.done_before) == (22, 1, 0)
    cut = found.pop("cat/cut.png")
    assert (cut["label"] or None, cut["probability"] or None) == (None, None)
    assert cut["reason"].startswith("cat/cut.png: ")
    with Artifact.open(how.artifact) as opened:
        for name, row in found.items():
            said = opened.label(picture(data / name))
            assert row["label"] == opened.labels[said.index(max(said))]
            assert float(row["probability"]) == pytest.approx(max(said))
            top = row["top_probabilities"]
            assert (json.loads(top) if isinstance(top, str) else top) == pytest.approx(sorted(said, reverse=True)[:2])
    assert not (tmp_path / f"out{form}.parts").exists()


class Stopped(Silent):
    """Ends a job after some parts."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, **figures: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_job_that_was_stopped_does_only_what_is_left(tmp_path: Path, data: Path, how: Labelling) -> None:
    whole = tmp_path / "whole.csv"
    classify(asked(data, whole, how), Silent())
    out = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        classify(asked(data, out, how), Stopped(2))
    assert not out.exists()
    part = tmp_path / "out.csv.parts" / "part-00000001.csv"
    part.write_text(part.read_text()[:-30])  # as a disk may leave it: other rows than its images

    done = classify(asked(data, out, how), Silent())

    assert (done.images, done.done_before, done.failed) == (22, 8, 1)
    assert out.read_bytes() == whole.read_bytes()
    with pytest.raises(Refused, match="results of a classification lies there; give --force"):
        classify(asked(data, out, how), Silent())


def test_parts_of_another_job_are_not_gone_on_with(tmp_path: Path, data: Path, how: Labelling) -> None:
    with pytest.raises(KeyboardInterrupt):
        classify(asked(data, tmp_path / "out.csv", how), Stopped(0))

    with pytest.raises(Refused, match="holds results of another artifact, data or settings"):
        classify(asked(data, tmp_path / "out.csv", labelling(how.artifact, top=1, reduced=0)), Silent())


class Killing(Silent):
    """Kills a process of the pool after the first part."""

    def __init__(self) -> None:
        self.killed = 0

    def advance(self, **figures: str) -> None:
        if not self.killed:
            victim = multiprocessing.active_children()[0]
            victim.kill()
            victim.join()
            self.killed += 1


def test_a_process_that_is_killed_loses_no_row_and_doubles_none(tmp_path: Path, data: Path, how: Labelling) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    classify(asked(data, one, how), Silent())
    reporter = Killing()
    classify(asked(data, two, how, processes=2), reporter)

    assert reporter.killed
    assert one.read_bytes() == two.read_bytes()


def test_shards_have_the_rows_of_their_folder(tmp_path: Path, data: Path, how: Labelling) -> None:
    shard(Sharding(data=data, out=tmp_path / "shards", size=20_000), Silent())
    classify(asked(data, tmp_path / "one.jsonl", how), Silent())
    classify(asked(tmp_path / "shards", tmp_path / "two.jsonl", how), Silent())

    of_folder, of_shards = (
        sorted((row for row in rows(tmp_path / name)), key=lambda row: row["path"])
        for name in ("one.jsonl", "two.jsonl")
    )
    assert of_folder == of_shards


def test_parquet_has_the_rows_of_json(tmp_path: Path, data: Path, how: Labelling) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed; Parquet is not checked")
    classify(asked(data, tmp_path / "one.jsonl", how), Silent())
    with pytest.raises(KeyboardInterrupt):
        classify(asked(data, tmp_path / "two.parquet", how), Stopped(2))
    classify(asked(data, tmp_path / "two.parquet", how), Silent())
    classify(asked(data, tmp_path / "three", how), Silent())

    wanted = rows(tmp_path / "one.jsonl")
    parts = sorted((tmp_path / "three").glob("*.parquet"))
    for found in (parquet.read_table(tmp_path / "two.parquet"), parquet.read_table(parts)):
        for column in ("path", "label", "top_labels", "reason"):
            assert found.column(column).to_pylist() == [row[column] for row in wanted]


def test_sides_of_a_reduced_picture_follow_from_what_the_network_takes(tmp_path: Path, artifact: Path) -> None:
    record = b'{"preprocessing": {"resize": 40}}'
    with Artifact.open(changed(artifact, tmp_path / "other.so", record=record)) as opened:
        assert [least_side(opened, reduced) for reduced in (0, 1, 1.5)] == [None, 40, 60]
    with pytest.raises(Refused, match="does not say what it resizes pictures to"):
        labelling(artifact, top=1, reduced=2)
