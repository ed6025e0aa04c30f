"""What differs between precisions in the C text of a step: types, where weights begin, what a kernel is given."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.emit.ctext import Lines, constant
from depthwise.compiler.families.packing import channel_words
from depthwise.compiler.lower.lower import Lowered, Rounding
from depthwise.compiler.pack import zeros_of
from depthwise.kernels.kernel import Kernel
from depthwise.network.layers import Layer


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The C of one precision.

    Attributes:
        value: C type of a value of an activation.
        constants: C expression of the first word of all weights.
        edge: C expression of what dwk_pixels_... takes, from the constants' address.
        pixels, border: kernels that bring pixels, and the padding, into a map.
        access: macro that gives the address of values in the arena, where they are no bytes.
    """

    lowered: Lowered
    value: str
    constants: str
    edge: str
    pixels: str
    border: str
    access: str = ""

    @property
    def is_int8(self) -> bool:
        """Whether activations are bytes."""
        return self.lowered.precision == "int8"

    def at(self, name: str) -> str:
        """Address of a value in the arena."""
        offset = f"DWL_AT_{constant(name)}"
        return f"{self.access}(arena, {offset})" if self.access else f"arena + {offset}"

    def features(self, name: str) -> str:
        """Address of the pool's output, which is of floats in all but int8."""
        return self.at(name) if self.is_int8 else f"dwl_at(arena, DWL_AT_{constant(name)})"

    def weights(
        self, layer: Layer, channels: int = 0, kernel: Kernel | None = None, *, strassen: int = 0, own: str = ""
    ) -> str:
        """Address of the weights of a product or classifier, behind those of so many output channels.

        Args:
            own: a C expression of further channels, where a thread begins behind them.
            strassen: how many channels, the first ones, have Strassen's products.
        """
        text = f"{self.constants} + DWL_WEIGHTS_{constant(layer.name)}"
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
        if self.is_int8:
            for name, layer in layers.items():
                out.add(f"static const dwk_rounding {name} = {{{_fields(self.lowered.rounding(layer))}}};")

    def round(self, name: str) -> str:
        """The argument for that constant, with the comma behind it."""
        return f"&{name}, " if self.is_int8 else ""

    def padding(self, layer: Layer) -> str:
        """The arguments for what stands around the N channels of a layer's output, with the comma behind them."""
        match self.lowered.precision:
            case "int8":
                return f"{self.lowered.rounding(layer).zero_point}, "
            case "bf16":
                return f"(const dwk_bf16 *)({self.constants} + DWL_WEIGHTS_{constant(zeros_of(layer))}), N, "
            case _:
                return ""


def dialect(lowered: Lowered) -> Dialect:
    """The C of a network's precision."""
    if lowered.precision == "int8":
        return Dialect(
            lowered=lowered,
            value="uint8_t",
            constants="dwl_weights",
            edge="(const uint8_t *)(dwl_weights + DWL_WEIGHTS_EDGE)",
            pixels="dwk_pixels_u8",
            border="dwk_border_u8",
        )
    if lowered.precision == "bf16":
        return Dialect(
            lowered=lowered,
            value="dwk_bf16",
            constants="dwl_weights",
            edge="dwl_constants + DWL_WEIGHTS_EDGE",
            pixels="dwk_pixels_u8bf16",
            border="dwk_border_bf16",
            access="dwl_at_bf16",
        )
    return Dialect(
        lowered=lowered,
        value="dwk_float",
        constants="dwl_constants",
        edge="dwl_constants + DWL_WEIGHTS_EDGE",
        pixels="dwk_pixels_u8f32",
        border="dwk_border_f32",
        access="dwl_at",
    )


def _fields(rounding: Rounding) -> str:
    zero = rounding.zero_point
    return f".low = {rounding.low - zero}, .high = {rounding.high - zero}, .zero_point = {zero}"
