"""Which kernel computes a layer, by target and shape."""

from __future__ import annotations

from depthwise.kernels.kernel import Kernel, Operation
from depthwise.kernels.table import fastest, half
from depthwise.kernels.x86.amx import on_tiles
from depthwise.network.layers import Layer
from depthwise.precision import Precision

# So few channels of a first convolution of bytes are faster with pixels in the lanes; of 32 they no longer are.
_ABREAST = (8, 16, 24)


def kernel_of(layer: Layer, precision: Precision, features: frozenset[str]) -> Kernel:
    """The fastest kernel for a layer; where its channels would leave half a vector empty, one of half the width.

    Args:
        features: of the machine.
    """
    found = fastest(_operation(layer, precision), precision, features)
    lanes, channels = found.instructions.lanes, layer.output.channels
    is_cut = found.operation in ("product", "stem")
    leaves_half_empty = is_cut and channels < 2 * lanes and 0 < channels % lanes <= lanes // 2
    return half(found) if leaves_half_empty else found


def _operation(layer: Layer, precision: Precision) -> Operation:
    depth, channels = layer.kernel * layer.input.channels, layer.output.channels
    match layer.kind:
        case "depthwise":
            return "depthwise3x3s1" if layer.stride == 1 else "depthwise3x3s2"
        case "stem" if precision == "bf16" and on_tiles(depth, channels, precision):
            return "product_tiles"
        case "stem" if layer.input.channels == 3:
            return "stem_abreast" if layer.stride == 2 and channels in _ABREAST else "stem"
        case "pool" | "classifier":
            return layer.kind
        case "pointwise":
            return "product_tiles" if on_tiles(depth, channels, precision) else "pointwise"
        case _:
            return "product"
