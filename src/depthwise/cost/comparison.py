"""A separable network against its twin of standard convolutions, place by place."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction

from depthwise.cost import formulas
from depthwise.cost.memory import steps
from depthwise.network.layers import Shape, layers
from depthwise.network.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One place of the network in both forms.

    Attributes:
        place: `blocks.<stage>.<index>`, or the name of a layer that both forms share.
        input, output: shapes, the same in both forms.
        kernel, stride: of the convolution.
        separable_macs, standard_macs: multiply-adds.
        separable_weights, standard_weights: weights, without batch normalisation.
        formula: 1/N + 1/D_K^2, or None where both forms have the same layer.
    """

    place: str
    input: Shape
    output: Shape
    kernel: int
    stride: int
    separable_macs: int
    standard_macs: int
    separable_weights: int
    standard_weights: int
    formula: Fraction | None

    @property
    def count(self) -> Fraction:
        """Multiply-adds counted in the separable form over those in the standard one."""
        return Fraction(self.separable_macs, self.standard_macs)


def compare(spec: Spec) -> tuple[Pair, ...]:
    """Every place that computes; whichever of the two forms `spec` has, the other stands beside it."""
    separable = steps(layers(dataclasses.replace(spec, convolution="separable")))
    standard = layers(spec.twin())
    pairs = []
    for step, other in zip(separable, standard, strict=True):
        if other.kind == "pool":
            continue
        parts = (step.first,) if step.first is step.last else (step.first, step.last)
        is_block = other.kind == "standard"
        pairs.append(
            Pair(
                place=other.name.removesuffix(".conv") if is_block else other.name,
                input=other.input,
                output=other.output,
                kernel=other.kernel,
                stride=other.stride,
                separable_macs=sum(map(formulas.macs, parts)),
                standard_macs=formulas.macs(other),
                separable_weights=sum(map(formulas.weights, parts)),
                standard_weights=formulas.weights(other),
                formula=formulas.separable_ratio(other.output.channels, other.kernel) if is_block else None,
            )
        )
    return tuple(pairs)
