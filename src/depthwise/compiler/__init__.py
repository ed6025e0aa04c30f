"""From a model folder to an artifact: fold, plan, pack, emit C and build it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from depthwise.compiler.targets import TARGETS

if TYPE_CHECKING:
    from depthwise.compiler.compile import Built, compile_model

__all__ = ["TARGETS", "Built", "compile_model"]


def __getattr__(name: str) -> Any:
    # What compiles is loaded when it is asked for: the tables of this room are read for help, which needs no numpy.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("depthwise.compiler.compile"), name)
