"""Findings as a JSON document; docs/robustness.md describes its fields."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import depthwise
from depthwise.attack.findings import ClassRobustness, Findings, StageFindings
from depthwise.attack.plan import Settings
from depthwise.attack.sample import Sample
from depthwise.attack.text import histogram
from depthwise.evaluate.document import share_document

SCHEMA = 1


def document(
    findings: Findings,
    sample: Sample,
    labels: tuple[str, ...],
    *,
    subject: str,
    kind: str,
    threshold: float | None,
    saved: str | None,
) -> dict[str, Any]:
    """JSON values.

    Args:
        threshold: below which an answer is "unknown"; None where the network has none.
        saved: the folder of changed images, or None.
    """
    took = findings.questions
    return {
        "schema": SCHEMA,
        "depthwise": depthwise.__version__,
        "subject": {"path": subject, "kind": kind, "judge": findings.judge, "gradients": list(findings.sources)},
        "data": str(sample.data),
        "images": len(findings.labels),
        "unreadable": [{"image": str(entry.item.path), "reason": entry.reason} for entry in sample.unreadable],
        "settings": _settings(findings.settings),
        "clean": share_document(findings.clean_share),
        "attacked": share_document(findings.robust_share),
        "stages": [_stage(findings, place, one) for place, one in enumerate(findings.stages)],
        "curve": [{"eps": eps, **share_document(share)} for eps, share in findings.curve],
        "smallest": [{"eps": name, "images": count} for name, count in histogram(findings)],
        "questions": None if took is None else {"median": took[0], "within95": took[1]},
        "classes": [_class(one, labels) for one in findings.classes()],
        "audit": _audit(findings),
        "unknown": None if threshold is None else _unknown(findings, threshold),
        "results": [_image(findings, sample, labels, row) for row in range(len(findings.labels))],
        "saved": saved,
    }


def _settings(settings: Settings) -> dict[str, Any]:
    budget = settings.budget
    return {
        **{key: value for key, value in dataclasses.asdict(settings).items() if key != "budget"},
        "norm": budget.norm,
        "eps": budget.eps,
        "levels": budget.radius,
    }


def _class(one: ClassRobustness, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "label": labels[one.label],
        "images": one.images,
        "clean": one.clean,
        "attacked": one.robust,
        "beside": one.beside,
    }


def _audit(findings: Findings) -> dict[str, Any]:
    return {
        **findings.audit.to_dict(),
        "without_gradient": {
            name: {"images": flat, "zeros": zeros / len(findings.labels)}
            for name, (flat, zeros) in findings.flat.items()
        },
        "fooled_by_questions_alone": findings.masked,
        "answered_differently_when_asked_twice": findings.unsteady,
        "int8_and_artifact_differ": findings.differing,
        "warnings": list(findings.warnings),
    }


def _stage(findings: Findings, place: int, one: StageFindings) -> dict[str, Any]:
    attack = one.stage.attack
    settings = dataclasses.asdict(attack)  # type: ignore[call-overload]
    return {
        "attack": attack.name,
        "settings": {key: value for key, value in settings.items() if key not in ("budget", "name", "asks")},
        "eps": attack.budget.eps,
        "source": one.stage.source,
        "images": one.images,
        "fooled": one.fooled,
        "newly_fooled": int((findings.by == place).sum()),
        "questions": one.questions,
        "seconds": round(one.seconds, 2),
    }


def _unknown(findings: Findings, threshold: float) -> dict[str, Any]:
    fooled = findings.by >= 0
    return {
        "threshold": threshold,
        "right": _below(findings.sure[findings.right], threshold),
        "wrong": _below(findings.sure[~findings.right], threshold),
        "fooled": _below(findings.changed_sure[fooled], threshold),
    }


def _below(sure: Any, threshold: float) -> float | None:
    return float((sure < threshold).mean()) if len(sure) else None


def _image(findings: Findings, sample: Sample, labels: tuple[str, ...], row: int) -> dict[str, Any]:
    size, by = float(findings.smallest[row]), int(findings.by[row])
    return {
        "image": sample.items[row].name(sample.data),
        "true": labels[int(findings.labels[row])],
        "said": labels[int(findings.said[findings.judge][row])],
        "attacked": labels[int(findings.changed_said[row])],
        "by": None if by < 0 else findings.stages[by].stage.title,
        "smallest": None if math.isinf(size) else size,
        "questions": int(findings.until[row]),
    }
