"""A network, described or trained, to what it takes."""

from __future__ import annotations

from pathlib import Path

from depthwise.cost.report import Report, report
from depthwise.network.live import live
from depthwise.network.quantized import load_model
from depthwise.network.spec import Spec


def counted(network: Spec | Path, precision: str | None) -> Report:
    """The cost of a description, or of the model in a folder.

    Args:
        precision: the numbers that bytes are counted for; None for the model's own, else float32.
    Raises: Refused, when the folder is no model, or the precision is not known.
    """
    if isinstance(network, Spec):
        return report(network, precision=precision or "float32")
    model = load_model(network)
    # What never changes in float32 says nothing of int8 weights made from it, and the other way round.
    is_own = precision in (None, model.precision)
    return report(model.spec, precision=precision or model.precision, live=live(model).table if is_own else None)
