"""How many words of the constants an output channel of a product or classifier takes, so that threads can share them.

How the words lie is said by the kernels' headers and done in pack.py, which checks that it is as many as here.
"""

from __future__ import annotations

from fractions import Fraction

from depthwise.kernels.kernel import Kernel
from depthwise.network.layers import Layer

# Words of a channel before its factors, by packing: bias, and of int8 multiplier and a classifier's scale, of bf16 the
# two bounds.
_BEFORE = {
    "product_f32": 1,
    "strassen_f32": 1,
    "product_bf16": 2,
    "classifier_bf16": 1,
    "product_i8": 2,
    "classifier_i8": 3,
    "product_x86": 2,
    "stem_x86": 2,
    "classifier_x86": 3,
}
# The packing of the channels that Strassen's products leave.
_REST = {"strassen_f32": "product_f32"}


def channel_words(layer: Layer, kernel: Kernel, *, rest: bool = False) -> Fraction | None:
    """32-bit words; None where they lie by other channels than those of the output.

    Args:
        rest: of the channels that Strassen's products leave.
    """
    packing = _REST.get(kernel.packing, kernel.packing) if rest else kernel.packing
    if packing not in _BEFORE:
        return None
    # Rows of the kernel, and values under one of them.
    rows = layer.kernel
    values = rows * layer.input.channels
    match packing.rsplit("_", 1):
        case "strassen", _:
            # Seven blocks of half the values, for two channels.
            factors = Fraction(7 * values, 4)
        case _, "f32":
            factors = Fraction(rows * values)
        case _, "bf16":
            factors = Fraction(rows * -(-values // 2))
        case _, "i8":
            factors = Fraction(rows * values, 4)
        case operation, _:
            # The ninth values under the three rows of a stem share a word.
            quads = 7 if operation == "stem" else rows * -(-values // 4)
            factors = Fraction(quads * (2 if kernel.instructions.pairs else 1))
    return _BEFORE[packing] + factors
