"""What differs between precisions in the C text of a step: types, where weights begin, what a kernel is given."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.emit.ctext import Lines, constant
from depthwise.compiler.families.packing import channel_words
from depthwise.compiler.lower.lower import Lowered, Rounding
from depthwise.compiler.pack import zeros_of
from depthwise.kernels.kernel import Kernel
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


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The C of one network: the words of its precision, and the numbers with which its layers round and pad."""

    lowered: Lowered
    c: Vocabulary

    def at(self, name: str) -> str:
        """Address of a value in the arena."""
        offset = f"DWL_AT_{constant(name)}"
        return f"{self.c.access}(arena, {offset})" if self.c.access else f"arena + {offset}"

    def features(self, name: str) -> str:
        """Address of the pool's output, which is of floats in all but int8."""
        return self.at(name) if self.lowered.rounds else f"dwl_at(arena, DWL_AT_{constant(name)})"

    def weights(
        self, layer: Layer, channels: int = 0, kernel: Kernel | None = None, *, strassen: int = 0, own: str = ""
    ) -> str:
        """Address of the weights of a product or classifier, behind those of so many output channels.

        Args:
            own: a C expression of further channels, where a thread begins behind them.
            strassen: how many channels, the first ones, have Strassen's products.
        """
        text = f"{self.c.constants} + DWL_WEIGHTS_{constant(layer.name)}"
        if not channels and not own:
            return text
        assert kernel is not None
        by_strassen = min(channels, strassen)
        each = channel_words(layer, kernel, rest=by_strassen == strassen)
        parts = ((by_strassen, channel_words(layer, kernel)), (channels - by_strassen, each), (own, each))
        for count, words in parts:
            if count:
                assert words is not None
                text += f" + {count} * {words.numerator}" + (f" / {words.denominator}" if words.denominator > 1 else "")
        return text

    def roundings(self, out: Lines, **layers: Layer) -> None:
        """Append the constants with which layers round, by name; float32 has none."""
        if self.lowered.rounds:
            for name, layer in layers.items():
                out.add(f"static const dwk_rounding {name} = {{{_fields(self.lowered.rounding(layer))}}};")

    def round(self, name: str) -> str:
        """The argument for that constant, with the comma behind it."""
        return f"&{name}, " if self.lowered.rounds else ""

    def padding(self, layer: Layer) -> str:
        """The arguments for what stands around the N channels of a layer's output, with the comma behind them."""
        operation = next(operation for operation in self.lowered.operations if operation.layer == layer)
        if operation.rounding is not None:
            return f"{operation.rounding.zero_point}, "
        if operation.bounds is not None:
            return f"(const dwk_bf16 *)({self.c.constants} + DWL_WEIGHTS_{constant(zeros_of(layer))}), N, "
        return ""


def dialect(lowered: Lowered) -> Dialect:
    """The C of a network."""
    return Dialect(lowered=lowered, c=VOCABULARIES[lowered.precision])


def _fields(rounding: Rounding) -> str:
    zero = rounding.zero_point
    return f".low = {rounding.low - zero}, .high = {rounding.high - zero}, .zero_point = {zero}"
