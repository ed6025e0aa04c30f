"""A report as a JSON document; docs/evaluate.md describes its fields."""

from __future__ import annotations

from typing import Any

import depthwise
from depthwise.evaluate.metrics import Bin, ClassFigures, Share
from depthwise.evaluate.report import Report

SCHEMA = 1


def document(report: Report, *, least_top1: float | None = None) -> dict[str, Any]:
    """JSON values.

    Args:
        least_top1: the gate that was set, 0 to 1, or None.
    """
    found, names = report.predictions, report.predictions.labels
    return {
        "schema": SCHEMA,
        "depthwise": depthwise.__version__,
        "subject": {"path": report.subject, "kind": report.kind},
        "data": str(found.data),
        "split": found.split or None,
        "images": report.images,
        "unreadable": [
            {"image": found.name(entry.item), "class": names[entry.item.label], "reason": entry.reason}
            for entry in found.unreadable
        ],
        "warnings": list(report.warnings),
        "top1": share_document(report.top1),
        "top5": share_document(report.top5),
        "balanced_top1": report.balanced_top1,
        "macro_f1": report.macro_f1,
        "log_loss": report.log_loss,
        "calibration": {
            "error": report.calibration_error,
            "mean_confidence": report.mean_confidence,
            "bins": [_bin(entry) for entry in report.bins],
        },
        "classes": [_class(entry) for entry in report.classes],
        "confusion": report.confusion.tolist(),
        "confused_pairs": [
            {"true": names[pair.true], "predicted": names[pair.predicted], "images": pair.images, "share": pair.share}
            for pair in report.pairs
        ],
        "mistakes": [
            {
                "image": found.name(found.items[entry.index]),
                "true": names[entry.true],
                "predicted": names[entry.predicted],
                "probability": entry.probability,
                "true_probability": entry.true_probability,
            }
            for entry in report.mistakes
        ],
        "speed": {
            "images_per_second": report.images_per_second,
            "network_seconds": found.network_seconds,
            "seconds": found.seconds,
        },
        "gate": None if least_top1 is None else {"min_top1": least_top1, "holds": report.top1.share >= least_top1},
    }


def share_document(share: Share) -> dict[str, Any]:
    """A share as JSON values."""
    return {"share": share.share, "right": share.count, "interval95": list(share.interval)}


def _bin(entry: Bin) -> dict[str, Any]:
    return {
        "above": entry.low,
        "up_to": entry.high,
        "images": entry.images,
        "confidence": entry.confidence,
        "accuracy": entry.accuracy,
    }


def _class(entry: ClassFigures) -> dict[str, Any]:
    return {
        "label": entry.label,
        "images": entry.images,
        "predicted": entry.predicted,
        "right": entry.right,
        "precision": entry.precision,
        "recall": None if entry.recall is None else entry.recall.share,
        "recall_interval95": None if entry.recall is None else list(entry.recall.interval),
        "f1": entry.f1,
    }
