"""C text of the calls that compute a layer's wide channels, behind the kernel that computes the others."""

from __future__ import annotations

from depthwise.compiler.emit.ctext import Lines, constant
from depthwise.compiler.emit.dialect import Dialect
from depthwise.compiler.lower.wide import wide_channels, wide_of
from depthwise.compiler.step import Step
from depthwise.kernels.kernel import Kernel
from depthwise.network.layers import Layer


def comment(step: Step, dialect: Dialect) -> list[str]:
    """A line for each layer of a step that has wide channels."""
    found = []
    for layer, kernel in zip(step.layers, step.kernels, strict=True):
        if count := _count(layer, kernel, dialect):
            of = f"{count:,} of {layer.output.channels:,} channels"
            found.append(f"{layer.name}: {of} have factors beyond those of its kernel")
    return found


def wide_depthwise(
    out: Lines, step: Step, at_input: str, rows: str, channels: str, target: str, dialect: Dialect
) -> None:
    """Wide channels of a depthwise layer.

    Args:
        channels: arguments, the first channel and the end of those that this thread computes.
        target: C expression, where the layer's output lies.
    """
    layer = step.layers[0]
    if count := _count(layer, step.kernels[0], dialect):
        out.add(
            f"dwk_wide_depthwise3x3_i8({at_input}, INPUT_ROW, {_lies(step.kernels[0])}, {rows}, W, C, STRIDE,",
            f"    {count}, {channels}, {_weights(layer, dialect)}, {dialect.round('middle')}{target}, BETWEEN);",
        )


def wide_product(
    out: Lines, step: Step, rows: str, source: str, at_output: str, channels: str, dialect: Dialect
) -> None:
    """Wide channels of a product.

    Args:
        channels: as above.
    """
    layer = step.layers[-1]
    if count := _count(layer, step.kernels[-1], dialect):
        out.add(
            f"dwk_wide_product_i8(&product, {_lies(step.kernels[-1])}, {count}, {channels}, {rows}, {source},",
            f"    {_weights(layer, dialect)}, {dialect.round('rounding')}{at_output});",
        )


def wide_classifier(out: Lines, step: Step, features: str, output: str, channels: str, dialect: Dialect) -> None:
    """Wide labels of a classifier.

    Args:
        channels: as above.
    """
    (layer,) = step.layers
    if count := _count(layer, step.kernels[-1], dialect):
        out.add(
            f"dwk_wide_classifier_i8_{dialect.lowered.logits}({features}, {layer.input.channels},",
            f"    {_lies(step.kernels[-1])}, {count}, {channels}, {_weights(layer, dialect)}, {output});",
        )


def _count(layer: Layer, kernel: Kernel, dialect: Dialect) -> int:
    return wide_channels(dialect.lowered.operation(layer), kernel).size


def _lies(kernel: Kernel) -> str:
    """C argument, how the bytes lie that the kernel of a layer takes and makes."""
    said = ["DWK_WIDE_SIGNED"] if kernel.layout.stored == "signed" else []
    said += ["DWK_WIDE_IN_PAIRS"] if kernel.hands_on == "pairs" else []
    return " | ".join(said) or "DWK_WIDE_PLAIN"


def _weights(layer: Layer, dialect: Dialect) -> str:
    return f"{dialect.c.constants} + DWL_WEIGHTS_{constant(wide_of(layer))}"
