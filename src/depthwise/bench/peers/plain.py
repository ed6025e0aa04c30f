"""Our own artifact without Strassen's products, for the two to be seen side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from depthwise.bench.peers.artifact import ALL, LIVE, load

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

__all__ = ["forms", "load", "write"]

_END = ", plain products"


def forms(precision: str) -> tuple[str, ...]:
    """Those of the artifact; in other precisions it has plain products anyway."""
    return (LIVE + _END, ALL + _END) if precision == "float32" else ()


def write(model: Model | QuantizedModel, form: str, folder: Path) -> Path:
    """Compile for this machine."""
    from depthwise.compiler import compile_model

    out = folder / f"{form.split()[0]}-plain.so"
    compile_model(model, target="host", out=out, keep_dead=form.startswith(ALL), strassen=False)
    return out
