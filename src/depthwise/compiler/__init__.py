"""From a model folder to an artifact: fold, plan, pack, emit C and build it."""

from depthwise.compiler.compile import Built, compile_model
from depthwise.compiler.targets import TARGETS

__all__ = ["TARGETS", "Built", "compile_model"]
