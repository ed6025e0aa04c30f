"""One point of a sweep: a network trained, turned into int8, compiled for this machine and measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.compiler import compile_model
from depthwise.cost.report import report
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.jobs.quantize import quantize_folder
from depthwise.jobs.sweep.grid import Point
from depthwise.jobs.sweep.recipes import RATE_TIMES
from depthwise.network.model import Model
from depthwise.network.spec import Spec
from depthwise.progress import Reporter
from depthwise.quantize.options import Options

# Calls that are timed, and those before them that are not.
CALLS, WARM = 50, 5


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done with each point.

    Attributes:
        spec: the network, but for width and resolution.
        epochs: of a training from random weights.
        fine_epochs: of one that starts from another point.
        changes: other settings of the recipe.
        rate_times: how many times the usual rate is taken.
    """

    data: Path
    spec: Spec
    epochs: int
    fine_epochs: int
    changes: dict[str, Any]
    reporter: Reporter
    rate_times: float = 1.0

    def with_recipe(self, settings: Mapping[str, float]) -> Work:
        """The same by a recipe that was searched for."""
        changes = {name: value for name, value in settings.items() if name != RATE_TIMES}
        return replace(self, changes={**self.changes, **changes}, rate_times=settings[RATE_TIMES])

    def score(self, point: Point, out: Path) -> float:
        """Validation top-1 of a point that is trained into a model folder."""
        found: float = self._trained(point, None, out).accuracy["validation"]["top1"]
        return found

    def __call__(self, point: Point, start: Path | None, out: Path) -> dict[str, Any]:
        """The figures of a point, whose folders are written into `out`; a training that was killed goes on."""
        model = self._trained(point, start, out / point.name)
        int8, found = quantize_folder(
            model,
            self.data,
            name=point.name,
            options=Options(seed=self._recipe(start).seed),
            unlabelled=False,
            max_drop=None,
            command="depthwise sweep",
            reporter=self.reporter,
        )
        folder, artifact = out / f"{point.name}-int8", out / f"{point.name}.so"
        int8.save(folder)
        built = compile_model(int8, target="host", out=artifact)
        right = found.comparison.accuracy
        assert right is not None
        return {
            "macs": report(int8.spec, precision="int8").nominal.macs,
            "float_top1": right.float_top1,
            "int8_top1": right.int8_top1,
            "images": found.comparison.images,
            "bytes": built.bytes,
            "weight_bytes": built.weight_bytes,
            "arena_bytes": built.arena_bytes,
            "milliseconds": milliseconds(artifact),
            "model": point.name,
            "int8_model": folder.name,
            "artifact": artifact.name,
        }

    def _trained(self, point: Point, start: Path | None, out: Path) -> Model:
        if (out / "model.json").exists() and not (out.parent / f"{out.name}.run").exists():
            return Model.load(out)
        from depthwise.jobs.train import train_folder

        train_folder(
            self.data,
            out,
            spec=replace(self.spec, width=point.width, resolution=point.resolution),
            recipe=self._recipe(start),
            pretrained=None if start is None else Model.load(start),
            quantize=None,
            distill=None,
            resume=True,
            finish=False,
            threads=None,
            force=True,
            reporter=self.reporter,
        )
        return Model.load(out)

    def _recipe(self, start: Path | None) -> Any:
        try:
            from depthwise.cloud.recipe import Recipe, usual_settings
        except ModuleNotFoundError as missing:
            if missing.name != "torch":
                raise
            raise Refused(
                "'sweep' needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'"
            ) from None
        epochs = self.epochs if start is None else self.fine_epochs
        usual = usual_settings(fine_tuning=start is not None, int8=False, epochs=epochs)
        return Recipe(**{**usual, "rate": self.rate_times * usual["rate"], **self.changes})


def milliseconds(artifact: Path) -> float:
    """The median time of a call on one thread of this machine."""
    with Artifact.open(artifact) as opened:
        pixels = np.random.default_rng(0).integers(0, 256, opened.input_shape, dtype=np.uint8)
        times = []
        for _ in range(WARM + CALLS):
            began = time.perf_counter()
            opened.run(pixels)
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times[WARM:])
