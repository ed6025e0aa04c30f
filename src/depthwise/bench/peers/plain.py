"""Our own artifact without Strassen's products, for the two to be seen side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from depthwise.bench.peers import Form
from depthwise.bench.peers.artifact import compiled, load

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

__all__ = ["FORMS", "load", "write"]

# In other precisions the artifact has plain products anyway.
FORMS = (
    Form(name="live channels, plain products", precision="float32", keep_dead=False),
    Form(name="all channels, plain products", precision="float32", keep_dead=True),
)


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """Compile for this machine."""
    return compiled(model, form, folder / "plain.so", strassen=False)
