"""What differs between precisions in the C text of a step: types, where weights begin, what a kernel is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from depthwise.compiler.emit.ctext import Lines, constant
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.pack import Laid, Packed, zeros_of
from depthwise.compiler.plan.plan import Plan
from depthwise.compiler.step import Call, Step
from depthwise.kernels.layout import Layout, stored
from depthwise.kernels.weights import Rounding
from depthwise.network.layers import Layer
from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words of one precision.

    Attributes:
        value: C type of a value of an activation.
        constants: C expression of the first word of all weights.
        edge: C expression of what dwk_pixels_... takes.
        images: header of the kernels that bring pixels, and the padding, into a map.
        pixels, border: those kernels.
        access: macro that gives the address of values in the arena, where they are no bytes.
    """

    value: str
    constants: str
    edge: str
    images: str
    pixels: str
    border: str
    access: str = ""


VOCABULARIES: dict[Precision, Vocabulary] = {
    "float32": Vocabulary(
        value="dwk_float",
        constants="dwl_constants",
        edge="dwl_constants + DWL_WEIGHTS_EDGE",
        images="dwk_image_f32.h",
        pixels="dwk_pixels_u8f32",
        border="dwk_border_f32",
        access="dwl_at",
    ),
    "bf16": Vocabulary(
        value="dwk_bf16",
        constants="dwl_weights",
        edge="dwl_constants + DWL_WEIGHTS_EDGE",
        images="dwk_image_bf16.h",
        pixels="dwk_pixels_u8bf16",
        border="dwk_border_bf16",
        access="dwl_at_bf16",
    ),
    "int8": Vocabulary(
        value="uint8_t",
        constants="dwl_weights",
        edge="(const uint8_t *)(dwl_weights + DWL_WEIGHTS_EDGE)",
        images="dwk_image_u8.h",
        pixels="dwk_pixels_u8",
        border="dwk_border_u8",
    ),
}


# Of int8 where bytes are stored less by 128.
_SIGNED = replace(VOCABULARIES["int8"], images="dwk_image_s8.h", pixels="dwk_pixels_s8")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The C of one network: the words of its precision, and the numbers with which its layers round and pad."""

    lowered: Lowered
    c: Vocabulary
    layout: Layout
    laid: Mapping[str, tuple[Laid, ...]]

    def at(self, name: str) -> str:
        """Address of a value in the arena."""
        offset = f"DWL_AT_{constant(name)}"
        return f"{self.c.access}(arena, {offset})" if self.c.access else f"arena + {offset}"

    def features(self, name: str) -> str:
        """Address of the pool's output, which is of floats in all but int8."""
        return self.at(name) if self.lowered.rounds else f"dwl_at(arena, DWL_AT_{constant(name)})"

    def weights(self, step: Step, call: Call, own: str = "") -> str:
        """Address of the weights that a call of a step reads.

        It is said in channels and in the words that each takes, rather than as one number, so that a reader can see it.

        Args:
            own: a C expression of further channels, where a thread begins behind them.
        """
        calls = [one for one in step.calls if one.layer == call.layer]
        each = [Fraction(laid.unit, one.room) for laid, one in zip(self.laid[call.layer], calls, strict=True)]
        behind: dict[Fraction, int] = {}
        for words, one in zip(each[: calls.index(call)], calls, strict=False):
            behind[words] = behind.get(words, 0) + one.units * one.size
        parts = [(words, str(channels)) for words, channels in behind.items()]
        parts += [(each[calls.index(call)], own)] if own else []
        text = f"{self.c.constants} + DWL_WEIGHTS_{constant(call.layer)}"
        for words, channels in parts:
            text += f" + {channels} * {words.numerator}" + (f" / {words.denominator}" if words.denominator > 1 else "")
        return text

    def roundings(self, out: Lines, step: Step, **layers: Layer) -> None:
        """Append the constants with which layers of a step round, by name; float32 has none."""
        if self.lowered.rounds:
            for name, layer in layers.items():
                at = step.layers.index(layer)
                fused = ", .fused = 1" if step.kernels[at].fuses and step.ways[at] == "fused" else ""
                out.add(f"static const dwk_rounding {name} = {{{_fields(self.lowered.rounding(layer))}{fused}}};")

    def round(self, name: str) -> str:
        """The argument for that constant, with the comma behind it."""
        return f"&{name}, " if self.lowered.rounds else ""

    def padding(self, layer: Layer) -> str:
        """The arguments for what stands around the N channels of a layer's output, with the comma behind them."""
        operation = next(operation for operation in self.lowered.operations if operation.layer == layer)
        if operation.rounding is not None:
            return f"{stored(operation.rounding.zero_point, self.layout)}, "
        if operation.bounds is not None:
            return f"(const dwk_bf16 *)({self.c.constants} + DWL_WEIGHTS_{constant(zeros_of(layer))}), N, "
        return ""


def dialect(lowered: Lowered, plan: Plan, packed: Packed) -> Dialect:
    """The C of a network."""
    layout = plan.layout
    words = _SIGNED if layout.stored == "signed" else VOCABULARIES[lowered.precision]
    return Dialect(lowered=lowered, c=words, layout=layout, laid=packed.laid)


def _fields(rounding: Rounding) -> str:
    zero = rounding.zero_point
    return f".low = {rounding.low - zero}, .high = {rounding.high - zero}, .zero_point = {zero}"
