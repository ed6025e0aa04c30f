"""A model folder or an artifact, and a folder of labelled images, to a report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.evaluate.predictions import predict_folder
from depthwise.evaluate.predictor import Predictor
from depthwise.evaluate.report import Report
from depthwise.evaluate.seen import suspicions
from depthwise.interop.said import assumed, said
from depthwise.jobs.subject import find
from depthwise.progress import Reporter


def evaluate(subject: Path, data: Path, *, threads: int | None, reporter: Reporter) -> Report:
    """What a network says of each labelled image of a folder.

    Args:
        subject: a model folder, or an artifact.
        threads: that a call of an artifact runs on; None for one.
    Raises: Refused, when one of them is not what it should be, or a float model is measured without PyTorch.
    """
    with _opened(subject, threads, reporter) as (kind, predictor, provenance):
        predictions = predict_folder(predictor, data, reporter)
    warnings = tuple(suspicions(predictions, provenance, reporter))
    return Report(subject=str(subject), kind=kind, predictions=predictions, warnings=warnings)


@contextmanager
def _opened(subject: Path, threads: int | None, reporter: Reporter) -> Iterator[tuple[str, Predictor, Any]]:
    """What is to be measured, its kind (a folder is a model, a file an artifact), and how it came about."""
    find(subject)
    if subject.is_dir():
        if threads is not None:
            raise Refused(
                f"{subject}: is a model folder, and --threads is for artifacts; compile it, or leave --threads away"
            )
        yield "model", *_model(subject, reporter)
        return
    from depthwise.edge.artifact import Artifact
    from depthwise.evaluate.predictor import ArtifactPredictor

    with Artifact.open(subject, threads=threads or 1) as artifact:
        yield "artifact", ArtifactPredictor(artifact), artifact.record.get("provenance")


def _model(folder: Path, reporter: Reporter) -> tuple[Predictor, Any]:
    from depthwise.evaluate.predictor import Int8Predictor
    from depthwise.network.quantized import QuantizedModel, load_model

    # First, since what is wrong with the folder is the better answer where PyTorch is missing too.
    model = load_model(folder)
    if assumed(model):
        reporter.notice(f"{folder}: {said(model)}")
    if isinstance(model, QuantizedModel):
        return Int8Predictor(model), model.provenance
    try:
        from depthwise.cloud.predict import ModelPredictor
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise Refused(
            "measuring a float model folder needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]',"
            " or compile the model and measure the artifact, which needs none"
        ) from None
    return ModelPredictor(model), model.provenance
