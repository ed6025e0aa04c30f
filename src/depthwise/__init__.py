"""MobileNet V1 from a folder of images to a label on any device.

The functions of docs/api.md are here: `depthwise.read`, `train`, `evaluate`, `attack`, `quantize`, `compile`, `open`,
`live`, `cost`, `shard` and `classify`.
Importing this package reaches neither torch nor Pillow nor numpy: each of them is loaded when it is used. The stages
behind them are subpackages (docs/house.md).
"""

from __future__ import annotations

# The name that type checkers know; to load `typing` for it would cost the first label of a process.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from depthwise.api import attack, classify, compile, cost, evaluate, live, open, quantize, read, shard, train

__all__ = ["__version__", "attack", "classify", "compile", "cost", "evaluate"]
__all__ += ["live", "open", "quantize", "read", "shard", "train"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The functions of `depthwise.api`, loaded at their first use."""
    if name not in __all__:
        raise AttributeError(f"module 'depthwise' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("depthwise.api"), name)


def __dir__() -> list[str]:
    """What a notebook proposes."""
    return __all__
