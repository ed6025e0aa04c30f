"""Carries a plan out: stage after stage on the images that still stand, part by part, over any number of processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from depthwise.attack.budget import Images
from depthwise.attack.findings import Findings, StageFindings
from depthwise.attack.frame import Audit
from depthwise.attack.kept import Kept
from depthwise.attack.plan import Settings, Stage, curve, stages
from depthwise.attack.subject import GROUP, Ints
from depthwise.attack.work import Arrays, Part, Workers, audit_of
from depthwise.progress import Reporter

# Most images of a part: few, so that little is lost by a kill; many, so that little time goes into the steps between.
TOGETHER = 128
# Parts that each process should have at least: what it has done is seen, and time left is told, when one ends.
PARTS = 4


@dataclass(kw_only=True, eq=False)
class Engine:
    """One attack on N images.

    Attributes:
        names: of the forms of the network: the judge's, what is asked, and the sources'.
        images: (N, H, W, C) bytes, as the network takes them.
        labels: (N,) right labels.
        numbers: of the images, which their draws depend on.
    """

    settings: Settings
    judge: str
    asked: str
    sources: tuple[str, ...]
    images: Images
    labels: Ints
    numbers: tuple[int, ...]
    workers: Workers
    kept: Kept
    reporter: Reporter
    audit: Audit = field(default_factory=Audit)
    differing: int = 0

    def run(self) -> Findings:
        """Look at the clean images, attack at eps, then along the curve."""
        planned = stages(self.settings, self.sources, self.asked)
        found = self._look()
        for number, stage in enumerate(planned):
            self._stage(found, stage, f"stage-{number}", found.standing)
        for number, stage in enumerate(curve(self.settings, self.sources, self.asked)):
            # The search along rays goes as far as it must; what walks stays within the bound that is asked about.
            bound = 0.0 if stage.attack.asks else stage.attack.budget.eps
            self._stage(found, stage, f"curve-{number}", found.standing_at(bound))
        found.audit, found.differing = self.audit, self.differing
        return found

    def _look(self) -> Findings:
        rows = np.arange(len(self.images))
        results = self._carry_out("asking", "clean", rows, None)
        names = dict.fromkeys((self.judge, self.asked, *self.sources))
        return Findings(
            settings=self.settings,
            judge=self.judge,
            sources=self.sources,
            images=self.images,
            labels=self.labels,
            said={name: _joined(results, f"said {name}") for name in names},
            sure=_joined(results, "sure"),
            unsteady={name: _sum(results, f"unsteady {name}") for name in names},
            flat={name: (int(_sum(results, f"flat {name}")), _sum(results, f"zeros {name}")) for name in self.sources},
        )

    def _stage(self, found: Findings, stage: Stage, name: str, rows: Ints) -> None:
        """Attack the images at some places, and note what fell."""
        if not len(rows):
            found.stages.append(StageFindings(stage=stage, images=0, fooled=0, questions=0, seconds=0.0))
            return
        begun = time.perf_counter()
        results = self._carry_out(stage.title, name, rows, stage)
        result = {key: _joined(results, key) for key in results[0] if key != "audit"}
        for one in results:
            self.audit = self.audit.joined(audit_of(one))
        self.differing += int((result.get("said int8", result["said"]) != result["said"]).sum())
        fell = result["said"] != self.labels[rows]
        found.note(rows, fell, stage, result)
        entry = StageFindings(
            stage=stage,
            images=len(rows),
            fooled=int(fell.sum()),
            questions=int(result["counts"].sum()) if stage.attack.asks else 0,
            seconds=time.perf_counter() - begun,
        )
        found.stages.append(entry)

    def _carry_out(self, title: str, name: str, rows: Ints, stage: Stage | None) -> list[Arrays]:
        """Results of some images, in parts; those that are kept are not made again."""
        parts = self._parts(name, rows, stage)
        found = {part.name: result for part in parts if (result := self.kept.get(part.name)) is not None}
        missing = [part for part in parts if part.name not in found]
        begun = len(rows) - sum(len(part.labels) for part in missing)
        self.reporter.begin(title, len(rows), begun)
        clock = _Clock(len(rows) - begun, self.workers.processes)
        try:
            for part, result in zip(missing, self.workers.results(missing), strict=True):
                found[part.name] = result
                self.kept.put(part.name, result)
                figures = clock.passed(len(part.labels))
                for _ in part.labels:
                    self.reporter.advance(**figures)
        finally:
            self.reporter.end()
        return [found[part.name] for part in parts]

    def _parts(self, name: str, rows: Ints, stage: Stage | None) -> list[Part]:
        """Some images in parts of whole groups, named after the first image and how many there are."""
        size = min(TOGETHER, GROUP * -(-len(rows) // (GROUP * PARTS * self.workers.processes)))
        return [
            Part(
                name=f"{name}-{start}-{len(some)}",
                images=self.images[some],
                labels=self.labels[some],
                numbers=tuple(self.numbers[row] for row in some),
                seed=self.settings.seed,
                stage=stage,
            )
            for start in range(0, len(rows), size)
            for some in [rows[start : start + size]]
        ]


class _Clock:
    """How long the rest of a stage takes: known once each process has ended a part, since all begin at once."""

    def __init__(self, total: int, processes: int) -> None:
        self._begun, self._total, self._processes = time.monotonic(), total, processes
        self._done = self._parts = 0

    def passed(self, images: int) -> dict[str, str]:
        """One more part is done; the time left, as a figure of progress."""
        self._done, self._parts = self._done + images, self._parts + 1
        if self._parts < self._processes:
            return {}
        left = (time.monotonic() - self._begun) * (self._total - self._done) / self._done
        return {"left": f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min"}


def _joined(results: Sequence[Arrays], key: str) -> Ints:
    return np.concatenate([result[key] for result in results])


def _sum(results: Sequence[Arrays], key: str) -> float:
    return float(sum(float(result[key]) for result in results))
