#!/usr/bin/env python3
"""Build machine code of every kernel without a GPU: python scripts/gpu_code.py [CAPABILITY...]

What Triton's interpreter allows its compiler may refuse, so this is the check that a machine without a GPU can make.
Prints registers' spills and the shared memory of each kernel, for compute capabilities 8.0 and 9.0 or those given (80,
90). Ends with 1 where one cannot be built.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ["TRITON_INTERPRET"] = "0"

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from depthwise.cloud.cuda import tiles
from depthwise.cloud.cuda.kernels import depthwise, pointwise, separable
from depthwise.cloud.cuda.tiles import Tile

import triton.language as tl  # isort: skip

CAPABILITIES = (80, 90)
# A layer in the middle of the network, as it is trained: 256 images of 28 x 28 pixels.
PIXELS, CHANNELS, OUTPUTS = 256 * 28 * 28, 256, 256
# Pointers to activations; all others are to float32.
NARROW = ("x_ptr", "y_ptr", "dx_ptr", "dy_ptr", "z_ptr")
SHARED_MEMORY = {80: 163 * 1024, 90: 227 * 1024}


def cases() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each kernel with its constants."""
    products = {"product": tl.bfloat16, "exact": "ieee"}
    along = tiles.depthwise_tile(PIXELS, CHANNELS)
    for stride in (1, 2):
        for kernel in (depthwise.forward, depthwise.backward):
            yield kernel, {"stride": stride, "normed": True, "block_p": along.pixels, "block_c": along.channels}
    for kernel, tile in (
        (pointwise.forward, tiles.pointwise_tile(PIXELS, CHANNELS, OUTPUTS)),
        (pointwise.backward_input, tiles.input_tile(PIXELS, CHANNELS, OUTPUTS)),
        (pointwise.backward_weight, tiles.weight_tile(PIXELS, CHANNELS, OUTPUTS)),
    ):
        yield kernel, {**products, "normed": True, **blocks(tile)}
    yield separable.forward, {**products, "stride": 2, **blocks(tiles.separable_tile(PIXELS, CHANNELS, OUTPUTS))}


def blocks(tile: Tile) -> dict[str, int]:
    """A tile's sizes as the kernels name them."""
    return {"block_p": tile.pixels, "block_n": tile.outputs, "block_c": tile.channels}


def build(kernel: Any, constants: dict[str, Any], capability: int) -> Any:
    """A compiled kernel for bfloat16."""
    constants = {"wide": tl.float32, **constants}
    signature = {name: kind_of(name, constants) for name in kernel.arg_names}
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    return triton.compile(ASTSource(kernel, signature, places), target=GPUTarget("cuda", capability, 32))


def kind_of(name: str, constants: dict[str, Any]) -> str:
    """The type of an argument, as Triton writes it."""
    if name in constants:
        return "constexpr"
    if name.endswith("_ptr"):
        return "*bf16" if name in NARROW else "*fp32"
    return "fp32" if name == "ceiling" else "i32"


def main() -> int:
    """Build all; the exit code."""
    failed = False
    for capability in [int(text) for text in sys.argv[1:]] or CAPABILITIES:
        for kernel, constants in cases():
            built = build(kernel, constants, capability)
            shared, code = built.metadata.shared, len(built.asm["cubin"])
            fits = shared <= SHARED_MEMORY.get(capability, shared)
            failed |= not fits
            name = f"{kernel.fn.__module__.rsplit('.', 1)[1]}.{kernel.fn.__name__}"
            print(f"{capability}  {name:26s} {code:8,d} bytes of code  {shared:8,d} bytes of shared memory", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
