"""How weights lie for the kernels of ARM, by the name in a kernel's row."""

from __future__ import annotations

from depthwise.kernels.arm import int8
from depthwise.kernels.packing import Packing
from depthwise.kernels.portable import packings as portable

# In the order that the kernel's header says.
PACKINGS: dict[str, Packing] = {
    "pointwise_i8mm": int8.pointwise_of_pairs,
    "pointwise_dotprod": int8.products_of_fours,
    "stem_dotprod": int8.stem_of_fours,
    "product_dotprod": int8.products_of_fours,
    "depthwise3x3s1_dotprod": int8.depthwise_of_two_rows,
    "depthwise3x3s2_dotprod": int8.depthwise_of_columns,
    "classifier_dotprod": int8.classifier_of_fours,
    "pointwise_neon": int8.pointwise_of_sixteens,
    "stem_neon": int8.stem_of_windows,
    "product_neon": int8.products_of_eights,
    "depthwise_neon": int8.depthwise_of_taps,
    "classifier_neon": int8.classifier_of_sixteens,
    "product_f32": portable.PACKINGS["product_f32"],
    "depthwise_f32": portable.PACKINGS["depthwise_f32"],
    "pool_i8": portable.PACKINGS["pool_i8"],
}
