"""Float and int8 side by side as one record, from which terminal, JSON and page are made; and the gate on accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from depthwise.errors import Unmet
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.quantize.evaluate import Accuracy, Comparison, decibels
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import Quantization

SCHEMA = 1
# How many layers a failed gate names.
NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Line:
    """One layer.

    Attributes:
        name, kind, output: as in the table of layers; the output's shape as text.
        rule, exponent, corrected: what was decided for it (docs/quantize.md).
        signal_db: its output over the difference from float, in decibels, with all earlier layers in int8.
        noise_percent: its share of the noise of the logits, when each layer is in int8 alone.
    """

    name: str
    kind: str
    output: str
    rule: str
    exponent: float
    corrected: bool
    signal_db: float
    noise_percent: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a quantisation did.

    Attributes:
        network: the fields of the spec.
        options: what was asked.
        calibrated: images that it saw.
        comparison: of the float and the int8 network on images that calibration has not seen.
        lines: the layers, in the order of the table.
        float_bytes, int8_bytes: all numbers of the folded network in float32, and of the int8 one.
    """

    network: Mapping[str, Any]
    options: Options
    calibrated: int
    comparison: Comparison
    lines: tuple[Line, ...]
    float_bytes: int
    int8_bytes: int

    @property
    def costliest(self) -> tuple[Line, ...]:
        """The layers, the one with the largest share of the noise first."""
        return tuple(sorted(self.lines, key=lambda line: -line.noise_percent))


def report(
    model: Model,
    done: Quantization,
    options: Options,
    calibrated: int,
    comparison: Comparison,
    noise: Mapping[str, float],
) -> Report:
    """The record of a quantisation.

    Args:
        noise: what each layer alone costs, by name, as `layer_noise` gives it.
    """
    total = max(sum(noise.values()), 1e-30)
    lines = tuple(
        Line(
            name=layer.name,
            kind=layer.kind,
            output=str(layer.output),
            rule=decision.rule,
            exponent=decision.exponent,
            corrected=decision.corrected,
            signal_db=decibels(decision.signal, decision.noise),
            noise_percent=100 * noise[layer.name] / total,
        )
        for layer, decision in zip(layers(model.spec), done.decisions, strict=True)
    )
    float_bytes, int8_bytes = _bytes(done.model)
    return Report(
        network=model.spec.to_dict(),
        options=options,
        calibrated=calibrated,
        comparison=comparison,
        lines=lines,
        float_bytes=float_bytes,
        int8_bytes=int8_bytes,
    )


def document(found: Report) -> dict[str, Any]:
    """The record as JSON values; docs/quantize.md describes its fields."""
    return {
        "schema": SCHEMA,
        "network": dict(found.network),
        "options": found.options.to_dict(),
        "calibration_images": found.calibrated,
        "accuracy": _accuracy(found.comparison),
        "bytes": {"float32": found.float_bytes, "int8": found.int8_bytes},
        "layers": [asdict(line) for line in found.lines],
    }


def _accuracy(compared: Comparison) -> dict[str, Any]:
    """The comparison as JSON values: shares of right answers are null where there are no labels."""
    fields: dict[str, Any] = {name: getattr(compared, name) for name in ("images", "agreement", "signal_db")}
    right = compared.accuracy
    shares = {
        field.name: None if right is None else getattr(right, field.name) for field in dataclasses.fields(Accuracy)
    }
    return {**fields, **shares, "drop_points": None if right is None else right.drop}


def check_drop(found: Report, max_drop: float) -> None:
    """Hold the gate: int8 may cost at most so many points of top-1.

    Raises: Unmet, naming the layers that cost most, when it costs more.
    """
    right = found.comparison.accuracy
    if right is None or right.drop <= max_drop:
        return
    worst = ", ".join(f"{line.name} ({line.noise_percent:.0f}% of the noise)" for line in found.costliest[:NAMED])
    advice = "train longer" if found.options.rounding == "learned" else "try --rounding learned or more --images"
    fall = f"{right.drop:.2f} points of top-1 ({right.float_top1:.2%} to {right.int8_top1:.2%})"
    raise Unmet(
        f"int8 costs {fall}, more than the {max_drop:g} of --max-drop; layers that cost most: {worst}; {advice}"
    )


def _bytes(model: QuantizedModel) -> tuple[int, int]:
    """Weights and biases in float32, and weights, biases and multipliers in int8."""
    weights = sum(layer.weight.size for layer in model.layers.values())
    channels = sum(layer.bias.size for layer in model.layers.values() if layer.weight.size)
    return 4 * (weights + channels), weights + 8 * channels
