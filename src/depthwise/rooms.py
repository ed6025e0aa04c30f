"""Rooms of the package that share their name with a function of it, and can therefore be called."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that is the function of its name in `depthwise.api` when it is called.

    `import depthwise.cost.report` sets the attribute `cost` of `depthwise` to the package, in whatever order things are
    imported; so `depthwise.cost(...)` must mean the function then too.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        function = getattr(importlib.import_module("depthwise.api"), self.__name__.rpartition(".")[2])
        return function(*arguments, **options)


def make_callable(name: str) -> None:
    """Let the package of a name be called as the function of the same name."""
    sys.modules[name].__class__ = _Callable
