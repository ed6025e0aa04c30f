"""What is compiled: a model as plain operations in one precision, with the oracle's answers, for no machine yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from depthwise.compiler.lower import golden
from depthwise.compiler.lower.bf16 import lower_bf16
from depthwise.compiler.lower.float16 import lower_float16
from depthwise.compiler.lower.lower import Lowered, lower
from depthwise.compiler.lower.thin import filled, lower_live
from depthwise.kernels.weights import Floats
from depthwise.network.layers import Layer, layers
from depthwise.network.live import Live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.precision import Precision

AnyModel = Model | QuantizedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Compilation:
    """One network on its way to C.

    Attributes:
        model: where it came from.
        lowered: its plain operations, of the channels that are computed.
        answers: (cases, classes) to the golden images.
        target: the name that the artifact says it was made for.
        live: the layers with the channels that can change, where the others were left out; else None.
        extra: fields for users' own purposes, for the artifact's record.
    """

    model: AnyModel
    lowered: Lowered
    answers: Floats
    target: str
    live: tuple[Layer, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> Precision:
        """That it is compiled in."""
        return self.lowered.precision


def compilation(
    model: AnyModel,
    *,
    target: str,
    precision: Precision | None = None,
    found: Live | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Compilation:
    """A model as it is compiled.

    Args:
        precision: None for the model's own.
        found: `live(model)`, to leave out the channels that provably never change; None to compute them all.
    Raises: Refused, naming the layer, when a weight does not fit into the precision.
    """
    lowered = lowered_for(model, found, precision or model.precision)
    return Compilation(
        model=model,
        lowered=lowered,
        answers=golden.answers(model, lowered),
        target=target,
        live=None if found is None else found.table,
        extra=extra or {},
    )


def lowered_for(model: AnyModel, found: Live | None, precision: Precision) -> Lowered:
    """The plain operations, of the channels that can change where `found` names them."""
    left_out = None if found is None or found.table == layers(model.spec) else found
    lowered = filled(lower(model) if left_out is None else lower_live(model, left_out))
    return _FINISHED[precision](lowered, model, left_out)


def _as_it_is(lowered: Lowered, model: Any, found: Live | None) -> Lowered:
    return lowered


# What is done to plain operations for a precision that no model has.
_FINISHED: dict[Precision, Callable[[Lowered, Any, Live | None], Lowered]] = {
    "float32": _as_it_is,
    "bf16": lower_bf16,
    "int8": _as_it_is,
    "float16": lower_float16,
}
