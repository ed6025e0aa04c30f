"""What an artifact says of itself: the text behind `dw_record`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from depthwise import __version__
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.pack import Packed
from depthwise.compiler.plan.plan import Plan
from depthwise.network.layers import layers, multiply_adds

SCHEMA = 1
# Hashes of training files that an artifact keeps of those in the model folder: a device has little room.
MOST_SEEN = 64


def strassen_layers(plan: Plan) -> list[str]:
    """The layers with seven multiplications of matrices for eight."""
    return [step.layers[-1].name for step in plan.steps if step.strassen is not None]


def record(job: Compilation, plans: Mapping[str, Plan], packed: Packed) -> str:
    """JSON, indented.

    Args:
        plans: of each level of instructions, by its name.
        packed: the constants of all of them.
    """
    model, live = job.model, job.live
    highest = list(plans.values())[-1]
    document = {
        "schema": SCHEMA,
        "depthwise": __version__,
        "precision": highest.precision,
        "target": job.target,
        "levels": list(plans),
        "threads": highest.threads,
        "spec": model.spec.to_dict(),
        "preprocessing": model.preprocessing.to_dict(),
        "cost": {
            "multiply_adds": sum(map(multiply_adds, layers(model.spec))),
            "weight_bytes": packed.weight_bytes,
            "arena_bytes": max(plan.arena_bytes for plan in plans.values()),
            **({} if live is None else {"live_multiply_adds": sum(map(multiply_adds, live))}),
        },
        **({"strassen": by_strassen} if (by_strassen := strassen_layers(highest)) else {}),
        "accuracy": dict(model.accuracy),
        "provenance": _shortened(model.provenance),
    }
    if job.extra:
        document["extra"] = dict(job.extra)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    # A path that is not UTF-8 reaches the provenance as lone surrogates; their escapes are JSON's own.
    return text.encode(errors="backslashreplace").decode()


def _shortened(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance with the first of its hashes of training files, here and in those that it holds."""
    short: dict[str, Any] = {}
    for name, value in provenance.items():
        if isinstance(value, Mapping):
            short[name] = _shortened(value)
        else:
            short[name] = value[:MOST_SEEN] if name in ("seen", "seen_before") and isinstance(value, list) else value
    return short
